// @ts-nocheck: AssemblyScript, which asc checks
/** From a section to nodes: which decision a number of a system call leads to. */

import { and, codeOf, constantOf, falseOf, test, trueOf } from "./graph.ts";
import { AT_LEAST, EQUAL } from "./opcodes.ts";
// deno-lint-ignore verbatim-module-syntax -- AssemblyScript has no imports of types
import { longestWay, price, Section } from "./policy.ts";
import { decide, Intervals } from "./tree.ts";

/** __X32_SYSCALL_BIT */
const X32_BIT: u32 = 0x40000000;

/**
 * A node that leads to the decision's node, with the number in the accumulator.
 *
 * @param decisions the node of each
 */
export function sectionNode(section: Section, decisions: u32[]): u32 {
  const intervals = intervalsOf(section, decisions);
  for (let i = 0; i < intervals.firsts.length; i++) {
    if (intervals.firsts[i] > X32_BIT && intervals.firsts[i] < 2 * X32_BIT) return withX32(intervals);
  }
  return decide(intervals, price());
}

/**
 * Most calls of x32 have the number that they have on x86_64 but for one bit, and the same decision. So one tree is
 * enough for both: behind the few numbers where they differ, x32 clears the bit and takes the tree of x86_64.
 */
function withX32(intervals: Intervals): u32 {
  const low = new Intervals();
  for (let i = 0; i < intervals.firsts.length && intervals.firsts[i] < X32_BIT; i++) {
    low.add(intervals.firsts[i], intervals.targets[i], intervals.weights[i]);
  }
  const x86 = decide(low, price());
  const same = and(~X32_BIT, x86);
  const x32 = decide(exceptions(intervals, low, same), price());
  return test(AT_LEAST, X32_BIT, shorten(x32, same, low, X32_BIT, 0xffffffff, 1), x86);
}

/**
 * The tree at `node`, for the numbers of x32 from `first` to `last`. Where two trees in a row take more tests than
 * longestWay(), the second is entered further down, or the part of it that is needed is made again.
 *
 * @param same where those go that do as on x86_64
 * @param depth how many tests are behind us
 */
function shorten(node: u32, same: u32, low: Intervals, first: u32, last: u32, depth: u32): u32 {
  if (node == same) {
    const from = first & ~X32_BIT, to = last & ~X32_BIT;
    if (depth + longest(trueOf(same), from, to) <= longestWay()) return same;
    const inner = enter(trueOf(same), from, to);
    if (depth + longest(inner, from, to) <= longestWay()) return and(~X32_BIT, inner);
    // All alike: what is rare on x86_64 must not be slow here.
    return and(~X32_BIT, decide(low.between(from, to, price() >> 2), price()));
  }
  const code = codeOf(node), k = constantOf(node);
  if (code == AT_LEAST) {
    const above = shorten(trueOf(node), same, low, k, last, depth + 1);
    return test(code, k, above, shorten(falseOf(node), same, low, first, k - 1, depth + 1));
  }
  if (code != EQUAL) return node;
  const next = first == k ? k + 1 : first, previous = last == k ? k - 1 : last;
  const equal = shorten(trueOf(node), same, low, k, k, depth + 1);
  return test(code, k, equal, shorten(falseOf(node), same, low, next, previous, depth + 1));
}

/** Where a number from `first` to `last` comes to in the tree at `node` in any case. */
function enter(node: u32, first: u32, last: u32): u32 {
  while (true) {
    const code = codeOf(node), k = constantOf(node);
    const isAbove = code == AT_LEAST && first >= k;
    const isBelow = (code == AT_LEAST || code == EQUAL) && last < k;
    if (isAbove) node = trueOf(node);
    else if (isBelow || (code == EQUAL && first > k)) node = falseOf(node);
    else return node;
  }
}

/** The most tests that a number from `first` to `last` takes in the tree at `node`. */
function longest(node: u32, first: u32, last: u32): u32 {
  const code = codeOf(node), k = constantOf(node);
  if (first > last || (code != AT_LEAST && code != EQUAL)) return 0;
  if (code == EQUAL || last < k) return 1 + longest(falseOf(node), first, last);
  if (first >= k) return 1 + longest(trueOf(node), first, last);
  return 1 + max<u32>(longest(trueOf(node), k, last), longest(falseOf(node), first, k - 1));
}

/** The numbers from X32_BIT, of which those that do as without it lead to `same`. */
function exceptions(intervals: Intervals, low: Intervals, same: u32): Intervals {
  const high = new Intervals();
  let i = 0, k = 0;
  while (k + 1 < intervals.firsts.length && intervals.firsts[k + 1] <= X32_BIT) k++;
  for (let number: u32 = 0; number < X32_BIT;) {
    const target = intervals.targets[k];
    // The weight of an interval is given to its first part.
    const weight: u64 = intervals.firsts[k] == number + X32_BIT ? intervals.weights[k] : 0;
    high.add(number + X32_BIT, target == low.targets[i] ? same : target, weight);

    const lowEnd = i + 1 < low.firsts.length ? low.firsts[i + 1] : X32_BIT;
    const highEnd = k + 1 < intervals.firsts.length ? intervals.firsts[k + 1] - X32_BIT : X32_BIT;
    number = min<u32>(lowEnd, highEnd);
    if (number == lowEnd) i++;
    if (number == highEnd && number < X32_BIT) k++;
  }
  high.add(2 * X32_BIT, targetOf(intervals, 2 * X32_BIT), 0);
  for (k = 0; k < intervals.firsts.length; k++) {
    if (intervals.firsts[k] > 2 * X32_BIT) {
      high.add(intervals.firsts[k], intervals.targets[k], intervals.weights[k]);
    }
  }
  return high;
}

function targetOf(intervals: Intervals, number: u32): u32 {
  let i = intervals.firsts.length - 1;
  while (intervals.firsts[i] > number) i--;
  return intervals.targets[i];
}

function intervalsOf(section: Section, decisions: u32[]): Intervals {
  const intervals = new Intervals();
  let point: u32 = 0;
  for (let span: u32 = 0; span < section.spans; span++) {
    const other = decisions[section.spanDecision(span)];
    const last = span + 1 < section.spans ? section.spanFirst(span + 1) - 1 : 0xffffffff;
    let next = section.spanFirst(span);
    while (point < section.points && section.pointNumber(point) <= last) {
      const number = section.pointNumber(point);
      if (number > next) intervals.add(next, other, 0);
      intervals.add(number, decisions[section.pointDecision(point)], section.pointWeight(point));
      next = number + 1;
      point++;
    }
    if (next <= last) intervals.add(next, other, 0);
  }
  return intervals;
}
