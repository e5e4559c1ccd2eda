/**
 * Random policies and calls, the same for the same seed.
 *
 * @module
 */

import { findAbi } from "../../bpf-compiler/abi.ts";
import type { Action, Arg, Call, Entry, Operator, Policy } from "../../bpf-compiler/mod.ts";
import { callsOf, numberOf, syscallNames } from "../../bpf-compiler/syscalls.ts";

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  times<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  uint64(): bigint {
    return BigInt(this.below(2 ** 32)) << 32n | BigInt(this.below(2 ** 32));
  }
}

/** Native architectures, and others that may be in one filter with them. */
const FAMILIES: readonly (readonly string[])[] = [
  ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  ["SCMP_ARCH_S390X"],
  ["SCMP_ARCH_PPC64LE"],
  ["SCMP_ARCH_PPC64", "SCMP_ARCH_PPC"],
  ["SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"],
  ["SCMP_ARCH_RISCV64"],
  ["SCMP_ARCH_LOONGARCH64"],
];
const ACTIONS: readonly Action[] = [
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_LOG",
];
export const OPERATORS: readonly Operator[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];
const VALUES: readonly bigint[] = [
  0n,
  1n,
  2n,
  8n,
  38n,
  40n,
  0x20000n,
  0x7e020000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 32n,
  0x100000005n,
  0x7fffffffffffffffn,
  1n << 63n,
  0xffffffff00000000n,
  0xffffffffffffffffn,
];
/** Names with something special about them, and one that nobody knows. */
const SPECIAL: readonly string[] = [
  "socket",
  "socketcall",
  "send",
  "bind",
  "ipc",
  "semop",
  "shmat",
  "clone",
  "personality",
  "read",
  "rt_sigaction",
  "ioctl",
  "no_such_call",
];

export interface Case {
  readonly policy: Policy;
  readonly native: string;
}

export interface PolicyLimits {
  readonly operators?: readonly Operator[];
  readonly families?: readonly (readonly string[])[];
}

export function randomCase(
  random: Random,
  { operators = OPERATORS, families = FAMILIES }: PolicyLimits = {},
): Case {
  const [native = "", ...others] = random.pick(families);
  // Few different values and names, so that rules meet.
  const names = random.times(1, 4, () => random.pick(random.chance(0.5) ? SPECIAL : syscallNames()));
  const values = random.times(1, 4, () => random.chance(0.7) ? random.pick(VALUES) : random.uint64());
  const defaultAction = random.pick(ACTIONS);
  const policy: Policy = {
    defaultAction,
    ...errno(random, defaultAction, "defaultErrnoRet"),
    architectures: others.filter(() => random.chance(0.6)),
    syscalls: random.times(0, 7, () => randomEntry(random, names, values, operators)),
  };
  return { policy, native };
}

function errno(random: Random, action: Action, member: string): Record<string, number> {
  const takes = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return takes && random.chance(0.5) ? { [member]: random.pick([1, 2, 38, 77]) } : {};
}

function randomEntry(
  random: Random,
  names: readonly string[],
  values: readonly bigint[],
  operators: readonly Operator[],
): Entry {
  const action = random.pick(ACTIONS);
  const many = random.chance(0.15);
  return {
    names: many
      ? random.times(20, 200, () => random.pick(syscallNames()))
      : random.times(1, 3, () => random.pick(names)),
    action,
    ...errno(random, action, "errnoRet"),
    args: random.chance(0.25)
      ? []
      : random.times(1, random.chance(0.8) ? 2 : 6, () => randomArg(random, values, operators)),
  };
}

function randomArg(random: Random, values: readonly bigint[], operators: readonly Operator[]): Arg {
  return {
    index: random.below(random.chance(0.7) ? 2 : 6),
    op: random.pick(operators),
    value: random.pick(values),
    ...(random.chance(0.8) ? { valueTwo: random.pick(values) } : {}),
  };
}

/** Calls around everything that the policy compares, on every ABI that could make them. */
export function* interestingCalls({ policy, native }: Case, random: Random, most: number): Generator<Call> {
  const abis = [...new Set([native, ...policy.architectures ?? []])].map((name) => findAbi(name)!);
  const mentioned = [...new Set((policy.syscalls ?? []).flatMap(({ names }) => names.slice(0, 6)))];
  const data = (policy.syscalls ?? []).flatMap(({ args = [] }) =>
    args.flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo)])
  );
  const around = [
    ...new Set(
      data.flatMap((
        datum,
      ) => [
        datum - 1n,
        datum,
        datum + 1n,
        ~datum,
        datum ^ 0xffffffffn,
        datum + (1n << 32n),
        datum | 1n << 63n,
      ]),
    ),
  ]
    .map((value) => BigInt.asUintN(64, value));
  const argument = () =>
    random.chance(0.8) && around.length > 0
      ? random.pick(around)
      : random.chance(0.5)
      ? BigInt(random.below(26))
      : random.uint64();

  for (let made = 0; made < most; made++) {
    const abi = random.pick(abis);
    const { numbers } = callsOf(abi.table);
    const name = random.pick([...mentioned, "socketcall", "ipc"]);
    const number = random.chance(0.75)
      ? (numberOf(abi.table, name) ?? random.pick(numbers)) + (random.chance(0.1) ? random.pick([-1, 1]) : 0)
      : random.chance(0.5)
      ? random.pick(numbers)
      : random.pick([
        0,
        1000,
        0x3fffffff,
        0x40000000,
        0x7fffffff,
        0x80000000,
        0xbfffffff,
        0xc0000000,
        0xfffffffe,
        0xffffffff,
      ]);
    const offset = abi.offset !== 0 || random.chance(0.05) ? 0x40000000 : 0;
    yield {
      number: (Math.max(0, number) + (number < 0x10000000 ? offset : 0)) >>> 0,
      auditArch: random.chance(0.98) ? abi.auditArch : 0xc00000b7,
      args: Array.from({ length: 6 }, argument),
    };
  }
}
