// @ts-nocheck: AssemblyScript, which asc checks
/**
 * Programs under construction: a graph of immutable nodes that are made from their successors.
 *
 * A node is one instruction and stands for a function of the accumulator and seccomp_data. Equal nodes are one node, so
 * equal tails of a program are shared without looking for them. That is always right: what a node needs in the
 * accumulator, its predecessors load by a node of their own.
 */

import { AND, EQUAL, LOAD, RETURN } from "./opcodes.ts";

export const NO_NODE: u32 = 0xffffffff;

let codes: u32[] = [];
let constants: u32[] = [];
let whenTrue: u32[] = [];
let whenFalse: u32[] = [];
/** Open addressing; a power of two. Holds node + 1. */
let table: StaticArray<u32> = new StaticArray<u32>(0);

/** Forgets all nodes. */
export function resetGraph(): void {
  codes = [];
  constants = [];
  whenTrue = [];
  whenFalse = [];
  table = new StaticArray<u32>(2048);
}

export function nodeCount(): u32 {
  return codes.length;
}

export function codeOf(node: u32): u32 {
  return unchecked(codes[node]);
}

export function constantOf(node: u32): u32 {
  return unchecked(constants[node]);
}

/** The successor of a load or an AND, and of a test that is true. */
export function trueOf(node: u32): u32 {
  return unchecked(whenTrue[node]);
}

export function falseOf(node: u32): u32 {
  return unchecked(whenFalse[node]);
}

export function result(verdict: u32): u32 {
  return intern(RETURN, verdict, NO_NODE, NO_NODE);
}

export function load(offset: u32, next: u32): u32 {
  return intern(LOAD, offset, next, NO_NODE);
}

export function and(mask: u32, next: u32): u32 {
  return intern(AND, mask, next, NO_NODE);
}

export function test(code: u32, k: u32, yes: u32, no: u32): u32 {
  return yes == no ? yes : intern(code, k, yes, no);
}

export function testEqual(k: u32, yes: u32, no: u32): u32 {
  return test(EQUAL, k, yes, no);
}

function hash(code: u32, k: u32, yes: u32, no: u32): u32 {
  let h = code * 0x9e3779b1;
  h = (h ^ k) * 0x85ebca6b;
  h = (h ^ (h >> 15) ^ yes) * 0xc2b2ae35;
  h = (h ^ (h >> 13) ^ no) * 0x27d4eb2f;
  return h ^ (h >> 16);
}

function intern(code: u32, k: u32, yes: u32, no: u32): u32 {
  if (<u32> codes.length * 2 >= <u32> table.length) grow();
  const last = <u32> table.length - 1;
  let at = hash(code, k, yes, no) & last;
  while (true) {
    const found = unchecked(table[at]);
    if (found == 0) break;
    const node = found - 1;
    if (
      unchecked(constants[node]) == k && unchecked(codes[node]) == code &&
      unchecked(whenTrue[node]) == yes && unchecked(whenFalse[node]) == no
    ) return node;
    at = (at + 1) & last;
  }
  const node: u32 = codes.length;
  codes.push(code);
  constants.push(k);
  whenTrue.push(yes);
  whenFalse.push(no);
  unchecked(table[at] = node + 1);
  return node;
}

function grow(): void {
  const larger = new StaticArray<u32>(table.length * 2);
  const last = <u32> larger.length - 1;
  for (let node: u32 = 0; node < <u32> codes.length; node++) {
    let at = hash(codes[node], constants[node], whenTrue[node], whenFalse[node]) & last;
    while (larger[at] != 0) at = (at + 1) & last;
    larger[at] = node + 1;
  }
  table = larger;
}
