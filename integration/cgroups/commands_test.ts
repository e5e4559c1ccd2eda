import { cgroupfs, runCommandTests } from "./commands.ts";

runCommandTests(cgroupfs);
