// @ts-nocheck: AssemblyScript, which asc checks
/**
 * What is known of each 32-bit word of seccomp_data on the way through a program: an interval, the values of some of its
 * bits, and combinations of bits that it does not have. What a test teaches is added, and taken back when its other
 * answer is followed.
 */

export const WORDS: u32 = 16;

let firsts: StaticArray<u32> = new StaticArray<u32>(0);
let lasts: StaticArray<u32> = new StaticArray<u32>(0);
let masks: StaticArray<u32> = new StaticArray<u32>(0);
let bits: StaticArray<u32> = new StaticArray<u32>(0);
/** What words were before, to take back: word, first, last, mask, bits. Or a combination: word | OTHER, mask, bits. */
let trail: StaticArray<u32> = new StaticArray<u32>(0);
let trailLength: i32 = 0;
/** The deepest nesting of tests that is followed. */
const LONGEST_TRAIL: i32 = 4000;
const ENTRY: i32 = 5;
const OTHER: u32 = 0x100;
/** How many numbers are tried at most in search of one that has none of the combinations. */
const MOST_TRIES: i32 = 10_000;

/** Nothing is known. */
export function resetDomain(): void {
  firsts = new StaticArray<u32>(WORDS);
  lasts = new StaticArray<u32>(WORDS);
  lasts.fill(0xffffffff);
  masks = new StaticArray<u32>(WORDS);
  bits = new StaticArray<u32>(WORDS);
  example = new StaticArray<u32>(WORDS);
  trail = new StaticArray<u32>(LONGEST_TRAIL * ENTRY);
  trailLength = 0;
}

export function firstOf(word: u32): u32 {
  return unchecked(firsts[word]);
}

export function lastOf(word: u32): u32 {
  return unchecked(lasts[word]);
}

/** The bits that are known, by the interval too. */
export function knownOf(word: u32): u32 {
  const differing = firstOf(word) ^ lastOf(word);
  return unchecked(masks[word]) | (differing == 0 ? 0xffffffff : ~(0xffffffff >>> clz(differing)));
}

/** The values of the known bits. */
export function bitsOf(word: u32): u32 {
  const byBits = unchecked(masks[word]);
  return unchecked(bits[word]) | (firstOf(word) & knownOf(word) & ~byBits);
}

export function mayBe(word: u32, value: u32): bool {
  return value >= firstOf(word) && value <= lastOf(word) &&
    (value & unchecked(masks[word])) == unchecked(bits[word]);
}

export function mark(): i32 {
  return trailLength;
}

/** No more can be learnt. */
export function isTrailFull(): bool {
  return trailLength == trail.length;
}

/** Takes back all since mark(). */
export function undo(mark: i32): void {
  while (trailLength > mark) {
    trailLength -= ENTRY;
    const at = trailLength, word = unchecked(trail[at]);
    if (word >= OTHER) continue;
    unchecked(firsts[word] = trail[at + 1]);
    unchecked(lasts[word] = trail[at + 2]);
    unchecked(masks[word] = trail[at + 3]);
    unchecked(bits[word] = trail[at + 4]);
  }
}

function save(word: u32): void {
  const at = trailLength;
  trail[at + 4] = unchecked(bits[word]);
  unchecked(trail[at] = word);
  unchecked(trail[at + 1] = firsts[word]);
  unchecked(trail[at + 2] = lasts[word]);
  unchecked(trail[at + 3] = masks[word]);
  trailLength = at + ENTRY;
}

/** The word is in this interval. False, and nothing learnt, if it cannot be. */
export function learnInterval(word: u32, first: u32, last: u32): bool {
  first = max<u32>(first, firstOf(word));
  last = min<u32>(last, lastOf(word));
  if (first > last) return false;
  return narrow(word, first, last, unchecked(masks[word]), unchecked(bits[word]));
}

/** The word has these bits where `mask` has ones. False, and nothing learnt, if it cannot. */
export function learnBits(word: u32, mask: u32, value: u32): bool {
  const known = unchecked(masks[word]);
  if (((unchecked(bits[word]) ^ value) & known & mask) != 0) return false;
  return narrow(word, firstOf(word), lastOf(word), known | mask, unchecked(bits[word]) | value);
}

/** The word has not these bits where `mask` has ones. */
export function learnOther(word: u32, mask: u32, value: u32): void {
  const at = trailLength;
  trail[at + 2] = value;
  unchecked(trail[at] = word | OTHER);
  unchecked(trail[at + 1] = mask);
  trailLength = at + ENTRY;
}

/** Whether learnOther() has said that the word has no such bits. */
export function isOther(word: u32, mask: u32, value: u32): bool {
  for (let at = 0; at < trailLength; at += ENTRY) {
    if (unchecked(trail[at]) != (word | OTHER)) continue;
    const otherMask = unchecked(trail[at + 1]);
    if ((otherMask & ~mask) == 0 && unchecked(trail[at + 2]) == (value & otherMask)) return true;
  }
  return false;
}

/** The words that have been found by findExample(). */
export let example: StaticArray<u32> = new StaticArray<u32>(0);

export const FOUND: i32 = 1;
export const NONE: i32 = 0;
export const UNKNOWN: i32 = -1;

/** Whether there is a call that has all that is known; then it is in `example`. */
export function findExample(): i32 {
  for (let word: u32 = 0; word < WORDS; word++) {
    const found = findNumber(word);
    if (found != FOUND) return found;
  }
  return FOUND;
}

function findNumber(word: u32): i32 {
  let number = firstOf(word);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const combination = combinationOf(word, number);
    if (combination == 0) {
      example[word] = number;
      return FOUND;
    }
    // All numbers that differ below the lowest bit of the combination have it too.
    const next = (number | (combination & -combination) - 1) + 1;
    if (next <= number) return NONE;
    const mask = unchecked(masks[word]), value = unchecked(bits[word]);
    number = (next & mask) == value ? next : nextWithBits(next, mask, value);
    if (number < next || number > lastOf(word)) return NONE;
  }
  return UNKNOWN;
}

/** The mask of a combination that the number has and the word has not; 0 if it has none. */
function combinationOf(word: u32, number: u32): u32 {
  for (let at = 0; at < trailLength; at += ENTRY) {
    if (unchecked(trail[at]) == (word | OTHER) && (number & trail[at + 1]) == trail[at + 2]) {
      return trail[at + 1];
    }
  }
  return 0;
}

function narrow(word: u32, first: u32, last: u32, mask: u32, value: u32): bool {
  if ((first & mask) != value) {
    const next = nextWithBits(first, mask, value);
    // Smaller than where the search began: there is none.
    if (next < first || next > last) return false;
    first = next;
  }
  save(word);
  unchecked(firsts[word] = first);
  unchecked(lasts[word] = last);
  unchecked(masks[word] = mask);
  unchecked(bits[word] = value);
  return true;
}

/** The smallest number above `from`, which is none itself, with these bits; 0 if there is none. */
export function nextWithBits(from: u32, mask: u32, value: u32): u32 {
  const highest: u32 = 31 - clz((from ^ value) & mask);
  let bit: u32 = 1 << highest;
  if ((value & bit) == 0) {
    // Too large there: carry into the next free bit that is 0.
    const free = ~mask & ~from & ~(bit | (bit - 1));
    if (free == 0) return 0;
    bit = 1 << ctz(free);
    return (from & ~(bit | (bit - 1))) | bit | (value & (bit - 1));
  }
  return (from & ~(bit | (bit - 1))) | (value & (bit | (bit - 1)));
}
