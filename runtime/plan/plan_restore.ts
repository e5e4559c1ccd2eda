/**
 * CRIU about to restore a container, as a list of system calls: in the container's cgroup, so that all it makes is in
 * there, and in a mount namespace of its own. What is mounted there ends with it, and whatever an image makes of a path
 * that CRIU mounts on, the host's mounts stay as they are.
 *
 * @see criu(8), "--root", "--external"
 * @module
 */
import {
  AT_FDCWD,
  CLONE_NEWNS,
  CLONE_PARENT,
  CLOSE_RANGE_CLOEXEC,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_REC,
  MS_SLAVE,
  SIGCHLD,
} from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import { joinCgroups } from "./cgroup.ts";
import type { Host } from "./host.ts";
import { cgroupFd, firstOwnFd, inherited, LAST_FD } from "./inherited.ts";
import { attach, cloneTree, setAttributes } from "./mount_api.ts";
import {
  change,
  cloneSources,
  idmappedSources,
  openTarget,
  type PlannedMount,
  plannedMounts,
} from "./mounts.ts";
import { type Node, type Plan, type Reason, slot, step } from "./node.ts";

export interface Restorer {
  /** Of CRIU. */
  readonly path: string;
  readonly env: readonly string[];
  /** An empty directory, where CRIU finds the root filesystem. */
  readonly root: string;
  /** A directory with a file or directory for each of {@linkcode bindMounts}, and {@linkcode NULL_NAME}: there CRIU finds what is the host's. */
  readonly sources: string;
  /** How many descriptors it inherits behind its socket. */
  readonly descriptors: number;
}

/** The descriptor of CRIU's socket; behind it those that it inherits, and the directory of the container's cgroup v2. */
export function socketNumber(config: Config, host: Host): number {
  return cgroupFd(config, host);
}

/** Compiles the start of a CRIU that is to restore the container of `config`. */
export function planRestore(config: Config, host: Host, restorer: Restorer): Plan {
  const socket = socketNumber(config, host);
  const cgroup = socket + 1 + restorer.descriptors;
  const { path, env } = restorer;
  return [
    ...inherited(cgroup + (host.unifiedCgroup ? 1 : 0)),
    ...joinCgroups(host),
    ...(host.unifiedCgroup ? [enterUnified(cgroup)] : []),
    ...leaveHost(),
    ...sources(config, host, restorer),
    ...mountPoints(config, host, restorer),
    ...mountRoot(host, restorer),
    ...closeButInherited(firstOwnFd(host), socket, cgroup),
    step({ label: `run ${path}`, pointer: "runtime" }, "execve", [
      path,
      { strings: ["criu", "swrk", `${socket}`] },
      { strings: env },
    ]),
  ];
}

function enterUnified(cgroup: number): Node {
  return {
    kind: "fork",
    cgroup,
    flags: CLONE_PARENT | SIGCHLD,
    save: "$init",
    label: "fork CRIU in the container's cgroup",
    pointer: "/linux/cgroupsPath",
  };
}

function leaveHost(): Node[] {
  const reason: Reason = { label: "leave the mounts of the host", pointer: "runtime" };
  return [
    step(reason, "unshare", [CLONE_NEWNS]),
    step(reason, "mount", [null, "/", null, MS_SLAVE | MS_REC, null]),
  ];
}

function closeButInherited(first: number, socket: number, end: number): Node[] {
  const reason: Reason = { label: "close descriptors at execve", pointer: "runtime" };
  return [
    step(reason, "close_range", [first, socket - 1, CLOSE_RANGE_CLOEXEC]),
    step(reason, "close_range", [end, LAST_FD, CLOSE_RANGE_CLOEXEC]),
  ];
}

/** The bind mounts of a config, by the names that they have in {@linkcode Restorer.sources}. */
export function bindMounts(config: Config): { readonly planned: PlannedMount; readonly name: string }[] {
  return plannedMounts(config)
    .filter(({ type, options }) => type === "bind" && !options.extensions.has("remount"))
    .map((planned) => ({ planned, name: `${planned.index}` }));
}

/** What masks files, in {@linkcode Restorer.sources}. */
export const NULL_NAME = "null";

/**
 * What is mounted from the host, with the flags that it is to have. CRIU sets them again, but not on a mount that shows the
 * same files as another one with the same flags: it takes them to be there already, and the second of two read-only mounts
 * would be writable (CRIU 4.2, do_bind_mount_v2).
 */
function sources(config: Config, host: Host, { sources }: Restorer): Node[] {
  const reason: Reason = { label: "prepare what masks files", pointer: "/linux/maskedPaths" };
  return [
    ...idmappedSources(config, host),
    ...cloneSources(config, host),
    ...bindMounts(config).flatMap(({ planned, name }) => [
      ...change(planned),
      attach(planned.reason, planned.save, AT_FDCWD, `${sources}/${name}`),
    ]),
    cloneTree(reason, { path: "/dev/null" }, "$null"),
    setAttributes(reason, "$null", { set: MOUNT_ATTR_RDONLY }),
    attach(reason, "$null", AT_FDCWD, `${sources}/${NULL_NAME}`),
  ];
}

function mountRoot(host: Host, { root }: Restorer): Node[] {
  const reason: Reason = { label: `open the root filesystem ${host.rootfs}`, pointer: "/root/path" };
  return [
    cloneTree(reason, { path: host.rootfs, recursive: true }, "$root"),
    attach(reason, "$root", AT_FDCWD, root),
  ];
}

/**
 * Makes what the mounts of the config go to, as far as the image has it not: it may be a fresh copy. For what goes into a
 * bind mount that is mounted too, for as long as this takes.
 */
function mountPoints(config: Config, host: Host, restorer: Restorer): Node[] {
  const made = plannedMounts(config).filter((planned, index, all) => isMade(planned, all.slice(0, index)));
  if (made.length === 0) return [];
  return [
    ...mountRoot(host, restorer),
    ...made.flatMap((planned) => {
      const { index, reason, type } = planned;
      const target = openTarget(planned, host, host.sources[index] === "file" ? "file" : "directory");
      if (type !== "bind") return target;
      const path = `${restorer.sources}/${index}`;
      return [
        ...target,
        cloneTree(reason, { path, recursive: true }, "$bound"),
        attach(reason, "$bound", slot("$target")),
      ];
    }),
    step({ label: "detach the root filesystem", pointer: "runtime" }, "umount2", [restorer.root, MNT_DETACH]),
  ];
}

/** Of filesystems other than bind mounts CRIU restores what is in them, mount points included. */
function isMade({ destination, type, options }: PlannedMount, before: readonly PlannedMount[]): boolean {
  const covering = before.findLast((other) => `${destination}/`.startsWith(`${other.destination}/`));
  if (options.extensions.has("remount") || type.startsWith("cgroup")) return false;
  return covering === undefined || covering.type === "bind";
}
