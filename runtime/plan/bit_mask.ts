import { parseRanges } from "../spec/ranges.ts";

/** A list of CPUs or nodes, "0-1,3", as the bits of an array of longs; null for none. */
export function bitMask(list: string): Uint8Array | null {
  const ranges = parseRanges(list) ?? [];
  if (ranges.length === 0) return null;
  const highest = Math.max(...ranges.map(([, last]) => last));
  const mask = new Uint8Array(8 * (Math.floor(highest / 64) + 1));
  for (const [first, last] of ranges) {
    for (let bit = first; bit <= last; bit++) mask[bit >> 3]! |= 1 << (bit & 7);
  }
  return mask;
}
