// @ts-nocheck: AssemblyScript, which asc checks
/**
 * The best decision tree over intervals of one 32-bit word.
 *
 * A range of intervals is decided either by a split (A >= first of some interval) and two smaller ranges, or by a chain:
 * where all intervals but a few single numbers lead to one place, one A == number for each of these. Dynamic programming
 * over all ranges finds the cheapest, where each executed test costs the weight of the calls that execute it, and each
 * instruction a fixed price.
 */

import { AT_LEAST } from "./opcodes.ts";
import { test, testEqual } from "./graph.ts";

/** More tests in a row make the last of them slow, and a program not much smaller. */
const LONGEST_CHAIN: i32 = 5;
/**
 * How far the best split may lie outside the bounds that Knuth proved for trees without chains (Acta Informatica 1, 1971).
 * A split outside them costs nothing but quality.
 */
const SLACK: i32 = 3;
/** Above, the table of all ranges would be too large: the intervals are halved first. */
const LARGEST_TABLE: i32 = 1200;

const CHAIN: u32 = 0;

/** Consecutive intervals: from `firsts[i]` up to `firsts[i + 1]`, the last up to all ones. */
export class Intervals {
  readonly firsts: u32[] = [];
  readonly targets: u32[] = [];
  readonly weights: u64[] = [];

  /** Joins the interval to the one before if both lead to the same node. */
  add(first: u32, target: u32, weight: u64): void {
    const last = this.targets.length - 1;
    if (last >= 0 && unchecked(this.targets[last]) == target) {
      unchecked(this.weights[last] += weight);
      return;
    }
    this.firsts.push(first);
    this.targets.push(target);
    this.weights.push(weight);
  }

  /** Those of the numbers from `first` to `last`, each with the same weight. */
  between(first: u32, last: u32, weight: u64): Intervals {
    const part = new Intervals();
    for (let i = 0; i < this.firsts.length && this.firsts[i] <= last; i++) {
      if (i + 1 < this.firsts.length && this.firsts[i + 1] <= first) continue;
      part.add(max<u32>(first, this.firsts[i]), this.targets[i], weight);
    }
    return part;
  }
}

/**
 * A node that, with the word in the accumulator, leads to the target of its interval.
 *
 * @param price of one instruction, in the unit of weights
 */
export function decide(intervals: Intervals, price: u64): u32 {
  return decideRange(intervals, 0, intervals.targets.length - 1, price);
}

function decideRange(intervals: Intervals, from: i32, to: i32, price: u64): u32 {
  if (from == to) return intervals.targets[from];
  if (to - from < LARGEST_TABLE) return new Table(intervals, from, to, price).build(0, to - from);
  const middle = (from + to + 1) / 2;
  return test(
    AT_LEAST,
    intervals.firsts[middle],
    decideRange(intervals, middle, to, price),
    decideRange(intervals, from, middle - 1, price),
  );
}

/** Where the row of `n` begins in a table of all pairs (n, m) with m <= n. */
function triangle(n: i32): i32 {
  return n * (n + 1) / 2;
}

class Table {
  private readonly size: i32;
  /** The first interval of the upper half of a range, or CHAIN: at triangle(last) + first. */
  private readonly choices: StaticArray<u16>;

  constructor(
    private readonly intervals: Intervals,
    private readonly from: i32,
    to: i32,
    private readonly price: u64,
  ) {
    const size = to - from + 1;
    this.size = size;
    this.choices = new StaticArray<u16>(triangle(size));
    this.fill();
  }

  private fill(): void {
    const size = this.size, choices = this.choices, price = this.price;
    // The sum of weights before each interval.
    const before = new StaticArray<u64>(size + 1);
    for (let i = 0; i < size; i++) before[i + 1] = before[i] + this.intervals.weights[this.from + i];
    // What ranges cost: those that are upper parts of a split, and those that begin with i.
    const upper = new StaticArray<u64>(triangle(size));
    const lower = new StaticArray<u64>(size);
    // By last interval: the best split of the range that begins with i, or for those not yet seen with i + 1.
    const splits = new StaticArray<i32>(size);

    for (let i = size - 1; i >= 0; i--) {
      const chain = new Chain(this.intervals, this.from + i);
      unchecked(lower[i] = 0);
      unchecked(splits[i] = i);
      for (let k = i + 1; k < size; k++) {
        const total = unchecked(before[k + 1]) - unchecked(before[i]);
        const column = triangle(k);
        const high = min<i32>(k, unchecked(splits[k]) + SLACK);
        let split = max<i32>(i + 1, unchecked(splits[k - 1]) - SLACK);
        let cheapest = u64.MAX_VALUE;
        for (let s = split; s <= high; s++) {
          const cost = unchecked(lower[s - 1]) + unchecked(upper[column + s]);
          // Which is cheaper cannot be foreseen, and a mispredicted branch costs more than all else here.
          split = select<i32>(s, split, cost < cheapest);
          cheapest = select<u64>(cost, cheapest, cost < cheapest);
        }
        cheapest += total + price;
        unchecked(splits[k] = split);
        let choice: u32 = split;
        if (chain.extend(this.from + k)) {
          const cost = chain.cost(total, price);
          if (cost <= cheapest) {
            cheapest = cost;
            choice = CHAIN;
          }
        }
        unchecked(lower[k] = cheapest);
        unchecked(upper[column + i] = cheapest);
        unchecked(choices[column + i] = <u16> choice);
      }
    }
  }

