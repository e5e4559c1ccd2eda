/** The commands, each in its own file. @module */

import type { Commands } from "./command.ts";
import { completion } from "./completion.ts";
import { explain } from "./explain.ts";
import { run } from "./run.ts";
import { spec } from "./spec.ts";

export { type GlobalOptions, globalOptions, runCommand } from "./command.ts";
export { programHelp } from "./help.ts";
export { parseOptions } from "./options.ts";
export { versionText } from "./version.ts";

/** In the order of `--help`. */
export const commands: Commands = { run, explain, spec, completion };
