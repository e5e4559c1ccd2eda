/**
 * The figures of the benchmark as bars.
 *
 * @module
 */
import type { Row } from "./benchmark.ts";

const COLORS: Readonly<Record<string, string>> = { hako: "#2f6f4f", compiled: "#58a27c" };
const [LEFT, WIDTH, BAR, RIGHT] = [120, 470, 18, 130];

/** An SVG with a group of bars for each row, as long as the medians; a line in each is the minimum. */
export function plot(rows: readonly Row[]): string {
  const parts: string[] = [];
  let y = 10;
  for (const { title, unit, commands, targets } of rows) {
    const longest = Math.max(...commands.map(({ median }) => median));
    const x = (value: number) => Number((value / longest * WIDTH).toFixed(1));
    const missed = targets.filter(({ met }) => !met).map(({ command, target }) => `${command} ${target}`);
    const note = targets.length === 0
      ? ""
      : missed.length === 0
      ? "target met"
      : `missed: ${missed.join(", ")}`;
    y += 26;
    parts.push(
      `<text x="0" y="${y - 8}" font-weight="bold">${title}</text>`,
      `<text x="${LEFT + WIDTH + RIGHT}" y="${y - 8}" text-anchor="end" fill="#666">${note}</text>`,
    );
    for (const { command, median, min } of commands) {
      const color = COLORS[command.replace(/,.*/, "")] ?? "#9aa5b1";
      parts.push(
        `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${command}</text>`,
        `<rect x="${LEFT}" y="${y + 2}" width="${x(median)}" height="${BAR - 4}" fill="${color}"/>`,
        `<rect x="${LEFT + x(min)}" y="${y + 2}" width="1" height="${BAR - 4}" fill="#fff"/>`,
        `<text x="${LEFT + x(median) + 6}" y="${y + 13}">${
          median.toFixed(median < 100 ? 1 : 0)
        } ${unit}</text>`,
      );
      y += BAR;
    }
  }
  const size = `width="${LEFT + WIDTH + RIGHT}" height="${y + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`;
}
