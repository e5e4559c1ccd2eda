/** Tests for `with_v2.sh deno test`, which machine_test.ts runs. @module */
import { runCgroupTests } from "../../tests/cgroups/suite.ts";
import { thisMachine } from "./machine.ts";

runCgroupTests(thisMachine("pure v2"));
