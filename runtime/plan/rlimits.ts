/**
 * process.rlimits, and the limit that Deno changed.
 *
 * @see getrlimit(2), config.md#posix-process
 * @module
 */
import {
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_LOCKS,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RSS,
  RLIMIT_RTPRIO,
  RLIMIT_RTTIME,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
} from "../linux/generated/constants.ts";
import type { Config, Process, RlimitType } from "../spec/config.ts";
import type { Integer } from "../spec/json.ts";
import type { Host } from "./host.ts";
import { namespace } from "./namespaces.ts";
import { type Node, type Reason, step } from "./node.ts";

/** By name. All of them: a namespace import would bring every constant of the kernel into the program. */
const RESOURCES: Readonly<Record<RlimitType, number>> = {
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_LOCKS,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RSS,
  RLIMIT_RTPRIO,
  RLIMIT_RTTIME,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
};

/** "No limit", as getrlimit(2) writes it. */
export const RLIM_INFINITY = 2n ** 64n - 1n;

/**
 * Raises those hard limits that the config wants higher than they are. Goes before the user namespace: raising needs
 * CAP_SYS_RESOURCE in the initial one. The soft limits wait for {@linkcode setLimits}, since a low one would hit the
 * init itself: RLIMIT_NOFILE its next open(2), RLIMIT_NPROC its fork.
 */
export function raiseHardLimits(config: Config, process: Process, host: Host): Node[] {
  if (namespace(config, "user") === "none") return [];
  return (process.rlimits ?? []).flatMap(({ type, hard }, index) => {
    const current = host.rlimits?.[type];
    if (current === undefined || hard <= current.hard) return [];
    const reason = {
      label: `raise the hard ${type} to ${text(hard)}`,
      pointer: `/process/rlimits/${index}/hard`,
    };
    return [setLimit(reason, type, { soft: current.soft, hard })];
  });
}

/**
 * Sets every limit to its final value. Goes behind the last step that opens a file, and before the capabilities are
 * dropped: without a user namespace it is here that hard limits are raised.
 */
export function setLimits(process: Process, host: Host): Node[] {
  const rlimits = process.rlimits ?? [];
  const configured = rlimits.map(({ type, soft, hard }, index) =>
    setLimit(
      { label: `set ${type} to ${text(soft)}:${text(hard)}`, pointer: `/process/rlimits/${index}` },
      type,
      { soft, hard },
    )
  );
  if (host.nofile === undefined || rlimits.some(({ type }) => type === "RLIMIT_NOFILE")) return configured;
  // Deno raises the soft limit at its start. Programs that loop over all descriptors, or use select(2), rely on 1024.
  const { soft, hard } = host.nofile;
  const restore = { label: `restore RLIMIT_NOFILE to ${text(soft)}:${text(hard)}`, pointer: "runtime" };
  return [...configured, setLimit(restore, "RLIMIT_NOFILE", host.nofile)];
}

function setLimit(reason: Reason, type: RlimitType, limit: { soft: Integer; hard: Integer }): Node {
  const rlimit = { struct: "rlimit64", members: { rlim_cur: limit.soft, rlim_max: limit.hard } } as const;
  return step(reason, "prlimit64", [0, RESOURCES[type], rlimit, null]);
}

/** RLIM_INFINITY as `ulimit` and prlimit(1) print it. */
function text(limit: Integer): string {
  // Loosely, for it compares a number with a bigint.
  return limit >= RLIM_INFINITY ? "unlimited" : `${limit}`;
}
