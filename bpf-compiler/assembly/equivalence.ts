// @ts-nocheck: AssemblyScript, which asc checks
/**
 * Whether two programs return the same for every call there is: a proof or a counter-example.
 *
 * All ways through the first program are followed, and at the end of each all ways through the second that the same call
 * can take. What the tests on a way say about the words of seccomp_data is kept (`domain.ts`): most ways that no call
 * takes are not followed, and a difference is one only if there is a call for it.
 */

import {
  bitsOf,
  example,
  findExample,
  firstOf,
  FOUND,
  isOther,
  isTrailFull,
  knownOf,
  lastOf,
  learnBits,
  learnInterval,
  learnOther,
  mark,
  mayBe,
  nextWithBits,
  NONE,
  resetDomain,
  undo,
  WORDS,
} from "./domain.ts";
import { AND, ANY_BIT, AT_LEAST, EQUAL, GREATER, LOAD, RETURN } from "./opcodes.ts";
// deno-lint-ignore verbatim-module-syntax -- AssemblyScript has no imports of types
import { Program } from "./program.ts";

export const EQUIVALENT: u32 = 0;
export const DIFFERENT: u32 = 1;
/** Too many ways. */
export const UNDECIDED: u32 = 2;
/** The second loads an argument where the first has decided without, so the kernel cannot know its answer beforehand. */
export const NEEDLESS_LOAD: u32 = 3;

/** In the accumulator before the first load. */
const NO_WORD: u32 = WORDS;
const FIRST_ARGUMENT: u32 = 4;

// The second program's instructions follow the first's.
let codes: StaticArray<u32> = new StaticArray<u32>(0);
let constants: StaticArray<u32> = new StaticArray<u32>(0);
let whenTrue: StaticArray<u32> = new StaticArray<u32>(0);
let whenFalse: StaticArray<u32> = new StaticArray<u32>(0);
let second: u32 = 0;
let secondEntry: u32 = 0;
let steps: u32 = 0;
let loadsMatter: bool = false;

/** seccomp_data of a call on which the programs differ, and what they return. */
export let counterExample: StaticArray<u32> = new StaticArray<u32>(0);

/** @param limit of executed instructions @param strictLoads return NEEDLESS_LOAD */
export function compare(a: Program, b: Program, limit: u32, strictLoads: bool): u32 {
  resetDomain();
  counterExample = new StaticArray<u32>(WORDS + 2);
  const length = a.codes.length + b.codes.length;
  codes = new StaticArray<u32>(length);
  constants = new StaticArray<u32>(length);
  whenTrue = new StaticArray<u32>(length);
  whenFalse = new StaticArray<u32>(length);
  copy(a, 0);
  second = a.codes.length;
  copy(b, second);
  secondEntry = second + b.entry;
  steps = limit;
  loadsMatter = strictLoads;
  return follow(a.entry, NO_WORD, 0xffffffff, 0, false);
}

function copy(program: Program, base: u32): void {
  for (let i = 0; i < program.codes.length; i++) {
    codes[base + i] = program.codes[i];
    constants[base + i] = program.constants[i];
    whenTrue[base + i] = base + program.whenTrue[i];
    whenFalse[base + i] = base + program.whenFalse[i];
  }
}

/**
 * Follows a way to all ends that the domain allows. What it learns about the words, the caller takes back.
 *
 * @param word in the accumulator @param mask what AND has left of it
 * @param verdict what the first program has returned, in the second
 * @param hasLoaded the first has loaded an argument
 */
function follow(at: u32, word: u32, mask: u32, verdict: u32, hasLoaded: bool): u32 {
  while (true) {
    if (steps == 0 || isTrailFull()) return UNDECIDED;
    steps--;
    const k = unchecked(constants[at]);
    const code = unchecked(codes[at]);
    if (code == EQUAL || code == AT_LEAST || code == GREATER || code == ANY_BIT) {
      const taken = branch(at, word, mask, verdict, hasLoaded);
      if (taken < 0) return found;
      at = taken != 0 ? unchecked(whenTrue[at]) : unchecked(whenFalse[at]);
      continue;
    }
    if (code == RETURN) {
      if (at >= second) return arrive(verdict, k);
      verdict = k;
      at = secondEntry;
      word = NO_WORD;
      mask = 0xffffffff;
      continue;
    }
    if (code == LOAD) {
      word = k >> 2;
      mask = 0xffffffff;
      if (at < second) hasLoaded = hasLoaded || word >= FIRST_ARGUMENT;
      else if (loadsMatter && !hasLoaded && word >= FIRST_ARGUMENT) return NEEDLESS_LOAD;
    } else if (code == AND) mask &= k;
    at = unchecked(whenTrue[at]);
  }
}

function arrive(expected: u32, verdict: u32): u32 {
  if (verdict == expected) return EQUIVALENT;
  const calls = findExample();
  if (calls != FOUND) return calls == NONE ? EQUIVALENT : UNDECIDED;
  for (let word: u32 = 0; word < WORDS; word++) counterExample[word] = example[word];
  counterExample[WORDS] = expected;
  counterExample[WORDS + 1] = verdict;
  return DIFFERENT;
}

// What branch() says: with which answer the caller goes on, the domain being told, or that none is left.
const NO: i32 = 0;
const YES: i32 = 1;
const DONE: i32 = -1;

