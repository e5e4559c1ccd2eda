/**
 * The container's root: made a mount of its own, and later the root of the process.
 *
 * @see pivot_root(2), mount_namespaces(7), config-linux.md#rootfs-mount-propagation
 * @module
 */
import {
  AT_FDCWD,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
} from "../linux/generated/constants.ts";
import type { Config, RootfsPropagation } from "../spec/config.ts";
import { openEmbeddedRootfs } from "./embedded.ts";
import type { Host } from "./host.ts";
import { attach, cloneTree, setAttributes } from "./mount_api.ts";
import { namespace } from "./namespaces.ts";
import { type Node, type Reason, slot, step, tolerate } from "./node.ts";

const PROPAGATION: Readonly<Record<Exclude<RootfsPropagation, "">, number>> = {
  shared: MS_SHARED,
  slave: MS_SLAVE,
  private: MS_PRIVATE,
  unbindable: MS_UNBINDABLE,
  rshared: MS_SHARED | MS_REC,
  rslave: MS_SLAVE | MS_REC,
  rprivate: MS_PRIVATE | MS_REC,
  runbindable: MS_UNBINDABLE | MS_REC,
};

/** Opens the root filesystem as `$root`, a mount that only this container has. */
export function openRootfs(config: Config, host: Host): Node[] {
  const reason: Reason = { label: `open the root filesystem ${host.rootfs}`, pointer: "/root/path" };
  // Without a mount namespace every mount would be one of the host's: leave its table alone as far as we can.
  if (namespace(config, "mount") === "none") {
    return [step(reason, "openat", [AT_FDCWD, host.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$root")];
  }
  return [
    ...propagation(config, host),
    ...(host.embedded ? openEmbeddedRootfs() : openDirectory(reason, host.rootfs)),
  ];
}

function openDirectory(reason: Reason, path: string): Node[] {
  return [
    // A clone, since pivot_root(2) wants a mount point, and so that its flags are ours to change.
    cloneTree(reason, { path, recursive: true }, "$root"),
    attach(reason, "$root", AT_FDCWD, path),
  ];
}

/** Cuts our mounts off from the host's: what we mount from here on must not appear there. */
function propagation(config: Config, host: Host): Node[] {
  const asked = config.linux?.rootfsPropagation || undefined;
  const reason: Reason = {
    label: `make mounts ${asked ?? "rslave"}`,
    pointer: asked === undefined ? "runtime" : "/linux/rootfsPropagation",
  };
  const flags = asked === undefined ? MS_SLAVE | MS_REC : PROPAGATION[asked];
  // The mounts of the host would not do as sources any more: only the container's become unbindable, in the end.
  const now = (flags & MS_UNBINDABLE) === 0 ? flags : MS_SLAVE | MS_REC;
  const someShared = (now & MS_REC) === 0 || (now & MS_SHARED) !== 0;
  const parent = (now & MS_SLAVE) === 0 ? MS_PRIVATE : MS_SLAVE;
  return [
    step(reason, "mount", [null, "/", null, now, null]),
    // pivot_root(2) refuses a new root whose parent mount is shared.
    ...(someShared ? [step(reason, "mount", [null, host.rootfsMountPoint, null, parent, null])] : []),
  ];
}

/** Makes `$root` the root of the process, and everything else unreachable. */
export function enterRootfs(config: Config, host: Host): Node[] {
  const reason: Reason = { label: "enter the root filesystem", pointer: "/root/path" };
  const chdir = step(reason, "chdir", ["/"]);
  if (namespace(config, "mount") === "none") {
    return [
      step(reason, "fchdir", [slot("$root")]),
      step(reason, "chroot", ["."]),
      chdir,
    ];
  }
  if (host.noPivot) return moveRoot(host, reason);
  return [
    step(reason, "openat", [AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$old"),
    step(reason, "fchdir", [slot("$root")]),
    // Both the same directory: the old root ends up on top of the new one (pivot_root(2), NOTES).
    step(reason, "pivot_root", [".", "."]),
    // An unmount that propagated would detach the host's own mounts. By its descriptor: "." is the new root still, and
    // the container's mounts keep the propagation that was asked for.
    setAttributes(reason, "$old", { propagation: MS_SLAVE, recursive: true }),
    step(reason, "umount2", [".", MNT_DETACH]),
    step(reason, "close", [slot("$old")]),
    chdir,
    ...setPropagation(config),
  ];
}

/** `--no-pivot`: for a root on a ramfs, where there is nothing to pivot from. */
function moveRoot(host: Host, reason: Reason): Node[] {
  return [
    // The old root stays below the new one, so a process could get at a full proc or sysfs there with a second chroot(2).
    ...host.procMounts.map((path) =>
      tolerate(step(reason, "umount2", [path, MNT_DETACH]), ["EINVAL", "EPERM", "ENOENT"])
    ),
    attach(reason, "$root", AT_FDCWD, "/"),
    step(reason, "fchdir", [slot("$root")]),
    step(reason, "chroot", ["."]),
    step(reason, "chdir", ["/"]),
  ];
}

/** What config.json asks of "/" is set on it again: it was made private for pivot_root(2). */
function setPropagation(config: Config): Node[] {
  const asked = config.linux?.rootfsPropagation || undefined;
  const flags = asked === undefined ? 0 : PROPAGATION[asked];
  if ((flags & (MS_SHARED | MS_UNBINDABLE)) === 0) return [];
  return [
    setAttributes(
      { label: `make the root filesystem ${asked}`, pointer: "/linux/rootfsPropagation" },
      "$root",
      { propagation: flags & ~MS_REC, recursive: (flags & MS_REC) !== 0 },
    ),
  ];
}

/** `root.readonly`, once nothing more is created in it. */
export function readonlyRootfs(config: Config): Node[] {
  if (!config.root.readonly) return [];
  return [
    setAttributes({ label: "make the root filesystem read-only", pointer: "/root/readonly" }, "$root", {
      set: MOUNT_ATTR_RDONLY,
    }),
  ];
}
