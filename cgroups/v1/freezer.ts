/** @see https://docs.kernel.org/admin-guide/cgroup-v1/freezer-subsystem.html @module */
import { StateError } from "../../runtime/errors.ts";
import { type Directory, sleep } from "../directory.ts";

const TRIES = 1000;

/**
 * Freezes, and waits for it. While processes are made, the state may stay FREEZING for ever: then asking again helps, and
 * a thaw in between. The numbers are runc's.
 */
export function freeze(directory: Directory): void {
  try {
    for (let tries = 1; tries <= TRIES; tries++) {
      if (tries % 50 === 0) {
        thaw(directory);
        sleep(10);
      }
      directory.write("freezer.state", "FROZEN");
      if (tries % 25 === 0) sleep(1);
      if (state(directory) === "FROZEN") return;
    }
    throw new StateError(
      directory.name,
      `cannot freeze ${directory.path}: processes are made faster than they stop`,
    );
  } catch (error) {
    thaw(directory);
    throw error;
  }
}

export function thaw(directory: Directory): void {
  directory.write("freezer.state", "THAWED");
}

/** Not one that an ancestor holds. One that is still freezing counts. */
export function isFrozen(directory: Directory): boolean {
  const self = directory.tryRead("freezer.self_freezing");
  return self === undefined ? directory.tryRead("freezer.state")?.trim() === "FROZEN" : self.trim() === "1";
}

function state(directory: Directory): string {
  return directory.read("freezer.state").trim();
}
