/** The rows of a benchmark as a table for a terminal and for docs. @module */
import type { Figure, Row, Verdict } from "./benchmark.ts";

/** Columns of one line. */
interface Line {
  readonly row: string;
  readonly command: string;
  readonly median: string;
  readonly min: string;
  readonly ratios: readonly string[];
  readonly runs: string;
  readonly target: string;
}

/** Whose times the others are compared with. */
const PEERS = ["runc", "crun"] as const;

function linesOf({ title, unit, commands, targets }: Row): Line[] {
  return commands.map((figure, index) => ({
    row: index === 0 ? title : "",
    command: figure.command,
    median: `${round(figure.median)} ${unit}`,
    min: round(figure.min),
    ratios: PEERS.map((peer) => ratio(figure, commands.find(({ command }) => command === peer))),
    runs: `${figure.runs}`,
    target: targets.filter(({ command }) => command === figure.command).map(verdict).join(", "),
  }));
}

function ratio(figure: Figure, peer: Figure | undefined): string {
  return peer === undefined || peer === figure ? "" : (figure.median / peer.median).toFixed(2);
}

function verdict({ target, found, met }: Verdict): string {
  return `${target}: ${met ? "met" : "missed"} (${round(found)})`;
}

/** Three figures, but all those before the point. */
function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const HEADINGS = ["", "", "median", "min", "/ runc", "/ crun", "runs", "target"];

function cells(rows: readonly Row[]): string[][] {
  const lines = rows.flatMap(linesOf);
  return lines.map(({ row, command, median, min, ratios, runs, target }) => [
    row,
    command,
    median,
    min,
    ...ratios,
    runs,
    target,
  ]);
}

/** With columns as wide as what is in them. */
export function formatTable(rows: readonly Row[]): string {
  const all = [HEADINGS, ...cells(rows)];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all.map((line) =>
    line.map((cell, column) =>
      column < 2 || column === 7 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    )
      .join("  ").trimEnd()
  ).join("\n");
}

/** The same in Markdown. */
export function markdownTable(rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = HEADINGS.map((_, column) => column < 2 || column === 7 ? "---" : "--:");
  return [HEADINGS, rule, ...cells(rows)].map(line).join("\n");
}
