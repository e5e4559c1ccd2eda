import * as constants from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import { type Node, step } from "./node.ts";

/**
 * process.ioPriority: class and priority in one number, as IOPRIO_PRIO_VALUE of linux/ioprio.h. Processes made later
 * inherit it.
 *
 * @see ioprio_set(2), config.md#linux-process
 */
export function ioPriority({ ioPriority }: Process): Node[] {
  if (ioPriority === undefined) return [];
  const { class: name, priority } = ioPriority;
  const value = constants[name] << constants.IOPRIO_CLASS_SHIFT | priority;
  const reason = { label: `set I/O priority ${name} ${priority}`, pointer: "/process/ioPriority" };
  return [step(reason, "ioprio_set", [constants.IOPRIO_WHO_PROCESS, 0, value])];
}
