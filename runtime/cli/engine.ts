/**
 * The program that `dist/hako` is: the commands that an engine gives for each container, which start sooner from a small
 * file. It leaves all others, and whatever is no command, to `main.ts`.
 *
 * @module
 */

import { type Commands, globalOptions } from "./command.ts";
import { create } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { exec } from "./exec.ts";
import { kill } from "./kill.ts";
import { parseOptions } from "./options.ts";
import { runProgram } from "./program.ts";
import { run } from "./run.ts";
import { start } from "./start.ts";
import { state } from "./state.ts";

const commands: Commands = { create, start, run, exec, state, kill, delete: deleteCommand };

if (isOurs()) await runProgram(commands);
else await import("../../main.ts");

function isOurs(): boolean {
  try {
    const { options, positionals } = parseOptions(globalOptions, Deno.args, { stopAtPositional: true });
    return !options.help && !options.version && Object.hasOwn(commands, positionals[0] ?? "");
  } catch {
    return false; // It is for main.ts to say what is wrong.
  }
}
