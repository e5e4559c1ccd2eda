/**
 * The four kinds of node that a plan is made of, and the arguments that a step can take.
 *
 * A plan is a value: it can be printed, compared with a golden file, checked by rules and made to fail at any step,
 * without root and without a kernel. `runtime/init/encode.ts` turns it to bytes; the stub runs those.
 *
 * @module
 */
import type { Pointer } from "../errors.ts";
import type { ErrnoName } from "../linux/generated/errno.ts";
import type { SyscallName } from "../linux/generated/syscalls.ts";
import type { StructName } from "./struct.ts";

/** The result of an earlier step, kept under a name: `$root`. `$status`, `$listen` and `$barrier` are inherited descriptors. */
export type SlotName = `$${string}`;

/** The value of a slot at the time the step runs. */
export interface SlotArg {
  readonly slot: SlotName;
}

/** A pointer to a structure of the kernel's, by its kernel name, with its members by their names. */
export interface StructArg {
  readonly struct: StructName;
  readonly members: Readonly<Record<string, number | bigint | Uint8Array>>;
}

/** A pointer to a NULL-terminated array of strings, as execve(2) takes argv and envp. */
export interface StringsArg {
  readonly strings: readonly (string | LateArg)[];
}

/**
 * A string that only the live container can answer, at most {@linkcode LATE_BYTES} long. The runtime writes it while
 * the init waits at the barrier `ready`.
 */
export interface LateArg {
  readonly late: LateName;
}
export type LateName = "executable" | "HOME";

/** Space for one late string with its NUL: PATH_MAX. */
export const LATE_BYTES = 4096;

/** A pointer to so many bytes that the kernel writes and nobody reads. */
export interface BufferArg {
  readonly buffer: number;
}

/** A number is passed as it is, a string as a pointer to its NUL-terminated bytes, null as 0. */
export type Arg =
  | number
  | bigint
  | string
  | Uint8Array
  | null
  | SlotArg
  | StructArg
  | StringsArg
  | LateArg
  | BufferArg;

/** Why a step is there: what a person reads, and the member of config.json that asked for it. */
export interface Reason {
  /** "mount tmpfs on /dev" */
  readonly label: string;
  readonly pointer: Pointer;
}

/** One system call of the init program. See syscalls(2). */
export interface Step extends Reason {
  readonly kind: "step";
  readonly call: SyscallName;
  /** At most six. */
  readonly args: readonly Arg[];
  /** Keep the result under this name. */
  readonly save?: SlotName;
}

/** Runs `step`, then `then`; or `otherwise` if it fails with an errno of `on`. Both rejoin after the attempt. */
export interface Attempt {
  readonly kind: "attempt";
  readonly step: Step;
  /** At most {@linkcode MAX_ERRNOS}. Any other errno ends the plan. */
  readonly on: readonly ErrnoName[];
  readonly then: readonly Node[];
  readonly otherwise: readonly Node[];
}
export const MAX_ERRNOS = 6;

export type BarrierName = "cgroup" | "namespaces" | "mounted" | "ready" | "start" | "listener";

/**
 * Tell the runtime that we are here, and wait for it. If the runtime has died, the program ends; but at `start` it waits
 * for the next runtime, which connects to `$listen`: the one that creates a container need not be the one that starts it.
 */
export interface Barrier extends Reason {
  readonly kind: "barrier";
  readonly name: BarrierName;
}

/** clone(2). The child goes on with the next node; the parent's part of the plan is over and it exits with 0. */
export interface Fork extends Reason {
  readonly kind: "fork";
  readonly flags: number;
  /** Run by the child, which then exits with 0. Then it is the parent who goes on with the next node. */
  readonly child?: readonly Node[];
  /** The descriptor of the cgroup that the child is made in: CLONE_INTO_CGROUP. */
  readonly cgroup?: number;
  /** Keeps the child's pid, as the parent sees it. */
  readonly save: SlotName;
}

export type Node = Step | Attempt | Barrier | Fork;

/** A container as data: everything its init will do, in order. */
export type Plan = readonly Node[];

/** Makes a {@linkcode Step}. */
export function step(reason: Reason, call: SyscallName, args: readonly Arg[], save?: SlotName): Step {
  return { kind: "step", call, args, label: reason.label, pointer: reason.pointer, ...(save && { save }) };
}

/** Runs `tried`; an errno of `on` is no failure. Say beside the call why it is not. */
export function tolerate(tried: Step, on: readonly ErrnoName[]): Attempt {
  return { kind: "attempt", step: tried, on, then: [], otherwise: [] };
}

/** Runs `tried` and then `then`, or `otherwise` after an errno of `on`. */
export function attempt(
  tried: Step,
  on: readonly ErrnoName[],
  branches: { readonly then?: readonly Node[]; readonly otherwise?: readonly Node[] },
): Attempt {
  return { kind: "attempt", step: tried, on, then: branches.then ?? [], otherwise: branches.otherwise ?? [] };
}

/** Makes a {@linkcode Barrier}. */
export function barrier(name: BarrierName, label: string): Barrier {
  return { kind: "barrier", name, label, pointer: "runtime" };
}

/** The value of `name` when the step runs. */
export function slot(name: SlotName): SlotArg {
  return { slot: name };
}
