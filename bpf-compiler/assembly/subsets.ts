// @ts-nocheck: AssemblyScript, which asc checks
/** Decisions between the values of one word of an argument. */

import { test } from "./graph.ts";
import { ANY_BIT } from "./opcodes.ts";
import { decide, Intervals } from "./tree.ts";

/** One instruction is worth any number of steps here: calls with conditions are few. */
const PRICE: u64 = 1000;

/**
 * As decide(), but where the numbers 0, 8, 0x20000 and 0x20008 lead to one place, as with personality(2) in Docker's
 * profile, they are the subsets of two bits, and one test for any other bit is enough.
 */
export function decideSubsets(intervals: Intervals): u32 {
  const firsts = intervals.firsts, targets = intervals.targets;
  const target = targets[0];
  let free: u32 = 0;
  if (isSingle(intervals, 0)) {
    for (let i = 1; i < firsts.length; i++) {
      const bit = firsts[i];
      if (popcnt(bit) == 1 && isSingle(intervals, i) && targets[i] == target) {
        if (allSubsets(intervals, free | bit, target)) free |= bit;
      }
    }
  }
  if (free == 0) return decide(intervals, PRICE);

  // The subsets are gone, so they may be taken for whatever lies around them.
  const rest = new Intervals();
  for (let i = 0; i < firsts.length; i++) {
    if (isSingle(intervals, i) && (firsts[i] & ~free) == 0) continue;
    rest.add(i == 0 || rest.firsts.length == 0 ? 0 : firsts[i], targets[i], 1);
  }
  return test(ANY_BIT, ~free, decide(rest, PRICE), target);
}

function isSingle(intervals: Intervals, at: i32): bool {
  return at + 1 < intervals.firsts.length
    ? intervals.firsts[at + 1] - intervals.firsts[at] == 1
    : intervals.firsts[at] == 0xffffffff;
}

function allSubsets(intervals: Intervals, bits: u32, target: u32): bool {
  let found: i32 = 0;
  for (let i = 0; i < intervals.firsts.length; i++) {
    if ((intervals.firsts[i] & ~bits) == 0 && isSingle(intervals, i) && intervals.targets[i] == target) {
      found++;
    }
  }
  return popcnt(bits) < 16 && found == 1 << popcnt(bits);
}
