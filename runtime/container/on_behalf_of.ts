import { SyscallError } from "../errors.ts";
import type { Reason } from "../plan/node.ts";

/** Does what a member of config.json asks for: a system call that fails meanwhile is reported with it. */
export function onBehalfOf<T>({ label, pointer }: Reason, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SyscallError) || error.pointer !== undefined) throw error;
    const detail = error.label === undefined ? error.detail : `${error.label}: ${error.detail}`;
    throw new SyscallError(error.call, error.errno, { label, pointer, detail, path: error.path });
  }
}
