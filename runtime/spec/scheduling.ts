/**
 * config.json `/process/scheduler`, `/process/ioPriority` and `/process/execCPUAffinity`.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md#linux-process
 * @module
 */

import { array, type Check, type Fault, integer, object, oneOf, refuse, textThat, uint64 } from "./check.ts";
import type { Integer } from "./json.ts";
import { parseRanges } from "./ranges.ts";

/** The policies of sched(7). */
export type SchedulerPolicy =
  | "SCHED_OTHER"
  | "SCHED_FIFO"
  | "SCHED_RR"
  | "SCHED_BATCH"
  | "SCHED_ISO"
  | "SCHED_IDLE"
  | "SCHED_DEADLINE";

/** The flags of sched_setattr(2). */
export type SchedulerFlag =
  | "SCHED_FLAG_RESET_ON_FORK"
  | "SCHED_FLAG_RECLAIM"
  | "SCHED_FLAG_DL_OVERRUN"
  | "SCHED_FLAG_KEEP_POLICY"
  | "SCHED_FLAG_KEEP_PARAMS"
  | "SCHED_FLAG_UTIL_CLAMP_MIN"
  | "SCHED_FLAG_UTIL_CLAMP_MAX";

/** One sched_setattr(2). */
export interface Scheduler {
  readonly policy: SchedulerPolicy;
  /** -20 to 19. */
  readonly nice?: number;
  /** 1 to 99 with SCHED_FIFO and SCHED_RR, else 0 or absent. */
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds. Only with SCHED_DEADLINE, as the next two. */
  readonly runtime?: Integer;
  /** Nanoseconds. */
  readonly deadline?: Integer;
  /** Nanoseconds. */
  readonly period?: Integer;
}

/** One ioprio_set(2). */
export interface IOPriority {
  readonly class: "IOPRIO_CLASS_RT" | "IOPRIO_CLASS_BE" | "IOPRIO_CLASS_IDLE";
  /** 0 (highest) to 7. */
  readonly priority: number;
}

/** The CPUs that an `exec` may run on, as cpuset(7) lists: "0-3,7". */
export interface CPUAffinity {
  /** Before the process joins the container's cgroup. */
  readonly initial?: string;
  /** After it. */
  readonly final?: string;
}

export const checkScheduler: Check = object<Scheduler>(
  {
    policy: oneOf<SchedulerPolicy>(
      "SCHED_OTHER",
      "SCHED_FIFO",
      "SCHED_RR",
      "SCHED_BATCH",
      "SCHED_ISO",
      "SCHED_IDLE",
      "SCHED_DEADLINE",
    ),
    nice: integer(-20, 19),
    priority: integer(0, 99),
    flags: array(
      oneOf<SchedulerFlag>(
        "SCHED_FLAG_RESET_ON_FORK",
        "SCHED_FLAG_RECLAIM",
        "SCHED_FLAG_DL_OVERRUN",
        "SCHED_FLAG_KEEP_POLICY",
        "SCHED_FLAG_KEEP_PARAMS",
        "SCHED_FLAG_UTIL_CLAMP_MIN",
        "SCHED_FLAG_UTIL_CLAMP_MAX",
      ),
    ),
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
  ["policy"],
  schedulerRule,
);

/** What sched_setattr(2) answers with EINVAL, or would ignore. */
function schedulerRule(scheduler: Scheduler): Fault | undefined {
  const { policy, priority = 0 } = scheduler;
  if (policy === "SCHED_FIFO" || policy === "SCHED_RR") {
    if (priority === 0) {
      return refuse(priority, `must be an integer from 1 to 99 with ${policy}`, "/priority");
    }
  } else if (priority !== 0) {
    return refuse(priority, `must be 0 or absent with ${policy}`, "/priority");
  }
  if (policy === "SCHED_DEADLINE") return;
  for (const name of ["runtime", "deadline", "period"] as const) {
    if (scheduler[name]) return refuse(scheduler[name], `must be 0 or absent with ${policy}`, `/${name}`);
  }
}

const cpuList = textThat('must be a list of CPUs as "0-3,7"', (list) => parseRanges(list) !== undefined);

export const checkIOPriority: Check = object<IOPriority>({
  class: oneOf<IOPriority["class"]>("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"),
  priority: integer(0, 7),
}, ["class", "priority"]);

export const checkExecCPUAffinity: Check = object<CPUAffinity>({ initial: cpuList, final: cpuList });
