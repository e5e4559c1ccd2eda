/**
 * Runs programs as the kernel does.
 *
 * @module
 */

import { type Instruction, isTest, OPCODES } from "./program.ts";

export interface Run {
  readonly verdict: number;
  /** Executed instructions, by index. */
  readonly path: readonly number[];
}

/** @param words of struct seccomp_data: see callWords() */
export function interpret(program: readonly Instruction[], words: Uint32Array): Run {
  const path: number[] = [];
  const verdict = execute(program, words, (at) => path.push(at));
  return { verdict, path };
}

/** The verdict alone, faster. */
export function verdictFor(program: readonly Instruction[], words: Uint32Array): number {
  return execute(program, words, () => {});
}

function execute(program: readonly Instruction[], words: Uint32Array, visit: (at: number) => void): number {
  let accumulator = 0;
  for (let at = 0;; at++) {
    const { code, jt, jf, k } = program[at]!;
    visit(at);
    if (code === OPCODES.result) return k;
    if (code === OPCODES.load) accumulator = words[k >> 2]!;
    else if (code === OPCODES.loadImmediate) accumulator = k;
    else if (code === OPCODES.and) accumulator = (accumulator & k) >>> 0;
    else if (code === OPCODES.jump) at += k;
    else if (isTest(code)) at += holds(code, accumulator, k) ? jt : jf;
    else throw new Error(`instruction ${at} is unknown: 0x${code.toString(16)}`);
  }
}

export function holds(code: number, accumulator: number, k: number): boolean {
  switch (code) {
    case OPCODES.equal:
      return accumulator === k;
    case OPCODES.greater:
      return accumulator > k;
    case OPCODES.atLeast:
      return accumulator >= k;
    default:
      return (accumulator & k) !== 0;
  }
}

/** Of the kernel's emulator: what it does not understand, or a load of an argument, ends it without an answer. */
const EMULATED: readonly number[] = [
  OPCODES.load,
  OPCODES.result,
  OPCODES.jump,
  OPCODES.equal,
  OPCODES.greater,
  OPCODES.atLeast,
  OPCODES.anyBit,
  OPCODES.and,
];

/**
 * Whether the kernel finds out beforehand that it can always allow a call, and then never runs the program for it: as
 * seccomp_is_const_allow() of Linux 5.11.
 */
export function isCached(program: readonly Instruction[], number: number, auditArch: number): boolean {
  const words = new Uint32Array(16);
  words[0] = number;
  words[1] = auditArch;
  const { verdict, path } = interpret(program, words);
  return verdict === 0x7fff0000 &&
    path.every((at) =>
      EMULATED.includes(program[at]!.code) && !(program[at]!.code === OPCODES.load && program[at]!.k > 4)
    );
}
