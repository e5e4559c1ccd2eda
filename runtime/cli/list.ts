/** `hako list`: all containers. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { defineCommand } from "./command.ts";
import { stateOf } from "./state.ts";

export const list = defineCommand({
  name: "list",
  summary: "list all containers",
  usage: "[options]",
  positionals: { min: 0, max: 0 },
  options: {
    format: {
      type: "choice",
      short: "f",
      value: "FORMAT",
      choices: ["table", "json"],
      help: "print a table, or JSON (table)",
    },
    quiet: { type: "flag", short: "q", help: "print the ids alone" },
  },
  action({ options: { format, quiet }, global, print }) {
    const containers = Container.list(stateRoot(global.root));
    if (quiet) {
      print(containers.map(({ id }) => `${id}\n`).join(""));
      return 0;
    }
    const users = readUsers();
    const states = containers.map((container) => {
      const { owner } = container.state;
      return stateOf(container, users.get(owner) ?? `#${owner}`);
    });
    // As runc: no containers are null.
    print(format === "json" ? JSON.stringify(states.length > 0 ? states : null) : table(states));
    return 0;
  },
});

/** The names of this machine's users by their ids: passwd(5). */
function readUsers(): Map<number, string> {
  let text = "";
  try {
    text = Deno.readTextFileSync("/etc/passwd");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const lines = text.split("\n").map((line) => line.split(":")).filter(([, , id]) => id);
  // Of several names of an id the first counts, as for getpwuid(3).
  return new Map(lines.toReversed().map(([name, , id]) => [Number(id), name!]));
}

function table(states: readonly ReturnType<typeof stateOf>[]): string {
  const rows = [
    ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
    ...states.map(({ id, pid, status, bundle, created, owner }) => [
      id,
      `${pid}`,
      status,
      bundle,
      created,
      owner,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    `${row.map((cell, column) => cell.padEnd(widths[column]!)).join("   ").trimEnd()}\n`
  ).join("");
}
