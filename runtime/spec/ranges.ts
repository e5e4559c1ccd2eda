/**
 * Reads a list of CPUs or NUMA nodes as cpuset(7) and config.json write it: "0-3,7" is `[[0, 3], [7, 7]]`.
 *
 * Spaces and empty elements are allowed, as runc allows them.
 *
 * @returns nothing if the text is no such list, or names more than the 65536 that runc's masks have
 */
export function parseRanges(text: string): [first: number, last: number][] | undefined {
  const ranges: [number, number][] = [];
  for (const element of text.split(",")) {
    if (element.trim() === "") continue;
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(element);
    if (match === null) return;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 0x10000) return;
    ranges.push([first, last]);
  }
  return ranges;
}
