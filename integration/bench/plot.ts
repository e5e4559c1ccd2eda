/**
 * The figures of the benchmark as bars.
 *
 * @module
 */
import type { Row } from "./run.ts";

const COLORS: Readonly<Record<string, string>> = { hako: "#2f6f4f", compiled: "#58a27c" };
const [LEFT, WIDTH, BAR, RIGHT] = [110, 480, 18, 90];

/** An SVG with a group of bars for each case, as long as the medians; a line in each is the minimum. */
export function plot(rows: readonly Row[]): string {
  const longest = Math.max(...rows.map(({ median }) => median));
  const x = (milliseconds: number) => (milliseconds / longest * WIDTH).toFixed(1);
  const parts: string[] = [];
  let y = 10;
  let heading = "";
  for (const { case: name, command, median, min } of rows) {
    if (name !== heading) {
      y += 26;
      parts.push(`<text x="0" y="${y - 8}" font-weight="bold">${name}</text>`);
      heading = name;
    }
    const color = COLORS[command] ?? "#9aa5b1";
    parts.push(
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${command}</text>`,
      `<rect x="${LEFT}" y="${y + 2}" width="${x(median)}" height="${BAR - 4}" fill="${color}"/>`,
      `<rect x="${LEFT + Number(x(min))}" y="${y + 2}" width="1" height="${BAR - 4}" fill="#fff"/>`,
      `<text x="${LEFT + Number(x(median)) + 6}" y="${y + 13}">${median.toFixed(1)} ms</text>`,
    );
    y += BAR;
  }
  const size = `width="${LEFT + WIDTH + RIGHT}" height="${y + 10}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`;
}
