/**
 * On which CPUs the process may run.
 *
 * @see sched_setaffinity(2), cpuset(7), config.md#linux-process
 * @module
 */
import type { Process } from "../spec/config.ts";
import { bitMask } from "./bit_mask.ts";
import { type Node, step } from "./node.ts";

/** All that Linux can be built for: NR_CPUS is at most 8192. */
const ALL_CPUS = new Uint8Array(8192 / 8).fill(0xff);

/**
 * Forgets what the caller was confined to: the cpuset of the container's cgroup decides alone. Since Linux 6.2 a process
 * keeps what sched_setaffinity(2) has told it when it joins a cpuset, so a container would stay on the CPUs of the engine
 * that started it.
 */
export function resetAffinity(): Node[] {
  const reason = { label: "leave the CPUs to the cpuset", pointer: "runtime" };
  return [step(reason, "sched_setaffinity", [0, ALL_CPUS.length, ALL_CPUS])];
}

/**
 * process.execCPUAffinity: of a process that joins a container, `initial` before it joins the cgroup and `final` behind.
 * With one of them alone the other place stays as it is.
 */
export function execAffinity({ execCPUAffinity }: Process, when: "initial" | "final"): Node[] {
  if (execCPUAffinity === undefined) return when === "final" ? resetAffinity() : [];
  const list = execCPUAffinity[when];
  const mask = list === undefined ? null : bitMask(list);
  if (mask === null) return [];
  const reason = { label: `run on CPUs ${list}`, pointer: `/process/execCPUAffinity/${when}` };
  return [step(reason, "sched_setaffinity", [0, mask.length, mask])];
}
