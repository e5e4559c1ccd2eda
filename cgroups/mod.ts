/**
 * Control groups: v1, hybrid and v2, by plain and synchronous file I/O, and through systemd.
 *
 * ```ts
 * import { locateCgroup, openCgroup, withDefaultDevices } from "./cgroups/mod.ts";
 *
 * const cgroup = locateCgroup({ id: "web", cgroupsPath: "/shop/web" });
 * const warnings = cgroup.create(withDefaultDevices({ pids: { limit: 100 } }));
 * cgroup.add(pid); // before the process makes its namespaces
 * state.cgroupPaths = cgroup.paths;
 *
 * openCgroup(state.cgroupPaths).stats().pids.current;
 * openCgroup(state.cgroupPaths).delete();
 * ```
 *
 * The package decides nothing about containers and prints nothing. {@linkcode Cgroup} is the interface; `v1/` and `v2/` have
 * a file for each controller, `controllers.ts` is the list of them; `systemd/` has what makes a cgroup a unit of systemd.
 *
 * @module
 */
export type { AddOptions, Cgroup, Unit } from "./cgroup.ts";
export { withDefaultDevices } from "./devices.ts";
export { type CgroupFiles, cgroupFiles } from "./files.ts";
export { findHierarchies, type Hierarchy, readHierarchies } from "./hierarchies.ts";
export {
  cgroupPath,
  locateCgroup,
  type LocatedScope,
  type LocateOptions,
  locateScope,
  openCgroup,
} from "./locate.ts";
export { mergeResources } from "./merge.ts";
export type { Stats } from "./stats.ts";
export { watchOom } from "./watch_oom.ts";
