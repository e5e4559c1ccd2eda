/**
 * Where the hierarchies of control groups are mounted, and where in them we are.
 *
 * @see cgroups(7), "/proc files"
 * @module
 */
import type { Hierarchy } from "../plan/host.ts";
import type { MountInfo } from "./mountinfo.ts";

/** All hierarchies that are mounted below /sys/fs/cgroup, or that alone. */
export function readHierarchies(mounts: readonly MountInfo[]): Hierarchy[] {
  return findHierarchies(mounts, Deno.readTextFileSync("/proc/self/cgroup"));
}

/** @param ownCgroups the text of /proc/self/cgroup: `4:cpu,cpuacct:/path`, `0::/path` for cgroup v2 */
export function findHierarchies(mounts: readonly MountInfo[], ownCgroups: string): Hierarchy[] {
  const own = ownCgroups.split("\n").filter((line) => line !== "").map((line) => {
    const [, controllers = "", ...path] = line.split(":");
    return { controllers, path: path.join(":") };
  });
  const found = new Map<string, Hierarchy>();
  for (const { type, root, mountPoint, superOptions } of mounts) {
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const entry = own.find(({ controllers }) =>
      type === "cgroup2"
        ? controllers === ""
        : controllers !== "" && controllers.split(",").every((name) => superOptions.includes(name))
    );
    if (entry === undefined) continue;
    // A later mount on the same directory hides an earlier one.
    found.set(mountPoint, { controllers: entry.controllers, mountPoint, cgroup: below(root, entry.path) });
  }
  return [...found.values()];
}

/** The cgroup `path` as it is named under a mount of `root`: "/" if it lies outside. */
function below(root: string, path: string): string {
  if (root === "/") return path;
  if (path === root) return "/";
  return path.startsWith(`${root}/`) ? path.slice(root.length) : "/";
}
