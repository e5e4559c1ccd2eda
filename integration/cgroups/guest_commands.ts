/** Tests for a guest with systemd: `integration/guest/run` has them run there. @module */
import { runRuncTests } from "./runc.ts";
import { cgroupfs, runCommandTests, systemd } from "./commands.ts";

runCommandTests(cgroupfs);
runCommandTests(systemd);
runRuncTests();
