/** `hako ps`: the processes of a container. @module */

import { Container } from "../container/container.ts";
import { runProgram } from "../container/program.ts";
import { stateRoot } from "../container/state.ts";
import { StateError } from "../errors.ts";
import { defineCommand } from "./command.ts";

export const ps = defineCommand({
  name: "ps",
  summary: "list the processes of a container",
  usage: "[options] ID [PS-OPTION...]",
  positionals: { min: 1 },
  stopAtPositional: true,
  options: {
    format: {
      type: "choice",
      short: "f",
      value: "FORMAT",
      choices: ["table", "json"],
      help: "print what ps(1) says of them, or their pids as JSON (table)",
    },
  },
  action({ args: [id, ...psOptions], options: { format }, global, print }) {
    const pids = Container.load(stateRoot(global.root), id).pids();
    print(format === "json" ? JSON.stringify(pids) : table(id, pids, psOptions));
    return 0;
  },
});

/** The lines of ps(1) that have one of the pids in the column PID. */
function table(id: string, pids: readonly number[], options: readonly string[]): string {
  const path = ["/bin/ps", "/usr/bin/ps"].find(exists);
  if (path === undefined) throw new StateError(id, "ps: executable file not found");
  const args = ["ps", ...(options.length > 0 ? options : ["-ef"])];
  const { status, output } = runProgram({ path, args, outputBytes: Infinity });
  if (status.kind !== "exited" || status.code !== 0) throw new StateError(id, `ps failed: ${output.trim()}`);
  const [header = "", ...lines] = output.split("\n");
  const column = header.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw new StateError(id, "couldn't find PID field in ps output");
  const wanted = new Set(pids.map(String));
  const found = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ""));
  return [header, ...found].map((line) => `${line}\n`).join("");
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
