/**
 * The part of OCI's `linux.seccomp` that a program is compiled from, and what may be wrong with it.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
 * @module
 */

export interface Policy {
  readonly defaultAction: Action;
  /** The errno of defaultAction. Absent: EPERM. */
  readonly defaultErrnoRet?: number;
  /** ABIs beside the native one. */
  readonly architectures?: readonly Architecture[];
  /** Absent is not empty: runc then sets SECCOMP_FILTER_FLAG_SPEC_ALLOW. */
  readonly flags?: readonly Flag[];
  readonly syscalls?: readonly Entry[];
}

/** One entry of `syscalls`: what to do with these calls, if all args match. */
export interface Entry {
  readonly names: readonly string[];
  readonly action: Action;
  /** The errno (SCMP_ACT_ERRNO) or message (SCMP_ACT_TRACE). Absent: EPERM. */
  readonly errnoRet?: number;
  readonly args?: readonly Arg[];
}

/** One comparison of an argument, as unsigned 64-bit. */
export interface Arg {
  /** 0 to 5. */
  readonly index: number;
  /** The datum, or the mask of SCMP_CMP_MASKED_EQ. */
  readonly value: number | bigint;
  /** The datum of SCMP_CMP_MASKED_EQ: `(argument & value) == (valueTwo & value)`. Absent: 0. */
  readonly valueTwo?: number | bigint;
  readonly op: Operator;
}

export type Action =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

export type Operator =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

export type Flag =
  | "SECCOMP_FILTER_FLAG_TSYNC"
  | "SECCOMP_FILTER_FLAG_LOG"
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
  | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

/** "SCMP_ARCH_X86_64". Text, because what the list may hold depends on the version of OCI: see findAbi(). */
export type Architecture = string;

/** Something about a policy that its author should know. */
export interface Diagnostic {
  readonly severity: "warning" | "note";
  /** A short word that never changes: "unknown-name". */
  readonly code: string;
  /** RFC 6901, within the policy: "/syscalls/3/args/0". */
  readonly pointer: string;
  readonly message: string;
}

/** The policy cannot be compiled. The message is one line and says what is allowed. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** RFC 6901, within the policy. */
  readonly pointer: string;
  /** What is wrong, without the place. */
  readonly problem: string;

  constructor(pointer: string, problem: string) {
    super(`${pointer === "" ? "policy" : pointer}: ${problem}`);
    this.pointer = pointer;
    this.problem = problem;
  }
}
