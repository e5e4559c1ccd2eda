import * as constants from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import { type Node, step } from "./node.ts";

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
      sched_policy: constants[policy],
      sched_flags: flags.reduce((bits, flag) => bits | constants[flag], 0),
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
