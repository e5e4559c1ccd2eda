// @ts-nocheck: AssemblyScript, which asc checks
/**
 * From a decision to nodes: tests of argument words.
 *
 * The words that the rules ask for are loaded one after the other, the high one of an argument before its low one. The
 * values of a word are cut into classes that all rules see alike; what remains to be asked for a class is a *state*, a
 * list of rules that are not yet decided. Equal states have one node. A state is flat: for each rule its verdict, how
 * many conditions remain, and these.
 *
 * States may multiply with every word. A decision with too many is compiled rule by rule instead, which is long to
 * execute but not to write down.
 */

import { and, load as loadWord, result, test, testEqual } from "./graph.ts";
import { ANY_BIT } from "./opcodes.ts";
import {
  argumentOf,
  argumentOffset,
  conditionCount,
  datumOf,
  EQ,
  firstCondition,
  firstRule,
  GE,
  GT,
  isWide,
  LT,
  MASKED_EQ,
  maskOf,
  NE,
  operatorOf,
  otherwiseOf,
  ruleCount,
  verdictOf,
} from "./policy.ts";
import { ruleByRule } from "./rules.ts";
import { decideSubsets } from "./subsets.ts";
import { Intervals } from "./tree.ts";
import { FALSE, LOW, OPEN, TRUE, Values } from "./values.ts";

type State = u32[];

/** More classes of values than any real policy has; above, a program would hardly fit into 4096 instructions. */
const MOST_CLASSES: i32 = 3000;
/** Rules of one call above which not even the first state is looked at: each state costs time by its length. */
const MOST_RULES: u32 = 200;

let otherwise: u32 = 0;
let states: State[] = [];
let nodes: u32[] = [];
/** How many classes of values have been looked at. */
let classes: i32 = 0;

/**
 * The node of a decision, which needs nothing in the accumulator.
 *
 * @param short rather many steps than many instructions
 */
export function decisionNode(decision: u32, short: bool): u32 {
  otherwise = otherwiseOf(decision);
  if (ruleCount(decision) == 0) return result(otherwise);
  if (short || ruleCount(decision) > MOST_RULES) return ruleByRule(decision);
  states = [];
  nodes = [];
  classes = 0;
  const node = stateNode(initialState(decision));
  return classes > MOST_CLASSES ? ruleByRule(decision) : node;
}

// A remaining condition: its index, and whether its low word alone is still to be seen.

function reference(condition: u32, lowOnly: bool): u32 {
  return condition << 1 | u32(lowOnly);
}

function conditionOf(reference: u32): u32 {
  return reference >> 1;
}

function isLowOnly(reference: u32): bool {
  return (reference & 1) != 0;
}

function initialState(decision: u32): State {
  const state: State = [];
  for (let rule = firstRule(decision), end = rule + ruleCount(decision); rule < end; rule++) {
    state.push(verdictOf(rule));
    state.push(conditionCount(rule));
    for (let c = firstCondition(rule), last = c + conditionCount(rule); c < last; c++) {
      state.push(reference(c, !isWide(c) || maskOf(c, true) == 0));
    }
  }
  return state;
}

/** Drops what cannot matter: rules behind one without conditions, and at the end those that do what is done anyhow. */
function simplify(state: State): State {
  const kept: State = [];
  let useful = 0;
  for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
    const verdict = state[at], count = state[at + 1];
    for (let i = at; i < at + 2 + <i32> count; i++) kept.push(state[i]);
    if (count == 0 || verdict != otherwise) useful = kept.length;
    if (count == 0) break;
  }
  // Before an unconditional rule, those with its verdict are of no use either.
  kept.length = useful;
  return dropBeforeUnconditional(kept);
}

function dropBeforeUnconditional(state: State): State {
  let before = -1, last = -1;
  for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
    before = last;
    last = at;
  }
  while (before >= 0 && state[last + 1] == 0 && state[before] == state[last]) {
    state.length = before + 2;
    state[before + 1] = 0;
    last = before;
    before = -1;
    for (let at = 0; at < last; at += 2 + state[at + 1]) before = at;
  }
  return state;
}

function equals(a: State, b: State): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (unchecked(a[i]) != unchecked(b[i])) return false;
  }
  return true;
}

function stateNode(full: State): u32 {
  const state = simplify(full);
  if (state.length == 0) return result(otherwise);
  if (state[1] == 0) return result(state[0]);
  for (let i = 0; i < states.length; i++) {
    if (equals(states[i], state)) return nodes[i];
  }

  // The lowest argument; of its words the low one only if no condition needs the high one.
  let argument: u32 = 6, high = false;
  for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
    for (let i = at + 2; i < at + 2 + <i32> state[at + 1]; i++) {
      const found = argumentOf(conditionOf(state[i]));
      if (found < argument) {
        argument = found;
        high = false;
      }
      if (found == argument && !isLowOnly(state[i])) high = true;
    }
  }
  const node = loadWord(argumentOffset(argument, high), new Word(argument, high).split(state));
  states.push(state);
  nodes.push(node);
  return node;
}

