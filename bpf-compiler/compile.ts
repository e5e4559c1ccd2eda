/**
 * From a policy to a program, by the module that is built from `assembly/`.
 *
 * @module
 */

import { WEIGHTS } from "./generated/weights.ts";
import { lower } from "./lower.ts";
import { type Costs, encodeMessage } from "./message.ts";
import { type Diagnostic, type Policy, PolicyError } from "./policy.ts";
import { FLAGS, validate } from "./validate.ts";

export interface CompileOptions {
  /** The machine's architecture ("SCMP_ARCH_X86_64", or "x86_64"): part of every filter of runc. Absent: only those listed. */
  readonly native?: string;
  /** "runc": its rules, exactly. "strict": config-linux.md as it stands. See `lower.ts`. Default "runc". */
  readonly semantics?: "runc" | "strict";
  /** Few instructions, few steps for each system call, or few steps for the usual mix of them. Default "weighted". */
  readonly objective?: Objective;
  /** For "weighted": of a million calls, how many are this one. Absent: measured with usual programs. */
  readonly weights?: Readonly<Record<string, number>>;
  /** What a number above all that the policy names returns, if the default action denies. Default "enosys", as runc. */
  readonly newer?: "enosys" | "default";
}

export type Objective = "size" | "uniform" | "weighted";

export interface Compiled {
  /** An array of struct sock_filter, in the byte order of its architecture. */
  readonly program: Uint8Array<ArrayBuffer>;
  /** SECCOMP_FILTER_FLAG_*, for seccomp(2). The caller adds NEW_LISTENER. */
  readonly flags: number;
  /** A call may be answered by SECCOMP_RET_USER_NOTIF, which needs a listener. */
  readonly notifies: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly stats: CompileStats;
}

export interface CompileStats {
  readonly instructions: number;
  /** The program does what the policy says for every call there is. False: that would have taken too long to prove. */
  readonly proven: boolean;
}

/** Two programs compared. */
export type Comparison =
  | { readonly result: "equivalent" | "undecided" }
  | { readonly result: "different"; readonly example: CounterExample };

/** A call on which two programs differ. */
export interface CounterExample {
  /** struct seccomp_data, little-endian. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly first: number;
  readonly second: number;
}

/** What the module exports: see `assembly/index.ts`. */
export interface CompilerModule {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  compile(message: number): number;
  compare(programs: number, firstCount: number, secondCount: number): number;
  output(): number;
  outputLength(): number;
}

/** 14 tests of the number are 19 instructions. */
const COSTS: Readonly<Record<Objective, Costs>> = {
  size: { price: 4e6, longestWay: 0xffffffff },
  uniform: { price: 5e3, longestWay: 14 },
  weighted: { price: 5e3, longestWay: 14 },
};

// assembly/index.ts and assembly/equivalence.ts
const EQUIVALENT = 0;
const DIFFERENT = 1;
const UNDECIDED = 2;
const TOO_LONG = 16;
const NOT_A_PROGRAM = 17;

const SECCOMP_DATA_SIZE = 64;
const INSTRUCTION_SIZE = 8;
/** SECCOMP_FILTER_FLAG_SPEC_ALLOW, which runc sets where a policy has no flags. */
const DEFAULT_FLAGS = 4;

/** @throws PolicyError if the policy is wrong, or its program longer than the kernel allows */
export function compile(module: CompilerModule, policy: unknown, options: CompileOptions = {}): Compiled {
  const { native, semantics = "runc", objective = "weighted", weights = WEIGHTS, newer = "enosys" } = options;
  const strict = semantics === "strict";
  validate(policy, { strict });

  const diagnostics: Diagnostic[] = [];
  const lowered = lower(policy, {
    native,
    strict,
    enosys: newer === "enosys" && !allows(policy),
    weights: objective === "weighted" ? weights : "uniform",
  }, (found) => diagnostics.push(found));

  const message = encodeMessage(lowered, COSTS[objective]);
  const at = module.allocate(message.byteLength);
  new Uint32Array(module.memory.buffer, at, message.length).set(message);
  const result = module.compile(at);
  if (result === TOO_LONG) {
    throw new PolicyError("", "needs more than the 4096 instructions that seccomp(2) takes");
  }
  if (result !== EQUIVALENT && result !== UNDECIDED) {
    throw new Error(`seccomp compiler: the program does not do what its policy says (${result})`);
  }
  const program = new Uint8Array(module.memory.buffer, module.output(), module.outputLength()).slice();
  return {
    program,
    flags: flagsOf(policy),
    notifies: (policy.syscalls ?? []).some(({ action }) => action === "SCMP_ACT_NOTIFY"),
    diagnostics,
    stats: { instructions: program.length / INSTRUCTION_SIZE, proven: result === EQUIVALENT },
  };
}

/** runc isAllowAction: calls that nobody knows are then let through, and the kernel says ENOSYS itself. */
function allows({ defaultAction }: Policy): boolean {
  return ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(defaultAction);
}

function flagsOf({ flags }: Policy): number {
  return flags?.reduce((all, flag) => all | FLAGS[flag]!, 0) ?? DEFAULT_FLAGS;
}

/**
 * Whether two little-endian programs return the same for every call there is.
 *
 * @throws PolicyError if one has instructions that no seccomp compiler emits
 */
export function comparePrograms(module: CompilerModule, first: Uint8Array, second: Uint8Array): Comparison {
  const at = module.allocate(first.length + second.length);
  const buffer = new Uint8Array(module.memory.buffer, at);
  buffer.set(first);
  buffer.set(second, first.length);
  const result = module.compare(at, first.length / INSTRUCTION_SIZE, second.length / INSTRUCTION_SIZE);
  if (result === NOT_A_PROGRAM) {
    throw new PolicyError("", "cannot compare programs with other instructions than ours");
  }
  if (result !== DIFFERENT) return { result: result === EQUIVALENT ? "equivalent" : "undecided" };
  const example = new Uint8Array(module.memory.buffer, module.output(), module.outputLength()).slice();
  const verdicts = new DataView(example.buffer, SECCOMP_DATA_SIZE);
  return {
    result: "different",
    example: {
      data: example.subarray(0, SECCOMP_DATA_SIZE),
      first: verdicts.getUint32(0, true),
      second: verdicts.getUint32(4, true),
    },
  };
}
