/**
 * Resource limits in force.
 *
 * @see proc_pid_limits(5)
 * @module
 */
import { isResumed } from "../linux/standstill.ts";
import type { RlimitType } from "../spec/config.ts";
import type { Integer } from "../spec/json.ts";

/** Names in /proc/PID/limits. */
const NAMES: Readonly<Record<RlimitType, string>> = {
  RLIMIT_AS: "Max address space",
  RLIMIT_CORE: "Max core file size",
  RLIMIT_CPU: "Max cpu time",
  RLIMIT_DATA: "Max data size",
  RLIMIT_FSIZE: "Max file size",
  RLIMIT_LOCKS: "Max file locks",
  RLIMIT_MEMLOCK: "Max locked memory",
  RLIMIT_MSGQUEUE: "Max msgqueue size",
  RLIMIT_NICE: "Max nice priority",
  RLIMIT_NOFILE: "Max open files",
  RLIMIT_NPROC: "Max processes",
  RLIMIT_RSS: "Max resident set",
  RLIMIT_RTPRIO: "Max realtime priority",
  RLIMIT_RTTIME: "Max realtime timeout",
  RLIMIT_SIGPENDING: "Max pending signals",
  RLIMIT_STACK: "Max stack size",
};

const RLIM_INFINITY = 2n ** 64n - 1n;

export interface Limit {
  readonly soft: Integer;
  readonly hard: Integer;
}

/**
 * Our limits, except that RLIMIT_NOFILE is our parent's where the soft one of ours is as high as the hard one: Deno raises it
 * at its start. In a snapshot no Deno starts.
 */
export function readLimits(): Partial<Record<RlimitType, Limit>> & { readonly RLIMIT_NOFILE: Limit } {
  const own = parseLimits(Deno.readTextFileSync("/proc/self/limits"));
  const { soft, hard } = own.RLIMIT_NOFILE ?? { soft: 1024, hard: 1024 };
  const given = soft < hard || isResumed() ? soft : readParentsNofile() ?? 1024;
  return { ...own, RLIMIT_NOFILE: { soft: given < hard ? given : hard, hard } };
}

function readParentsNofile(): Integer | undefined {
  try {
    return parseLimits(Deno.readTextFileSync(`/proc/${Deno.ppid}/limits`)).RLIMIT_NOFILE?.soft;
  } catch {
    // It has gone, or lives in another pid namespace.
    return undefined;
  }
}

/** Name, soft and hard limit in columns of 26, 21 and 21 characters. */
export function parseLimits(text: string): Partial<Record<RlimitType, Limit>> {
  const rows = new Map(
    text.split("\n").map((line) => [line.slice(0, 26).trim(), line.slice(26).trim().split(/\s+/)]),
  );
  const limits: Partial<Record<RlimitType, Limit>> = {};
  for (const [type, name] of Object.entries(NAMES) as [RlimitType, string][]) {
    const [soft, hard] = rows.get(name) ?? [];
    if (soft !== undefined && hard !== undefined) limits[type] = { soft: value(soft), hard: value(hard) };
  }
  return limits;
}

function value(text: string): Integer {
  return text === "unlimited" ? RLIM_INFINITY : Number(text);
}
