/**
 * The block format of LZ4, for a decoder of sixty bytes: loader_<cpu>.S.
 *
 * ```
 *   token         literals << 4 | (match - 4), 15 in either half: more bytes follow, to be added, until one is below 255
 *   literals
 *   u16 offset    how far back the match begins; it may reach into itself
 * ```
 * A block ends behind literals, of which there may be none.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 * @module
 */

const MIN_MATCH = 4;
const MAX_OFFSET = 65535;
/** How many earlier places with the same first bytes are compared. */
const TRIES = 256;

/** Packs `bytes`, which are not empty. It looks long for the longest matches: this is done once, and read often. */
export function packLz4(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  /** By the first four bytes of it, the last place; and the one before each place. */
  const last = new Map<number, number>();
  const previous = new Int32Array(bytes.length).fill(-1);
  let literals = 0;
  let next = 0;

  const remember = (until: number) => {
    for (; next < until && next + MIN_MATCH <= bytes.length; next++) {
      const key = keyAt(bytes, next);
      previous[next] = last.get(key) ?? -1;
      last.set(key, next);
    }
  };
  for (let at = 0; at + MIN_MATCH <= bytes.length;) {
    const found = longest(at);
    // One byte later there may be a better one.
    if (found.length < MIN_MATCH || longest(at + 1).length > found.length) {
      at++;
      continue;
    }
    sequence(out, bytes.subarray(literals, at), found);
    at += found.length;
    literals = at;
  }
  sequence(out, bytes.subarray(literals));
  return new Uint8Array(out);

  function longest(at: number): Match {
    let best = { offset: 0, length: 0 };
    if (at + MIN_MATCH > bytes.length) return best;
    remember(at);
    let candidate = last.get(keyAt(bytes, at)) ?? -1;
    for (let tries = 0; tries < TRIES && candidate >= 0 && at - candidate <= MAX_OFFSET; tries++) {
      // `remember` for at + 1 has put us among the candidates.
      if (candidate < at) {
        let length = 0;
        while (at + length < bytes.length && bytes[candidate + length] === bytes[at + length]) length++;
        if (length > best.length) best = { offset: at - candidate, length };
      }
      candidate = previous[candidate]!;
    }
    return best;
  }
}

interface Match {
  readonly offset: number;
  readonly length: number;
}

function keyAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}

function sequence(out: number[], literals: Uint8Array, match?: Match): void {
  const extra = match === undefined ? 0 : match.length - MIN_MATCH;
  out.push(Math.min(literals.length, 15) << 4 | Math.min(extra, 15));
  lengthBytes(out, literals.length);
  out.push(...literals);
  if (match === undefined) return;
  out.push(match.offset & 255, match.offset >> 8);
  lengthBytes(out, extra);
}

function lengthBytes(out: number[], length: number): void {
  for (let rest = length - 15; rest >= 0; rest -= 255) out.push(Math.min(rest, 255));
}