/** One word of an argument, while it is in the accumulator. */
class Word {
  constructor(private readonly argument: u32, private readonly high: bool) {}

  /** Whether a condition is about this word. The low word's own conditions stay as they are while the high one is seen. */
  private concerns(reference: u32): bool {
    return argumentOf(conditionOf(reference)) == this.argument && isLowOnly(reference) != this.high;
  }

  /** Cuts the word's values into intervals in which all comparisons have one answer, and decides between them. */
  split(state: State): u32 {
    const firsts = this.boundaries(state);
    const intervals = new Intervals();
    for (let i = 0; i < firsts.length; i++) {
      const last = i + 1 < firsts.length ? firsts[i + 1] - 1 : 0xffffffff;
      const values = Values.between(firsts[i], last);
      intervals.add(firsts[i], this.masks(this.given(state, values), values), 1);
    }
    return decideSubsets(intervals);
  }

  private boundaries(state: State): u32[] {
    const firsts: u32[] = [0];
    for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
      for (let i = at + 2; i < at + 2 + <i32> state[at + 1]; i++) {
        if (!this.concerns(state[i])) continue;
        const condition = conditionOf(state[i]);
        const operator = operatorOf(condition);
        if (operator == MASKED_EQ) continue;
        const datum = datumOf(condition, this.high);
        const ordered = operator == GE || operator == LT;
        // The low word of >= and < has one boundary, that of > and <= the next; a high word always has both.
        if (this.high || operator == EQ || operator == NE || ordered) insert(firsts, datum);
        if ((this.high || !ordered) && datum != 0xffffffff) insert(firsts, datum + 1);
      }
    }
    return firsts;
  }

  /** What remains of `state` if the word has one of `values`. */
  private given(state: State, values: Values): State {
    const rest: State = [];
    for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
      const start = rest.length;
      rest.push(state[at]);
      rest.push(0);
      let possible = true;
      for (let i = at + 2; possible && i < at + 2 + <i32> state[at + 1]; i++) {
        const known = this.concerns(state[i]) ? this.evaluate(conditionOf(state[i]), values) : OPEN;
        if (known == FALSE) possible = false;
        else if (known == LOW) rest.push(reference(conditionOf(state[i]), true));
        else if (known == OPEN) rest.push(state[i]);
      }
      if (possible) rest[start + 1] = rest.length - start - 2;
      else rest.length = start;
    }
    return rest;
  }

  private evaluate(condition: u32, values: Values): i32 {
    const datum = datumOf(condition, this.high);
    const operator = operatorOf(condition);
    // The high word decides unless it is the datum's own.
    const equal = this.high ? LOW : TRUE;
    switch (operator) {
      case MASKED_EQ: {
        const known = values.matches(maskOf(condition, this.high), datum);
        if (known != TRUE || !this.high) return known;
        return maskOf(condition, false) == 0 ? TRUE : LOW;
      }
      case EQ:
        return values.first == datum && values.last == datum ? equal : FALSE;
      case NE:
        if (values.first == datum && values.last == datum) return this.high ? LOW : FALSE;
        return TRUE;
    }
    if (this.high && values.first == datum) return LOW;
    const greater = values.first > datum || (values.first == datum && (operator == GE || operator == LT));
    return i32(greater == (operator == GE || operator == GT));
  }

  /** Tests the masks that `values` leave open. The word is in the accumulator, and only here an AND destroys it. */
  private masks(state: State, values: Values): u32 {
    if (++classes > MOST_CLASSES) return result(otherwise);
    const open = this.firstOpenMask(state);
    if (open < 0) return stateNode(state);
    const mask = maskOf(<u32> open, this.high) & ~values.knownMask;
    const bits = datumOf(<u32> open, this.high) & mask;

    const same = values.with(mask, bits), other = values.without(mask, bits);
    const sameState = this.given(state, same), otherState = this.given(state, other);
    let yes = this.masks(sameState, same), no = this.masks(otherState, other);
    if (bits == 0) return test(ANY_BIT, mask, no, yes);
    if (popcnt(mask) == 1) return test(ANY_BIT, mask, yes, no);

    const offset = argumentOffset(this.argument, this.high);
    if (this.firstOpenMask(sameState) >= 0) yes = loadWord(offset, yes);
    if (this.firstOpenMask(otherState) >= 0) no = loadWord(offset, no);
    return yes == no ? yes : and(mask, testEqual(bits, yes, no));
  }

  private firstOpenMask(state: State): i32 {
    for (let at = 0; at < state.length; at += 2 + state[at + 1]) {
      for (let i = at + 2; i < at + 2 + <i32> state[at + 1]; i++) {
        if (this.concerns(state[i]) && operatorOf(conditionOf(state[i])) == MASKED_EQ) {
          return conditionOf(state[i]);
        }
      }
    }
    return -1;
  }
}

function insert(sorted: u32[], value: u32): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1] >= value) {
    if (sorted[at - 1] == value) return;
    at--;
  }
  sorted.push(value);
  for (let i = sorted.length - 1; i > at; i--) sorted[i] = sorted[i - 1];
  sorted[at] = value;
}
