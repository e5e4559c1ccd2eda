/**
 * config.json `/process`, which is also what `exec --process` reads.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md#process
 * @module
 */

import {
  array,
  boolean,
  type Check,
  distinct,
  type Fault,
  id,
  integer,
  object,
  quote,
  refuse,
  text,
  texts,
  textThat,
  uint16,
  uint64,
} from "./check.ts";
import type { Integer } from "./json.ts";
import {
  checkExecCPUAffinity,
  checkIOPriority,
  checkScheduler,
  type CPUAffinity,
  type IOPriority,
  type Scheduler,
} from "./scheduling.ts";

/** The program to run and the attributes of its process. */
export interface Process {
  /** Attach a new pseudoterminal to the standard streams. */
  readonly terminal?: boolean;
  /** Ignored without a terminal. */
  readonly consoleSize?: Box;
  /** Root, if config.json has none. */
  readonly user: User;
  /** As execvp(3): argv[0] included, never empty. */
  readonly args: readonly string[];
  /** As environ(7): "KEY=value". */
  readonly env?: readonly string[];
  /** Working directory: an absolute path in the container. */
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly Rlimit[];
  /** PR_SET_NO_NEW_PRIVS. */
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  /** -1000 to 1000. Absent: inherited, not 0. */
  readonly oomScoreAdj?: number;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: IOPriority;
  /** Only for `exec`. */
  readonly execCPUAffinity?: CPUAffinity;
}

/** The size of a terminal, in characters. */
export interface Box {
  readonly height: number;
  readonly width: number;
}

/** Whom the process runs as, in the container's user namespace. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /** 0 to 0o777. */
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** Sets of names such as "CAP_CHOWN". Unknown names are valid here: the runtime warns and ignores them. */
export interface Capabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

const RLIMIT_TYPES = [
  "RLIMIT_AS",
  "RLIMIT_CORE",
  "RLIMIT_CPU",
  "RLIMIT_DATA",
  "RLIMIT_FSIZE",
  "RLIMIT_LOCKS",
  "RLIMIT_MEMLOCK",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_NOFILE",
  "RLIMIT_NPROC",
  "RLIMIT_RSS",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
  "RLIMIT_SIGPENDING",
  "RLIMIT_STACK",
] as const;

/** The resources of getrlimit(2). */
export type RlimitType = typeof RLIMIT_TYPES[number];

/** One setrlimit(2). RLIM_INFINITY is 2^64 - 1. */
export interface Rlimit {
  readonly type: RlimitType;
  readonly soft: Integer;
  readonly hard: Integer;
}

const rlimitType: Check = (value) => {
  if (RLIMIT_TYPES.includes(value as RlimitType)) return;
  const name = quote(value).replaceAll('"', "");
  return { pointer: "", problem: `wrong rlimit value: ${name}, must be one of ${RLIMIT_TYPES.join(", ")}` };
};

const rlimits = array(
  object<Rlimit>(
    { type: rlimitType, soft: uint64, hard: uint64 },
    ["type", "soft", "hard"],
    ({ soft, hard }) => {
      if (soft > hard) return refuse(soft, `must be at most the hard limit, ${hard}`, "/soft"); // EINVAL of setrlimit(2)
    },
  ),
  distinct("type"),
);

export const checkProcess: Check = object<Process>(
  {
    terminal: boolean,
    consoleSize: object<Box>({ height: uint16, width: uint16 }, ["height", "width"]),
    user: object<User>(
      { uid: id, gid: id, umask: integer(0, 0o777), additionalGids: array(id) },
      [],
      (user) => void Object.assign(user, { uid: user.uid ?? 0, gid: user.gid ?? 0 }),
    ),
    args: texts,
    env: array(textThat('must be "NAME=value" with a name', (variable) => variable.indexOf("=") > 0)),
    cwd: text,
    capabilities: object<Capabilities>({
      bounding: texts,
      effective: texts,
      inheritable: texts,
      permitted: texts,
      ambient: texts,
    }),
    rlimits,
    noNewPrivileges: boolean,
    apparmorProfile: text,
    selinuxLabel: text,
    oomScoreAdj: integer(-1000, 1000),
    scheduler: checkScheduler,
    ioPriority: checkIOPriority,
    execCPUAffinity: checkExecCPUAffinity,
  },
  [],
  processRule,
);

/** The members without which nothing can run, in the words of runc, and the user that it assumes. */
function processRule(process: Process): Fault | undefined {
  const { cwd, args } = process;
  if (!cwd) return { pointer: "/cwd", problem: "Cwd property must not be empty" };
  if (!cwd.startsWith("/")) return refuse(cwd, "Cwd must be an absolute path", "/cwd");
  if (!args?.length) return { pointer: "/args", problem: "args must not be empty" };
  if (process.user === undefined) Object.assign(process, { user: { uid: 0, gid: 0 } });
}
