/** Tests for where there is nothing but cgroup v2: machine_test.ts and `integration/guest/run` have them run there. @module */
import { runCgroupTests } from "../../tests/cgroups/suite.ts";
import { thisMachine } from "./machine.ts";

runCgroupTests(thisMachine("pure v2"));
