/**
 * The program, with all its commands.
 *
 * The way of a container from here: a command's file in `runtime/cli` reads its options, `runtime/container/create.ts` has
 * `runtime/plan/plan.ts` compile the config to a list of system calls, `runtime/init` has a process run them, and
 * `create.ts` does at each barrier of the list what the list leaves to it.
 *
 * @module
 */

import { commands } from "./runtime/cli/mod.ts";
import { runProgram } from "./runtime/cli/program.ts";

await runProgram(commands);
