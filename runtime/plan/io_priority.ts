import {
  IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_RT,
  IOPRIO_CLASS_SHIFT,
  IOPRIO_WHO_PROCESS,
} from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import { type Node, step } from "./node.ts";

const CLASSES = { IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };

/**
 * process.ioPriority: class and priority in one number, as IOPRIO_PRIO_VALUE of linux/ioprio.h. Processes made later
 * inherit it.
 *
 * @see ioprio_set(2), config.md#linux-process
 */
export function ioPriority({ ioPriority }: Process): Node[] {
  if (ioPriority === undefined) return [];
  const { class: name, priority } = ioPriority;
  const value = CLASSES[name] << IOPRIO_CLASS_SHIFT | priority;
  const reason = { label: `set I/O priority ${name} ${priority}`, pointer: "/process/ioPriority" };
  return [step(reason, "ioprio_set", [IOPRIO_WHO_PROCESS, 0, value])];
}
