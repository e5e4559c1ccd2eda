/**
 * Programs as instructions: struct sock_filter, and the words of struct seccomp_data that they look at.
 *
 * @see linux/filter.h, linux/seccomp.h
 * @module
 */

import { PolicyError } from "./policy.ts";

export interface Instruction {
  readonly code: number;
  /** How many instructions to skip if a test is true, and if it is false. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const INSTRUCTION_SIZE = 8;

/** BPF_MAXINSNS */
export const MAX_INSTRUCTIONS = 4096;

/** The instructions that seccomp(2) takes and some compiler emits. */
export const OPCODES = {
  load: 0x20,
  loadImmediate: 0x00,
  jump: 0x05,
  equal: 0x15,
  greater: 0x25,
  atLeast: 0x35,
  anyBit: 0x45,
  and: 0x54,
  result: 0x06,
} as const;

/** What a load gets: struct seccomp_data. */
export interface Call {
  readonly number: number;
  readonly auditArch: number;
  readonly instructionPointer?: bigint;
  /** At most six. */
  readonly args: readonly bigint[];
}

export function decodeProgram(bytes: Uint8Array, { bigEndian = false } = {}): Instruction[] {
  if (bytes.length === 0 || bytes.length % INSTRUCTION_SIZE !== 0) {
    throw new PolicyError(
      "",
      `is no BPF program: ${bytes.length} bytes, and an instruction has ${INSTRUCTION_SIZE}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, at) => ({
    code: view.getUint16(at * INSTRUCTION_SIZE, !bigEndian),
    jt: view.getUint8(at * INSTRUCTION_SIZE + 2),
    jf: view.getUint8(at * INSTRUCTION_SIZE + 3),
    k: view.getUint32(at * INSTRUCTION_SIZE + 4, !bigEndian),
  }));
}

export function encodeProgram(
  program: readonly Instruction[],
  { bigEndian = false } = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, at) => {
    view.setUint16(at * INSTRUCTION_SIZE, code, !bigEndian);
    view.setUint8(at * INSTRUCTION_SIZE + 2, jt);
    view.setUint8(at * INSTRUCTION_SIZE + 3, jf);
    view.setUint32(at * INSTRUCTION_SIZE + 4, k, !bigEndian);
  });
  return bytes;
}

/** What the kernel's checks say against a program (bpf_check_classic, seccomp_check_filter); undefined if nothing. */
export function refusal(program: readonly Instruction[]): string | undefined {
  if (program.length > MAX_INSTRUCTIONS) {
    return `has ${program.length} instructions, and the kernel takes 4096`;
  }
  const known: readonly number[] = Object.values(OPCODES);
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    if (!known.includes(code)) return `instruction ${at} is unknown: 0x${code.toString(16)}`;
    if (code === OPCODES.load && (k % 4 !== 0 || k >= 64)) return `instruction ${at} loads from offset ${k}`;
    const furthest = code === OPCODES.jump ? k : isTest(code) ? Math.max(jt, jf) : 0;
    if (code !== OPCODES.result && at + 1 + furthest >= program.length) {
      return `instruction ${at} leads out of the program`;
    }
  }
  return undefined;
}

export function isTest(code: number): boolean {
  return code === OPCODES.equal || code === OPCODES.greater || code === OPCODES.atLeast ||
    code === OPCODES.anyBit;
}

/** The words of struct seccomp_data, by offset / 4. */
export function callWords(
  { number, auditArch, instructionPointer = 0n, args }: Call,
  bigEndian = false,
): Uint32Array {
  const words = new Uint32Array(16);
  words[0] = number;
  words[1] = auditArch;
  const put = (at: number, value: bigint) => {
    words[at + (bigEndian ? 1 : 0)] = Number(value & 0xffffffffn);
    words[at + (bigEndian ? 0 : 1)] = Number((value >> 32n) & 0xffffffffn);
  };
  put(2, instructionPointer);
  args.forEach((arg, at) => put(4 + 2 * at, arg));
  return words;
}
