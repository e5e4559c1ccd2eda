/**
 * The device controller of cgroup v2: an eBPF program of the type BPF_PROG_TYPE_CGROUP_DEVICE that is asked at every
 * open and mknod of a device.
 *
 * @see https://docs.kernel.org/bpf/standardization/instruction-set.html
 * @see struct bpf_cgroup_dev_ctx in linux/bpf.h
 * @module
 */
import type { DeviceCgroup } from "../../runtime/spec/resources.ts";
import { decidesAll, type DeviceRule, fullRule } from "../devices.ts";

/** What makes the program: bytes for bpf(2). */
export type DeviceProgram = (rules: readonly DeviceCgroup[]) => Uint8Array<ArrayBuffer>;

/** BPF_DEVCG_ACC_*, the upper half of access_type. */
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
/** BPF_DEVCG_DEV_*, its lower half. */
const TYPE = { b: 1, c: 2 } as const;

/** Registers: the result, the context, and what we keep there. */
const RESULT = 0;
const CONTEXT = 1;
const WANTED = 2;
const DEVICE_TYPE = 3;
const MAJOR = 4;
const MINOR = 5;

/** Opcodes: class, operation and source. Jumps compare 32 bits, immediates are not sign-extended then. */
const LOAD_WORD = 0x61; // BPF_LDX | BPF_MEM | BPF_W
const MOVE = 0xb4; // BPF_ALU | BPF_MOV | BPF_K
const MOVE_REGISTER = 0xbc; // BPF_ALU | BPF_MOV | BPF_X
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const SHIFT_RIGHT = 0x74; // BPF_ALU | BPF_RSH | BPF_K
const JUMP_IF_NOT_EQUAL = 0x56; // BPF_JMP32 | BPF_JNE | BPF_K
const JUMP_IF_ANY = 0x46; // BPF_JMP32 | BPF_JSET | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const EXIT = 0x95; // BPF_JMP | BPF_EXIT

interface Instruction {
  readonly code: number;
  readonly destination?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
}

/**
 * The last rule that names a device and a kind of access decides on it. So the program goes through the rules from the last
 * to the first, and what is wanted becomes less with each that allows a part of it:
 *
 * ```
 *   type, major, minor, wanted = context
 *   for each rule, from the last:
 *     if it names the device:
 *       allow:  wanted &= ~access; if none is left: return 1
 *       deny:   if wanted & access: return 0
 *   return 0
 * ```
 */
export const deviceProgram: DeviceProgram = (rules) => {
  const full = rules.map(fullRule);
  // Of the rules before one that decides all, none is reached.
  const counting = full.slice(Math.max(full.findLastIndex(decidesAll), 0)).reverse();
  return encode([
    { code: LOAD_WORD, destination: DEVICE_TYPE, source: CONTEXT, offset: 0 },
    { code: MOVE_REGISTER, destination: WANTED, source: DEVICE_TYPE },
    { code: AND, destination: DEVICE_TYPE, immediate: 0xffff },
    { code: SHIFT_RIGHT, destination: WANTED, immediate: 16 },
    { code: LOAD_WORD, destination: MAJOR, source: CONTEXT, offset: 4 },
    { code: LOAD_WORD, destination: MINOR, source: CONTEXT, offset: 8 },
    ...counting.flatMap(ruleCode),
    // The verifier refuses code that cannot be reached.
    ...counting.some(decidesAll) ? [] : answer(false),
  ]);
};

function ruleCode(rule: DeviceRule): Instruction[] {
  const body = decidesAll(rule) ? answer(rule.allow) : rule.allow ? allowCode(rule) : denyCode(rule);
  const tests: [register: number, value: number][] = [];
  if (rule.type !== "a") tests.push([DEVICE_TYPE, TYPE[rule.type]]);
  if (rule.major !== -1) tests.push([MAJOR, rule.major]);
  if (rule.minor !== -1) tests.push([MINOR, rule.minor]);
  return [
    ...tests.map(([destination, immediate], index): Instruction => ({
      code: JUMP_IF_NOT_EQUAL,
      destination,
      immediate,
      offset: tests.length - index - 1 + body.length,
    })),
    ...body,
  ];
}

function allowCode({ access }: DeviceRule): Instruction[] {
  return [
    { code: AND, destination: WANTED, immediate: ~accessBits(access) },
    { code: JUMP_IF_NOT_EQUAL, destination: WANTED, immediate: 0, offset: 2 },
    ...answer(true),
  ];
}

function denyCode({ access }: DeviceRule): Instruction[] {
  return [
    { code: JUMP_IF_ANY, destination: WANTED, immediate: accessBits(access), offset: 1 },
    { code: JUMP, offset: 2 },
    ...answer(false),
  ];
}

function answer(allow: boolean): Instruction[] {
  return [{ code: MOVE, destination: RESULT, immediate: allow ? 1 : 0 }, { code: EXIT }];
}

function accessBits(access: string): number {
  return [...access].reduce((bits, letter) => bits | ACCESS[letter]!, 0);
}

/** struct bpf_insn: code, destination and source in a byte, offset, immediate. */
function encode(instructions: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, destination = 0, source = 0, offset = 0, immediate = 0 }, index) => {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, destination | source << 4);
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, immediate, true);
  });
  return bytes;
}
