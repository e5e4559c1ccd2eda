/** `hako help [COMMAND]`: as runc has it, another spelling of `--help`. @module */

import { defineCommand, globalOptions, runCommand } from "./command.ts";
import { programHelp } from "./help.ts";

export const help = defineCommand({
  name: "help",
  summary: "print the help of the program or of a command",
  usage: "[COMMAND]",
  positionals: { min: 0, max: 1 },
  options: {},
  action({ args: [name], ...program }) {
    if (name !== undefined) return runCommand(program, name, ["--help"]);
    program.print(programHelp(globalOptions, program.commands));
    return 0;
  },
});
