/**
 * The program, with all its commands.
 *
 * @module
 */

import { commands } from "./runtime/cli/mod.ts";
import { runProgram } from "./runtime/cli/program.ts";

await runProgram(commands);