  build(i: i32, k: i32): u32 {
    const intervals = this.intervals;
    if (i == k) return intervals.targets[this.from + i];
    const choice = <i32> this.choices[triangle(k) + i];
    if (choice != CHAIN) {
      const upper = this.build(choice, k);
      return test(AT_LEAST, intervals.firsts[this.from + choice], upper, this.build(i, choice - 1));
    }
    const chain = new Chain(intervals, this.from + i);
    for (let at = i + 1; at <= k; at++) chain.extend(this.from + at);
    return chain.build();
  }
}

/** A range of which all intervals lead to one node, but for at most LONGEST_CHAIN single numbers. */
class Chain {
  /** The intervals of one number, by position. */
  private readonly singles: StaticArray<i32> = new StaticArray<i32>(2 * LONGEST_CHAIN + 2);
  private count: i32 = 0;
  /** The interval that says where all others lead; -1 while there are only single numbers. */
  private base: i32 = -1;
  private possible: bool = true;
  /** Of what is tested, heaviest first. */
  private readonly tested: StaticArray<i32> = new StaticArray<i32>(LONGEST_CHAIN);

  constructor(private readonly intervals: Intervals, first: i32) {
    this.extend(first);
  }

  /** Adds the next interval. False if the range is no chain any more, and will not become one. */
  extend(at: i32): bool {
    if (!this.possible) return false;
    const intervals = this.intervals;
    const last = at + 1 == intervals.firsts.length;
    const end = last ? 0xffffffff : unchecked(intervals.firsts[at + 1]) - 1;
    if (unchecked(intervals.firsts[at]) == end) {
      unchecked(this.singles[this.count++] = at);
      if (this.count == this.singles.length) this.possible = false;
    } else if (this.base < 0) this.base = at;
    else if (unchecked(intervals.targets[at]) != unchecked(intervals.targets[this.base])) {
      this.possible = false;
    }
    return this.possible;
  }

  private baseOrHeaviest(): i32 {
    if (this.base >= 0) return this.base;
    let heaviest = this.singles[0];
    for (let i = 1; i < this.count; i++) {
      if (this.intervals.weights[this.singles[i]] >= this.intervals.weights[heaviest]) {
        heaviest = this.singles[i];
      }
    }
    return heaviest;
  }

  /** How many numbers must be tested, which then are in `tested`; -1 if too many. */
  private select(): i32 {
    const intervals = this.intervals, singles = this.singles, tested = this.tested;
    const target = unchecked(intervals.targets[this.baseOrHeaviest()]);
    let n = 0;
    for (let i = 0; i < this.count; i++) {
      const single = unchecked(singles[i]);
      if (unchecked(intervals.targets[single]) == target) continue;
      if (n == LONGEST_CHAIN) return -1;
      let at = n++;
      while (
        at > 0 && unchecked(intervals.weights[tested[at - 1]]) < unchecked(intervals.weights[single])
      ) {
        unchecked(tested[at] = tested[at - 1]);
        at--;
      }
      unchecked(tested[at] = single);
    }
    return n;
  }

  cost(total: u64, price: u64): u64 {
    const n = this.select();
    if (n < 0) return u64.MAX_VALUE;
    let cost: u64 = 0;
    for (let i = 0; i < n; i++) {
      cost += total + price;
      total -= unchecked(this.intervals.weights[this.tested[i]]);
    }
    return cost;
  }

  build(): u32 {
    const intervals = this.intervals;
    let node = intervals.targets[this.baseOrHeaviest()];
    for (let i = this.select() - 1; i >= 0; i--) {
      const single = this.tested[i];
      node = testEqual(intervals.firsts[single], intervals.targets[single], node);
    }
    return node;
  }
}
