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
    if (quiet) print(containers.map(({ id }) => `${id}\n`).join(""));
    else if (format === "json") {
      // As runc: no containers are null.
      print(JSON.stringify(containers.length > 0 ? containers.map(stateOf) : null));
    } else print(table(containers));
    return 0;
  },
});

function table(containers: readonly Container[]): string {
  const rows = [
    ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
    ...containers.map(stateOf).map(({ id, pid, status, bundle, created, owner }) => [
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
