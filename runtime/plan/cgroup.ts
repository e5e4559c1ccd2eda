/**
 * Joining the container's cgroups, before there is a cgroup namespace that begins there.
 *
 * By the process itself: moving another one waits for an RCU grace period, 15 ms on Linux 6.18.
 *
 * @see cgroups(7)
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { writeFile } from "./idioms.ts";
import { cgroupFd } from "./inherited.ts";
import { namespace } from "./namespaces.ts";
import { barrier, type Node, type Reason, type SlotName, step } from "./node.ts";

/** Cgroup v1. For v2 see the fork of `createNamespaces`, and `joinUnified`. */
export function joinCgroups(host: Host): Node[] {
  return [...joinOtherCgroups(host), ...openMemory(host, "$file"), ...joinMemory(host, "$file")];
}

/**
 * The same for a container that is being made, which {@linkcode joinMemoryCgroup} completes: namespaces and mounts, some
 * hundred kilobytes of the kernel's, would count against a limit that is meant for what runs in the container.
 */
export function joinCgroupsButMemory(config: Config, host: Host): Node[] {
  const joined = joinsLate(config)
    ? [...joinOtherCgroups(host), ...openMemory(host, "$memory")]
    : joinCgroups(host);
  return [...joined, ...joinUnified(config, host)];
}

/** To be done before anything of the image's or of a hook's runs in the container. */
export function joinMemoryCgroup(config: Config, host: Host): Node[] {
  return joinsLate(config) ? joinMemory(host, "$memory") : [];
}

/** A cgroup namespace begins at the cgroups that its maker is in. */
function joinsLate(config: Config): boolean {
  return namespace(config, "cgroup") === "none";
}

function joinOtherCgroups({ cgroupAdopts, cgroupTasks }: Host): Node[] {
  const adopted = cgroupAdopts ? [barrier("cgroup", "systemd moves us to the container's cgroup")] : [];
  const joined = cgroupTasks.flatMap((path) => [open(path, "$file"), ...writeFile(reasonFor(path), "0")]);
  return [...adopted, ...joined];
}

/**
 * Cgroup v2, for who joins a cgroup namespace: from in there clone3(2) into the container's cgroup fails with ENOENT where v2
 * is mounted with nsdelegate, as systemd does (cgroups(7), "Cgroup delegation").
 *
 * The fork cannot go first: the pid namespace that it begins has to belong to the container's user namespace. Nor can the
 * namespace be joined behind it: from that user namespace we have no rights over one that is not its own.
 */
function joinUnified(config: Config, host: Host): Node[] {
  if (!host.unifiedCgroup || namespace(config, "cgroup") !== "joined") return [];
  const reason: Reason = { label: "join the container's cgroup", pointer: "/linux/cgroupsPath" };
  return [
    step(reason, "openat", [cgroupFd(config, host), "cgroup.procs", O_WRONLY | O_CLOEXEC, 0], "$file"),
    ...writeFile(reason, "0"),
  ];
}

function openMemory({ memoryTasks }: Host, save: SlotName): Node[] {
  return memoryTasks === undefined ? [] : [open(memoryTasks, save)];
}

function joinMemory({ memoryTasks }: Host, file: SlotName): Node[] {
  return memoryTasks === undefined ? [] : writeFile(reasonFor(memoryTasks), "0", file);
}

function open(path: string, save: SlotName): Node {
  return step(reasonFor(path), "openat", [AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0], save);
}

function reasonFor(path: string): Reason {
  return { label: `join cgroup ${path.slice(0, path.lastIndexOf("/"))}`, pointer: "/linux/cgroupsPath" };
}
