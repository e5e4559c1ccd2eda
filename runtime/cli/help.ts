/** The texts of `--help`, from the tables. @module */

import type { Command, Commands } from "./command.ts";
import { dashed, type Option, type Options } from "./options.ts";

export function commandHelp({ name, usage, summary, options }: Command): string {
  return `Usage: hako ${name} ${usage}\n\n${sentence(summary)}\n\nOptions:\n${optionLines(options)}`;
}

export function programHelp(options: Options, commands: Commands): string {
  const rows = Object.values(commands).map(({ name, summary }) => [name, summary] as const);
  return `Usage: hako [options] COMMAND [arguments]

An OCI container runtime: a container is compiled, then executed.

Commands:
${table(rows)}
Options:
${optionLines(options)}
"hako COMMAND --help" tells more of a command.
`;
}

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? "    " : `${dashed(option.short)}, `;
    const value = option.type === "flag" ? "" : ` ${option.value}`;
    return [`${short}${dashed(name)}${value}`, option.help + note(option)] as const;
  });
  return table(rows);
}

function note(option: Option): string {
  if (option.type === "choice") return `: ${option.choices.join(", ")}`;
  return option.type === "list" ? " (repeatable)" : "";
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}

/** A summary as a sentence. */
export function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}
