/** The end of a cgroup. @module */
import { isErrno } from "../runtime/linux/libc.ts";
import { pidfdOpen, pidfdSendSignal } from "../runtime/linux/processes.ts";
import { close } from "../runtime/linux/files.ts";
import { type Directory, sleep } from "./directory.ts";

const SIGKILL = 9;

/** The last pause is a quarter of a second. */
const TRIES = 10;

/** Removes a cgroup and those below, which the container may have made. A process that is killed stays a moment. */
export function removeTree(directory: Directory): void {
  for (let tries = 1;; tries++) {
    try {
      return directory.remove();
    } catch (error) {
      if (!isErrno(error, "EBUSY", "ENOTEMPTY") || tries === TRIES) throw error;
    }
    let removed = false;
    directory.eachBelow((one) => removed = isRemoved(one) || removed);
    if (!removed) sleep(2 ** (tries - 1));
  }
}

function isRemoved(directory: Directory): boolean {
  try {
    directory.remove();
    return true;
  } catch (error) {
    if (isErrno(error, "EBUSY", "ENOTEMPTY")) return false;
    throw error;
  }
}

/** SIGKILL. Frozen processes keep it until they are thawed. */
export function signalAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      const pidfd = pidfdOpen(pid);
      try {
        pidfdSendSignal(pidfd, SIGKILL);
      } finally {
        close(pidfd);
      }
    } catch (error) {
      // It has ended by itself.
      if (!isErrno(error, "ESRCH")) throw error;
    }
  }
}
