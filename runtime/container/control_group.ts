/**
 * A container's control group, as the lifecycle uses it.
 *
 * @module
 */
import {
  type Cgroup,
  cgroupPath,
  type Hierarchy,
  locateCgroup,
  locateScope,
  mergeResources,
  openCgroup,
  readHierarchies,
  type Unit,
  withDefaultDevices,
} from "../../cgroups/mod.ts";
import { ConfigError, UsageError } from "../errors.ts";
import type { CgroupFacts } from "../host/gather.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../linux/generated/constants.ts";
import { openat2 } from "../linux/files.ts";
import type { Config, IDMapping } from "../spec/config.ts";
import { isRootless } from "./rootless.ts";

/** `--cgroup-manager`: who makes cgroups. */
export type CgroupManager = "cgroupfs" | "systemd" | "disabled";

/** A cgroup that is to be made, and what a plan has to know of it. */
export interface PlannedCgroup {
  readonly cgroup: Cgroup;
  /** Once a cgroup that needs no process is made. */
  readonly facts: CgroupFacts;
}

/** The place of a new container's cgroup; nothing with the manager "disabled". */
export function planCgroup(
  id: string,
  { linux, annotations }: Config,
  manager: CgroupManager = "cgroupfs",
): PlannedCgroup | undefined {
  if (manager === "disabled") return undefined;
  const hierarchies = readHierarchies();
  const rootless = isRootless();
  const options = { id, cgroupsPath: linux?.cgroupsPath, hierarchies, rootless, annotations };
  const scope = manager === "systemd" ? locateScope(options) : undefined;
  const cgroup = scope?.cgroup ?? locateCgroup(options);
  return {
    cgroup,
    get facts() {
      const placeIn = (hierarchy: Hierarchy) => {
        // Where we had no right to make one, the container stays in ours.
        if (!hierarchy.controllers.split(",").some((name) => name in cgroup.paths)) return hierarchy.cgroup;
        return scope?.path ?? (cgroupPath(options, hierarchy) || "/");
      };
      return {
        ...factsOf(cgroup),
        hierarchies: hierarchies.map((one) => ({ ...one, cgroup: placeIn(one) })),
      };
    },
  };
}

/**
 * Goes before it is recorded as the container's: who finds its creator killed kills all that is in there.
 *
 * @throws {ConfigError} if there are processes in it
 */
export function refuseUsed({ cgroup }: PlannedCgroup): void {
  const count = cgroup.pids().length;
  if (count === 0) return;
  throw new ConfigError(
    "/linux/cgroupsPath",
    `container's cgroup is not empty: ${count} process(es) found in ${Object.values(cgroup.paths)[0]}`,
  );
}

/**
 * Makes it.
 *
 * @param pid of the first process, for a cgroup that adopts it
 * @returns warnings
 */
export function makeCgroup({ cgroup }: PlannedCgroup, config: Config, pid?: number): string[] {
  const warnings = cgroup.create(withDefaultDevices(config.linux?.resources), pid);
  const owner = ownerOf(config);
  if (owner === undefined) return warnings;
  try {
    cgroup.delegate(owner.uid, owner.gid);
    return warnings;
  } catch (error) {
    cgroup.delete();
    throw error;
  }
}

/**
 * Who may divide the container's cgroup of v2 among cgroups below: root of its user namespace, if it sees the cgroup as a
 * root and may write there. Limits stay out of its reach: they are files of the cgroup's, which it does not get.
 *
 * @see config-linux.md#cgroup-ownership
 */
function ownerOf({ linux, mounts = [] }: Config): { readonly uid: number; readonly gid: number } | undefined {
  const isNew = (wanted: string) => linux?.namespaces?.some(({ type, path }) => type === wanted && !path);
  const isWritable = mounts.some(({ type, options = [] }) =>
    type?.startsWith("cgroup") && !options.includes("ro")
  );
  const root = (mappings: readonly IDMapping[] = []) =>
    mappings.find(({ containerID }) => containerID === 0)?.hostID;
  const [uid, gid] = [root(linux?.uidMappings), root(linux?.gidMappings)];
  if (!isNew("user") || !isNew("cgroup") || !isWritable || isRootless()) return undefined;
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** What a further process has to know of the cgroup of a container that is there. */
export function factsOf(cgroup: Cgroup): CgroupFacts {
  const { adopts, paths } = cgroup;
  const memoryTasks = cgroup.tasks.find((path) => path === `${paths.memory}/tasks`);
  const tasks = cgroup.tasks.filter((path) => path !== memoryTasks);
  return { tasks, memoryTasks, adopts, unified: paths[""] !== undefined && !adopts, hierarchies: [] };
}

/**
 * The cgroups below a container's that `exec --cgroup` names; the container's own where it names none.
 *
 * @param subs by controller a path that begins at the container's cgroup; "" means every hierarchy
 * @throws {UsageError} if a path leads outside, or the container has no such controller
 */
export function cgroupBelow(cgroup: Cgroup, subs: Readonly<Record<string, string>>): Cgroup {
  const paths: Record<string, string> = { ...cgroup.paths };
  for (const [controller, sub] of Object.entries(subs)) {
    const names = sub.split("/").filter((name) => name !== "" && name !== ".");
    if (names.includes("..")) throw new UsageError(`bad sub cgroup path: ${sub}`);
    const chosen = Object.keys(paths).filter((name) => controller === "" || name === controller);
    if (chosen.length === 0) throw new UsageError(`unknown controller ${controller} in --cgroup`);
    for (const name of chosen) paths[name] = [paths[name], ...names].join("/");
  }
  return openCgroup(paths);
}

/**
 * The directory of cgroup v2 that a process is made in, opened; nothing if there is none.
 *
 * @param init the container's first process, for a further one
 */
export function openUnified(cgroup: Cgroup | undefined, init?: number): number[] {
  const path = cgroup?.adopts ? undefined : cgroup?.entry(init);
  return path === undefined ? [] : [openat2(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_CLOEXEC })];
}

export { type Cgroup, mergeResources, openCgroup, type Unit, withDefaultDevices };
