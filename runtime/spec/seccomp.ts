/**
 * config.json `/linux/seccomp`.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
 * @module
 */

import {
  array,
  type Check,
  type Fault,
  integer,
  object,
  oneOf,
  refuse,
  text,
  texts,
  uint16,
  uint64,
} from "./check.ts";
import type { Integer } from "./json.ts";

/** The system calls that the process may make. */
export interface Seccomp {
  readonly defaultAction: SeccompAction;
  /** The errno of defaultAction. Absent: EPERM. */
  readonly defaultErrnoRet?: number;
  /** ABIs beside the native one. */
  readonly architectures?: readonly SeccompArch[];
  /** Absent is not empty: runc then sets SECCOMP_FILTER_FLAG_SPEC_ALLOW. */
  readonly flags?: readonly SeccompFlag[];
  /** The Unix socket that gets the descriptor of SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string;
  /** Opaque text for the listener. */
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompSyscall[];
}

/** One rule: what to do with these calls, if all args match. */
export interface SeccompSyscall {
  /** Never empty. Names unknown to the compiler are skipped. */
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** The errno (SCMP_ACT_ERRNO) or message (SCMP_ACT_TRACE). Absent: EPERM. */
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
}

/** One comparison of an argument, as unsigned 64-bit. */
export interface SeccompArg {
  /** 0 to 5. */
  readonly index: number;
  /** The datum, or the mask of SCMP_CMP_MASKED_EQ. */
  readonly value: Integer;
  /** The datum of SCMP_CMP_MASKED_EQ: `(argument & value) == valueTwo`. Absent: 0. */
  readonly valueTwo?: Integer;
  readonly op: SeccompOperator;
}

export type SeccompAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

export type SeccompOperator =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/** The flags of seccomp(2). */
export type SeccompFlag =
  | "SECCOMP_FILTER_FLAG_TSYNC"
  | "SECCOMP_FILTER_FLAG_LOG"
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
  | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

/** The ABIs of libseccomp's seccomp_arch_add(3). */
export type SeccompArch =
  | "SCMP_ARCH_X86"
  | "SCMP_ARCH_X86_64"
  | "SCMP_ARCH_X32"
  | "SCMP_ARCH_ARM"
  | "SCMP_ARCH_AARCH64"
  | "SCMP_ARCH_LOONGARCH64"
  | "SCMP_ARCH_M68K"
  | "SCMP_ARCH_MIPS"
  | "SCMP_ARCH_MIPS64"
  | "SCMP_ARCH_MIPS64N32"
  | "SCMP_ARCH_MIPSEL"
  | "SCMP_ARCH_MIPSEL64"
  | "SCMP_ARCH_MIPSEL64N32"
  | "SCMP_ARCH_PPC"
  | "SCMP_ARCH_PPC64"
  | "SCMP_ARCH_PPC64LE"
  | "SCMP_ARCH_S390"
  | "SCMP_ARCH_S390X"
  | "SCMP_ARCH_SH"
  | "SCMP_ARCH_SHEB"
  | "SCMP_ARCH_PARISC"
  | "SCMP_ARCH_PARISC64"
  | "SCMP_ARCH_RISCV64";

const action = oneOf<SeccompAction>(
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
);

const operator = oneOf<SeccompOperator>(
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
);

const flag = oneOf<SeccompFlag>(
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
);

const architecture = oneOf<SeccompArch>(
  "SCMP_ARCH_X86",
  "SCMP_ARCH_X86_64",
  "SCMP_ARCH_X32",
  "SCMP_ARCH_ARM",
  "SCMP_ARCH_AARCH64",
  "SCMP_ARCH_LOONGARCH64",
  "SCMP_ARCH_M68K",
  "SCMP_ARCH_MIPS",
  "SCMP_ARCH_MIPS64",
  "SCMP_ARCH_MIPS64N32",
  "SCMP_ARCH_MIPSEL",
  "SCMP_ARCH_MIPSEL64",
  "SCMP_ARCH_MIPSEL64N32",
  "SCMP_ARCH_PPC",
  "SCMP_ARCH_PPC64",
  "SCMP_ARCH_PPC64LE",
  "SCMP_ARCH_S390",
  "SCMP_ARCH_S390X",
  "SCMP_ARCH_SH",
  "SCMP_ARCH_SHEB",
  "SCMP_ARCH_PARISC",
  "SCMP_ARCH_PARISC64",
  "SCMP_ARCH_RISCV64",
);

/** config-linux.md#seccomp: an errno for an action that does not return one must be an error. */
function checkErrno(action: SeccompAction, errno: number | undefined, member: string): Fault | undefined {
  if (errno !== undefined && action !== "SCMP_ACT_ERRNO" && action !== "SCMP_ACT_TRACE") {
    return refuse(errno, `must be absent with ${action}`, `/${member}`);
  }
}

const syscall = object<SeccompSyscall>(
  {
    names: texts,
    action,
    errnoRet: uint16, // SECCOMP_RET_DATA
    args: array(
      object<SeccompArg>(
        { index: integer(0, 5), value: uint64, valueTwo: uint64, op: operator },
        ["index", "value", "op"],
      ),
    ),
  },
  ["names", "action"],
  ({ names, action, errnoRet }) =>
    names.length === 0
      ? { pointer: "/names", problem: "must not be empty" }
      : checkErrno(action, errnoRet, "errnoRet"),
);

export const checkSeccomp: Check = object<Seccomp>(
  {
    defaultAction: action,
    defaultErrnoRet: uint16,
    architectures: array(architecture),
    flags: array(flag),
    listenerPath: text,
    listenerMetadata: text,
    syscalls: array(syscall),
  },
  ["defaultAction"],
  ({ defaultAction, defaultErrnoRet, listenerPath, listenerMetadata, syscalls = [] }) => {
    if (!listenerPath && syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY")) {
      return { pointer: "/listenerPath", problem: "must be set for SCMP_ACT_NOTIFY" };
    }
    if (listenerMetadata && !listenerPath) {
      return refuse(listenerMetadata, "must be absent without listenerPath", "/listenerMetadata");
    }
    return checkErrno(defaultAction, defaultErrnoRet, "defaultErrnoRet");
  },
);
