/**
 * Programs as text that a person can read.
 *
 * @module
 */

import { abiOfCall } from "./abi.ts";
import { type Instruction, isTest, OPCODES } from "./program.ts";
import { nameOf } from "./syscalls.ts";
import { verdictText } from "./verdict.ts";

const MNEMONICS: Readonly<Record<number, string>> = {
  [OPCODES.equal]: "jeq",
  [OPCODES.greater]: "jgt",
  [OPCODES.atLeast]: "jge",
  [OPCODES.anyBit]: "jset",
};

/** "args[1].high" */
export function wordName(offset: number, bigEndian = false): string {
  if (offset === 0) return "nr";
  if (offset === 4) return "arch";
  const half = (offset % 8 === 0) === bigEndian ? "high" : "low";
  return offset < 16 ? `instruction_pointer.${half}` : `args[${(offset - 16) >> 3}].${half}`;
}

/**
 * One line for each instruction: "  7  jge  #0x40000000  → 120, 8".
 *
 * Names behind the numbers of system calls are those of the architecture that is native to the program: of its first
 * comparison.
 */
export function disassemble(program: readonly Instruction[], { bigEndian = false } = {}): string[] {
  const width = String(program.length - 1).length;
  const names = numberNames(program);
  return program.map((instruction, at) => {
    const { code, jt, jf, k } = instruction;
    const text = isTest(code)
      ? `${MNEMONICS[code]!.padEnd(4)} #${hex(k)}  → ${at + 1 + jt}, ${at + 1 + jf}${names(at, k)}`
      : statement(instruction, at, bigEndian);
    return `${String(at).padStart(width)}  ${text}`;
  });
}

function statement({ code, k }: Instruction, at: number, bigEndian: boolean): string {
  switch (code) {
    case OPCODES.load:
      return `ld   ${wordName(k, bigEndian)}`;
    case OPCODES.loadImmediate:
      return `ld   #${hex(k)}`;
    case OPCODES.and:
      return `and  #${hex(k)}`;
    case OPCODES.jump:
      return `ja   → ${at + 1 + k}`;
    case OPCODES.result:
      return `ret  ${verdictText(k)}`;
    default:
      return `?    0x${code.toString(16)} ${hex(k)}`;
  }
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** What a comparison's constant means, as a comment, found by following the program from its start. */
function numberNames(program: readonly Instruction[]): (at: number, k: number) => string {
  // Before each instruction: the word in the accumulator, and the AUDIT_ARCH_* that has been found out.
  const states: { word?: number; arch?: number }[] = [{}];
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    const state = states[at];
    if (state === undefined || code === OPCODES.result) continue;
    const pass = (to: number, next: typeof state) => states[to] ??= next;
    if (code === OPCODES.load) pass(at + 1, { ...state, word: k });
    else if (code === OPCODES.jump) pass(at + 1 + k, state);
    else if (isTest(code)) {
      const isArch = code === OPCODES.equal && state.word === 4;
      pass(at + 1 + jt, isArch ? { ...state, arch: k } : state);
      pass(at + 1 + jf, state);
    } else pass(at + 1, state);
  }
  return (at, k) => {
    const { word, arch } = states[at] ?? {};
    if (word === 4) return `  ; ${abiOfCall(k, 0)?.name ?? "unknown architecture"}`;
    if (word !== 0 || arch === undefined) return "";
    const abi = abiOfCall(arch, k);
    const name = abi && nameOf(abi.table, k - abi.offset);
    return name === undefined ? "" : `  ; ${name}${abi!.offset ? " (x32)" : ""}`;
  };
}
