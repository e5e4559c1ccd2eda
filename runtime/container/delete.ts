/**
 * Deleting a container, or what is left of one whose creator was killed.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { waitForEnd } from "../init/report.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import type { Container, Parts, Status } from "./container.ts";
import type { Cgroup } from "./control_group.ts";
import { KILL_MILLISECONDS } from "./first_process.ts";
import { hasHooks, laterContext, runHooks } from "./hooks.ts";
import { removeResctrl } from "./intel_rdt.ts";
import { beingStarted, isLockedForUs } from "./lock_holder.ts";
import type { StateDirectory } from "./state.ts";

/** Removes it. See {@linkcode Container.delete}. */
export function remove(parts: Parts, force: boolean): void {
  const { container, directory, process } = parts;
  try {
    directory.lock();
  } catch (error) {
    if (!force || !(error instanceof StateError)) throw error;
    process.kill();
    return container.close();
  }
  try {
    removeLocked(parts, force);
  } finally {
    // Of what is left, so that it can be removed by whoever tries next.
    directory.unlock();
  }
}

function removeLocked({ container, directory, process }: Parts, force: boolean): void {
  const status = container.status();
  if (force && status === "paused") container.cgroup?.thaw();
  if (!force && status !== "stopped" && status !== "created") throw notStopped(container.id, status);
  if (container.pid === 0) return removeUnfinished(container, directory);
  // Its directory will be gone.
  const config = hasHooks(container, "poststop") ? container.readConfig() : undefined;
  process.kill();
  container.close();
  removeGroups(container);
  directory.remove();
  if (config !== undefined) runHooks(config, "poststop", laterContext(container, directory));
}

/** Its creator was killed. The init sees that at its next barrier at the latest, and ends. */
function removeUnfinished(container: Container, directory: StateDirectory): void {
  killAll(container.cgroup);
  if (!waitForEnd(directory.path, KILL_MILLISECONDS)) {
    throw new StateError(container.id, "container init still running");
  }
  removeGroups(container);
  directory.remove();
}

function removeGroups({ cgroup, state: { resctrl } }: Container): void {
  // Without a pid namespace of its own its other processes do not end with the first.
  killAll(cgroup);
  cgroup?.delete();
  if (resctrl !== undefined) removeResctrl(resctrl);
}

function killAll(cgroup: Cgroup | undefined): void {
  if (cgroup !== undefined && cgroup.pids().length > 0) cgroup.kill();
}

/** Why a container that another command has locked cannot be deleted, not even by force. */
export function whyKept(
  container: Container,
  directory: StateDirectory,
  force: boolean,
): StateError | undefined {
  const { id } = container;
  const status = container.status();
  if (status === "creating" && !force) return notStopped(id, status);
  if (isLockedForUs(directory, () => container.status())) {
    return status === "creating" ? notStopped(id, status) : beingStarted(id);
  }
  // `start` may be waiting for a hook that never ends: it does with the container.
  if (status === "created" && force) killUnlessEnded(container);
  return undefined;
}

function killUnlessEnded(container: Container): void {
  try {
    container.signal(SIGKILL);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
  }
}

function notStopped(id: string, status: Status): StateError {
  return new StateError(id, `cannot delete container ${id} that is not stopped: ${status}`);
}
