// @ts-nocheck: AssemblyScript, which asc checks
/** What may be known of one word of an argument, and what that says of a condition. */

// What is known of a condition when a word of its argument is.
export const FALSE: i32 = 0;
export const TRUE: i32 = 1;
/** It depends on the low word. */
export const LOW: i32 = 2;
/** A mask of which not all bits are known. */
export const OPEN: i32 = 3;

/** The values that a word may have: an interval, some known bits, and at most one mask that does not match. */
export class Values {
  private otherMask: u32 = 0;
  private otherBits: u32 = 0;

  constructor(readonly first: u32, readonly last: u32, readonly knownMask: u32, readonly knownBits: u32) {}

  static between(first: u32, last: u32): Values {
    const differing = first ^ last;
    const known: u32 = differing == 0 ? 0xffffffff : ~(0xffffffff >>> clz(differing));
    return new Values(first, last, known, first & known);
  }

  with(mask: u32, bits: u32): Values {
    return new Values(this.first, this.last, this.knownMask | mask, this.knownBits | bits);
  }

  /** `mask` has no known bit. */
  without(mask: u32, bits: u32): Values {
    if (popcnt(mask) == 1) return this.with(mask, ~bits & mask);
    const values = new Values(this.first, this.last, this.knownMask, this.knownBits);
    values.otherMask = mask;
    values.otherBits = bits;
    return values;
  }

  matches(mask: u32, bits: u32): i32 {
    if ((mask & this.knownMask & (bits ^ this.knownBits)) != 0) return FALSE;
    const unknown = mask & ~this.knownMask;
    if (unknown == 0) return TRUE;
    return this.otherMask == unknown && this.otherBits == (bits & unknown) ? FALSE : OPEN;
  }
}
