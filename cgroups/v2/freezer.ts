/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#core-interface-files @module */
import { StateError } from "../../runtime/errors.ts";
import { type Directory, sleep } from "../directory.ts";
import { parsePairs } from "../stats.ts";

/** As long as runc waits: a process may be in an uninterruptible sleep. */
const TIMEOUT_MILLISECONDS = 10_000;

/** Asks the kernel, and waits until all processes have stopped. */
export function freeze(directory: Directory): void {
  try {
    directory.write("cgroup.freeze", "1");
    const end = Date.now() + TIMEOUT_MILLISECONDS;
    for (let pause = 1; !stopped(directory); pause = Math.min(pause * 2, 50)) {
      if (Date.now() > end) {
        throw new StateError(
          directory.name,
          `cannot freeze ${directory.path}: not all processes have stopped in 10 s`,
        );
      }
      sleep(pause);
    }
  } catch (error) {
    thaw(directory);
    throw error;
  }
}

export function thaw(directory: Directory): void {
  directory.write("cgroup.freeze", "0");
}

/** Not those that an ancestor holds. */
export function isFrozen(directory: Directory): boolean {
  return directory.tryRead("cgroup.freeze")?.trim() === "1";
}

function stopped(directory: Directory): boolean {
  return parsePairs(directory.read("cgroup.events")).frozen === "1";
}
