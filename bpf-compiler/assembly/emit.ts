// @ts-nocheck: AssemblyScript, which asc checks
/**
 * From the graph to instructions.
 *
 * BPF only jumps forward, so the program is written backwards: whatever an instruction needs is there already, and the
 * distance is known. This file alone knows that conditional jumps reach 255 instructions. Where that is not enough a
 * RETURN is repeated, which costs no step, and to anything else a jump is put in between, for all who come later.
 */

import { codeOf, constantOf, falseOf, nodeCount, trueOf } from "./graph.ts";
import { isTest, JUMP, MAX_DISTANCE, MAX_INSTRUCTIONS, RETURN } from "./opcodes.ts";

const NOWHERE: i32 = -1;

/** Backwards, each as code | jt << 16 | jf << 24, and k. */
let heads: u32[] = [];
let constants: u32[] = [];
/** Where a node was written last, counted from the end. */
let positions: StaticArray<i32> = new StaticArray<i32>(0);
/** How many nodes can be reached, some counted twice. */
let sizes: StaticArray<u32> = new StaticArray<u32>(0);

/** The bytes of the program as struct sock_filter, in the byte order of its machine; null if it is too long. */
export function emit(root: u32, bigEndian: bool): ArrayBuffer | null {
  heads = [];
  constants = [];
  positions = new StaticArray<i32>(nodeCount());
  positions.fill(NOWHERE);
  measure();
  if (reachable(root) > MAX_INSTRUCTIONS) return null;
  place(root);
  if (<u32> heads.length > MAX_INSTRUCTIONS) return null;
  return encode(bigEndian);
}

/** A node is younger than its successors, so one pass is enough. */
function measure(): void {
  sizes = new StaticArray<u32>(nodeCount());
  for (let node: u32 = 0; node < nodeCount(); node++) {
    let size: u32 = 1;
    if (codeOf(node) != RETURN) size += unchecked(sizes[trueOf(node)]);
    if (isTest(codeOf(node))) size += unchecked(sizes[falseOf(node)]);
    unchecked(sizes[node] = min<u32>(size, 1 << 20));
  }
}

/** How many instructions there are at least. Not recursive: a chain of rules may be longer than the stack. */
function reachable(root: u32): u32 {
  const seen = new StaticArray<bool>(nodeCount());
  let count: u32 = 0;
  seen[root] = true;
  for (let node = <i32> root; node >= 0; node--) {
    if (!unchecked(seen[node])) continue;
    count++;
    if (codeOf(node) != RETURN) unchecked(seen[trueOf(node)] = true);
    if (isTest(codeOf(node))) unchecked(seen[falseOf(node)] = true);
  }
  return count;
}

function write(code: u32, k: u32, whenTrue: u32 = 0, whenFalse: u32 = 0): i32 {
  heads.push(code | whenTrue << 16 | whenFalse << 24);
  constants.push(k);
  return heads.length - 1;
}

/** How far the instruction that is written next would have to jump. */
function distance(node: u32): u32 {
  return heads.length - 1 - unchecked(positions[node]);
}

function place(node: u32): void {
  if (unchecked(positions[node]) != NOWHERE) return;
  const code = codeOf(node);
  let whenTrue: u32 = 0, whenFalse: u32 = 0;
  if (isTest(code)) {
    placeBoth(trueOf(node), falseOf(node));
    whenTrue = distance(trueOf(node));
    whenFalse = distance(falseOf(node));
  } else if (code != RETURN) {
    place(trueOf(node));
    if (distance(trueOf(node)) != 0) bridge(trueOf(node));
  }
  unchecked(positions[node] = write(code, constantOf(node), whenTrue, whenFalse));
}

/** The larger part first, so that the way past the other one is short. */
function placeBoth(a: u32, b: u32): void {
  const aIsLarger = unchecked(sizes[a]) > unchecked(sizes[b]);
  const far = aIsLarger ? a : b, near = aIsLarger ? b : a;
  place(far);
  place(near);
  // A bridge to one makes the way to the other longer by one.
  while (distance(far) > MAX_DISTANCE || distance(near) > MAX_DISTANCE) {
    bridge(distance(far) > MAX_DISTANCE ? far : near);
  }
}

function bridge(node: u32): void {
  unchecked(
    positions[node] = codeOf(node) == RETURN ? write(RETURN, constantOf(node)) : write(JUMP, distance(node)),
  );
}

function encode(bigEndian: bool): ArrayBuffer {
  const bytes = new ArrayBuffer(heads.length * 8);
  let at = changetype<usize>(bytes);
  for (let i = heads.length - 1; i >= 0; i--, at += 8) {
    const head = heads[i];
    store<u16>(at, bigEndian ? bswap<u16>(<u16> head) : <u16> head);
    store<u16>(at, <u16> (head >> 16), 2);
    store<u32>(at, bigEndian ? bswap<u32>(constants[i]) : constants[i], 4);
  }
  return bytes;
}
