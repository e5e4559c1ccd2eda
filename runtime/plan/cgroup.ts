/**
 * Joining the container's cgroups, before there is a cgroup namespace that begins there.
 *
 * By the process itself: moving another one waits for an RCU grace period, 15 ms on Linux 6.18.
 *
 * @see cgroups(7)
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import type { Host } from "./host.ts";
import { writeFile } from "./idioms.ts";
import { barrier, type Node, type Reason, step } from "./node.ts";

/** Cgroup v1. For v2 see the fork of `createNamespaces`. */
export function joinCgroups(host: Host): Node[] {
  const adopted = host.cgroupAdopts ? [barrier("cgroup", "systemd moves us to the container's cgroup")] : [];
  const joined = host.cgroupTasks.flatMap((path) => {
    const reason: Reason = {
      label: `join cgroup ${path.slice(0, path.lastIndexOf("/"))}`,
      pointer: "/linux/cgroupsPath",
    };
    return [
      step(reason, "openat", [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], "$file"),
      ...writeFile(reason, "0"),
    ];
  });
  return [...adopted, ...joined];
}
