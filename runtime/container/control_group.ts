/**
 * A container's control group, as the lifecycle uses it.
 *
 * @module
 */
import {
  type Cgroup,
  cgroupPath,
  locateCgroup,
  mergeResources,
  openCgroup,
  readHierarchies,
  withDefaultDevices,
} from "../../cgroups/mod.ts";
import { UsageError } from "../errors.ts";
import type { CgroupFacts } from "../host/gather.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../linux/generated/constants.ts";
import { openat2 } from "../linux/files.ts";
import type { Config } from "../spec/config.ts";

/** `--cgroup-manager`: who makes cgroups. */
export type CgroupManager = "cgroupfs" | "systemd" | "disabled";

/** A cgroup that is to be made, and what a plan has to know of it. */
export interface PlannedCgroup {
  readonly cgroup: Cgroup;
  readonly facts: CgroupFacts;
}

/** The place of a new container's cgroup; nothing with the manager "disabled". */
export function planCgroup(
  id: string,
  { linux }: Config,
  manager: CgroupManager = "cgroupfs",
): PlannedCgroup | undefined {
  if (manager === "disabled") return undefined;
  if (manager === "systemd") {
    throw new UsageError("the systemd cgroup manager is not supported: use cgroupfs");
  }
  const hierarchies = readHierarchies();
  const options = { id, cgroupsPath: linux?.cgroupsPath, hierarchies, rootless: Deno.uid() !== 0 };
  const cgroup = locateCgroup(options);
  return {
    cgroup,
    get facts() {
      return {
        ...factsOf(cgroup),
        hierarchies: hierarchies.map((one) => ({ ...one, cgroup: cgroupPath(options, one) || "/" })),
      };
    },
  };
}

/** Makes it. @returns warnings */
export function makeCgroup({ cgroup }: PlannedCgroup, { linux }: Config): string[] {
  return cgroup.create(withDefaultDevices(linux?.resources));
}

/** What a further process has to know of the cgroup of a container that is there. */
export function factsOf(cgroup: Cgroup): CgroupFacts {
  return { tasks: cgroup.tasks, unified: cgroup.paths[""] !== undefined, hierarchies: [] };
}

/**
 * The directory of cgroup v2 that a process is made in, opened; nothing if there is none.
 *
 * @param init the container's first process, for a further one
 */
export function openUnified(cgroup: Cgroup | undefined, init?: number): number[] {
  const path = cgroup?.entry(init);
  return path === undefined ? [] : [openat2(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_CLOEXEC })];
}

export { type Cgroup, mergeResources, openCgroup, withDefaultDevices };
