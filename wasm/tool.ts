/**
 * The command line of the seccomp compiler with the compiler itself: for `hako bpf` and `bpf-compiler/main.ts`.
 *
 * @module
 */

import { type Context, errorText, type Result, runCommand } from "../bpf-compiler/cli/commands.ts";
import { compareFilters, compileSeccomp } from "./mod.ts";

/** What the tool needs of a system. */
export type System = Omit<Context, "compile" | "compare">;

/** Runs a command. One that is wrong, or whose input is, ends with code 2 and one line in `stderr`. */
export function runTool(args: readonly string[], system: System): Result {
  try {
    return runCommand(args, { ...system, compile: compileSeccomp, compare: compareFilters });
  } catch (error) {
    const text = errorText(error);
    if (text === undefined) throw error;
    return { code: 2, stdout: "", stderr: `${text}\n` };
  }
}
