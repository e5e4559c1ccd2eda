/**
 * Whether a container that another command has locked can be waited for.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { readStat } from "../linux/processes.ts";
import type { Status } from "./container.ts";
import type { StateDirectory } from "./state.ts";

/**
 * Whether the command that holds the lock may be waiting for us: we are a part of one of its hooks.
 *
 * @param status the container's, as we see it
 */
export function isLockedForUs(directory: StateDirectory, status: () => Status): boolean {
  let holder: number | undefined;
  // While a lock changes hands nobody is seen to hold it, but not five times in a row.
  for (let looks = 0; looks < 5 && !holder; looks++) {
    if (!directory.isLockedByOther()) return false;
    holder = directory.lockHolder();
    if (holder === undefined) break;
  }
  // With the /proc of the container's pid namespace a startContainer hook sees neither it nor the container's init.
  if (holder === 0) return status() === "stopped";
  // A createContainer hook is in the container's pid namespace, but has the host's /proc.
  for (let pid = Number(Deno.readLinkSync("/proc/self")); pid > 1; pid = readStat(pid)?.parent ?? 0) {
    if (pid === holder) return true;
  }
  return false;
}

/** For the hooks of a container's start that would change it. */
export function beingStarted(id: string): StateError {
  return new StateError(id, `container ${id} is being started`);
}