/** What has been found when branch() is DONE. */
let found: u32 = EQUIVALENT;

function done(result: u32): i32 {
  found = result;
  return DONE;
}

/** Follows all answers of a test but one. */
function branch(at: u32, word: u32, mask: u32, verdict: u32, hasLoaded: bool): i32 {
  let code = unchecked(codes[at]), k = unchecked(constants[at]);
  if (word == NO_WORD) {
    // Before the first load the accumulator is 0.
    return (code == EQUAL || code == AT_LEAST) && k == 0 ? YES : NO;
  }
  if (code == GREATER) {
    if (k == 0xffffffff) return NO;
    code = AT_LEAST;
    k++;
  }
  if (code == ANY_BIT) return new Way(at, word, mask, verdict, hasLoaded).onBits(k & mask, 0, NO);
  const hidden = ~mask;
  if (code == EQUAL && (k & hidden) != 0) return NO;
  if (hidden != 0) {
    if ((hidden & ~knownOf(word)) != 0) {
      const way = new Way(at, word, mask, verdict, hasLoaded);
      return code == EQUAL ? way.onBits(mask, k, YES) : way.onMaskedOrder(k);
    }
    // With all other bits known, the masked word is the word less these.
    const base = bitsOf(word) & hidden;
    if (k > 0xffffffff - base) return NO;
    k += base;
  }
  // Most tests have one possible answer.
  if (k > lastOf(word)) return NO;
  if (code == AT_LEAST) {
    if (k <= firstOf(word)) return YES;
  } else {
    if (!mayBe(word, k)) return NO;
    if (firstOf(word) == lastOf(word)) return YES;
  }
  const way = new Way(at, word, mask, verdict, hasLoaded);
  return code == EQUAL ? way.onNumber(k) : way.onOrder(k);
}

/** At a test. */
class Way {
  constructor(
    private readonly at: u32,
    private readonly word: u32,
    private readonly mask: u32,
    private readonly verdict: u32,
    private readonly hasLoaded: bool,
  ) {}

  /** Follows an answer, of which the domain has been told, and takes that back. */
  private aside(answer: i32, before: i32): u32 {
    const next = answer == YES ? unchecked(whenTrue[this.at]) : unchecked(whenFalse[this.at]);
    const result = follow(next, this.word, this.mask, this.verdict, this.hasLoaded);
    undo(before);
    return result;
  }

  /** A == k, which it may be. Without k, an interval may be left on both sides. */
  onNumber(k: u32): i32 {
    const word = this.word;
    const before = mark();
    learnInterval(word, k, k);
    let result = this.aside(YES, before);
    if (result != EQUIVALENT) return done(result);
    if (k != 0 && learnInterval(word, 0, k - 1)) {
      result = this.aside(NO, before);
      if (result != EQUIVALENT) return done(result);
    }
    return k != 0xffffffff && learnInterval(word, k + 1, 0xffffffff) ? NO : done(EQUIVALENT);
  }

  /** A >= k, which the interval leaves open */
  onOrder(k: u32): i32 {
    const word = this.word;
    const before = mark();
    if (!learnInterval(word, 0, k - 1)) return YES;
    const result = this.aside(NO, before);
    if (result != EQUIVALENT) return done(result);
    return learnInterval(word, k, 0xffffffff) ? YES : done(EQUIVALENT);
  }

  /** (A & mask) == value is `answer`. */
  onBits(mask: u32, value: u32, answer: i32): i32 {
    const word = this.word, known = knownOf(word), knownBits = bitsOf(word);
    if (((value ^ knownBits) & mask & known) != 0) return 1 - answer;
    mask &= ~known;
    value &= mask;
    if (mask == 0) return answer;
    if (isOther(word, known | mask, knownBits | value)) return 1 - answer;

    const before = mark();
    if (learnBits(word, mask, value)) {
      const result = this.aside(answer, before);
      if (result != EQUIVALENT) return done(result);
    }
    // Not these bits: of one bit the value is known then, of several only that.
    if (popcnt(mask) > 1) learnOther(word, mask, value);
    else if (!learnBits(word, mask, value ^ mask)) return done(EQUIVALENT);
    return 1 - answer;
  }

  /** A >= k where A is what a mask has left of a word with unknown bits. No compiler known emits it. */
  onMaskedOrder(k: u32): i32 {
    const mask = this.mask;
    // The smallest number at or above k that the mask can leave.
    const least = (k & ~mask) == 0 ? k : nextWithBits(k, ~mask, 0);
    if (least < k) return NO;
    let result = this.asideWithBits(mask, least, YES);
    for (let bit: u32 = 0x80000000, above: u32 = 0; bit != 0 && result == EQUIVALENT; bit >>= 1) {
      if ((mask & bit) == 0) continue;
      // The highest bit that differs decides: 1 is more, and 0 less.
      result = this.asideWithBits(
        above | bit,
        (least & above) | (~least & bit),
        (least & bit) == 0 ? YES : NO,
      );
      above |= bit;
    }
    return done(result);
  }

  private asideWithBits(mask: u32, value: u32, answer: i32): u32 {
    const before = mark();
    return learnBits(this.word, mask, value) ? this.aside(answer, before) : EQUIVALENT;
  }
}
