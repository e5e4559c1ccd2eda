import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_UTIL_CLAMP_MAX,
  SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_IDLE,
  SCHED_ISO,
  SCHED_OTHER,
  SCHED_RR,
} from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import { type Node, step } from "./node.ts";

const POLICIES = { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE };

const FLAGS = {
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX,
};

/** SCHED_ATTR_SIZE_VER1 */
const SCHED_ATTR_BYTES = 56;

/**
 * process.scheduler: the policy and its parameters. EPERM means that the policy wants CAP_SYS_NICE, or that a
 * SCHED_DEADLINE task does not have all CPUs of its root domain: it cannot go with a smaller cpuset.
 *
 * @see sched_setattr(2), sched(7), config.md#linux-process
 */
export function scheduler({ scheduler }: Process): Node[] {
  if (scheduler === undefined) return [];
  const { policy, nice = 0, priority = 0, flags = [], runtime = 0, deadline = 0, period = 0 } = scheduler;
  const attr = {
    struct: "sched_attr",
    members: {
      size: SCHED_ATTR_BYTES,
      sched_policy: POLICIES[policy],
      sched_flags: flags.reduce((bits, flag) => bits | FLAGS[flag], 0),
      sched_nice: nice,
      sched_priority: priority,
      sched_runtime: runtime,
      sched_deadline: deadline,
      sched_period: period,
    },
  } as const;
  const reason = { label: `set scheduling policy ${policy}`, pointer: "/process/scheduler" };
  return [step(reason, "sched_setattr", [0, attr, 0])];
}
