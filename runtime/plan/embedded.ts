/**
 * A root filesystem that lies in the executable itself: an image of erofs or squashfs, and over it a tmpfs for what is
 * written.
 *
 * @see https://docs.kernel.org/filesystems/erofs.html, https://docs.kernel.org/filesystems/squashfs.html,
 *   https://docs.kernel.org/filesystems/overlayfs.html, loop(4)
 * @module
 */
import {
  AT_FDCWD,
  F_GETFD,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  LOOP_CONFIGURE,
  LOOP_CTL_ADD,
  O_CLOEXEC,
  O_RDONLY,
} from "../linux/generated/constants.ts";
import { attach, newFilesystem } from "./mount_api.ts";
import { type Arg, attempt, type Node, type Reason, slot, step, tolerate } from "./node.ts";

/** What the kernel can mount from a file, or through a loop device. */
export type ImageType = "erofs" | "squashfs";

/**
 * Where the image lies in the executable, in bytes. That of erofs begins with the file, whose first kilobyte it leaves to
 * others; squashfs has a superblock at its beginning.
 */
export const IMAGE_OFFSETS: Readonly<Record<ImageType, number>> = { erofs: 0, squashfs: 4096 };

/** Filesystems open what they are made of by a path, which has a number in it; so does a structure. */
const [IMAGE_FD, LOOP_FD, CONTROL_FD] = [101, 102, 103];
/** Out of the way of the numbers that a plan gives its own descriptors. */
const LOWER_FD = 104;
const path = (fd: number) => `/proc/self/fd/${fd}`;

/**
 * Makes `$lower`, a mount of the image that is not attached yet. Before the executable is forgotten, and before the
 * container's cgroup is joined, which may have no right to block devices.
 */
export function mountImage(type: ImageType): Node[] {
  const reason: Reason = { label: `mount the embedded image of ${type}`, pointer: "/root/path" };
  const fs = slot("$fs");
  const open = step(reason, "fsopen", [type, FSOPEN_CLOEXEC], "$fs");
  const source = (fd: number) => step(reason, "fsconfig", [fs, FSCONFIG_SET_STRING, "source", path(fd), 0]);
  // Otherwise a device would be opened for writing.
  const readonly = step(reason, "fsconfig", [fs, FSCONFIG_SET_FLAG, "ro", null, 0]);
  const create = step(reason, "fsconfig", [fs, FSCONFIG_CMD_CREATE, null, null, 0]);
  const fromDevice = [...takeLoopDevice(IMAGE_OFFSETS[type]), open, source(LOOP_FD), readonly, create];
  return [
    step(reason, "openat", [AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0], "$image"),
    step(reason, "dup3", [slot("$image"), IMAGE_FD, O_CLOEXEC]),
    step(reason, "close", [slot("$image")]),
    // From the file itself since Linux 6.12, with CONFIG_EROFS_FS_BACKED_BY_FILE.
    ...(type === "erofs"
      ? [
        open,
        source(IMAGE_FD),
        attempt(create, ["ENOTBLK"], { otherwise: [step(reason, "close", [fs]), ...fromDevice] }),
      ]
      : fromDevice),
    step(reason, "fsmount", [fs, FSMOUNT_CLOEXEC, 0], "$mount"),
    step(reason, "close", [fs]),
    step(reason, "dup3", [slot("$mount"), LOWER_FD, O_CLOEXEC], "$lower"),
    step(reason, "close", [slot("$mount")]),
    ...[IMAGE_FD, LOOP_FD].map((fd) => tolerate(step(reason, "close", [fd]), ["EBADF"])),
  ];
}

/** A plan cannot make a path of a number that the kernel gives, so it tries so many. */
const LOOP_DEVICES = 32;

/**
 * Has LOOP_FD be a loop device for the image, which is free again when its mount has gone. Once the image is closed no
 * further device takes it, and none is made: EBADF.
 */
function takeLoopDevice(offset: number): Node[] {
  const last = LOOP_DEVICES - 1;
  const reason: Reason = {
    label: `find a loop device that is free, of /dev/loop0 to /dev/loop${last}`,
    pointer: "/root/path",
  };
  const device = slot("$device");
  const open = (path: string) => step(reason, "openat", [AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0], "$device");
  const close = (fd: Arg) => step(reason, "close", [fd]);
  const keepAs = (fd: number) => step(reason, "dup3", [device, fd, O_CLOEXEC]);
  const members = { fd: IMAGE_FD, lo_offset: offset, lo_flags: LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
  const configure = step(reason, "ioctl", [device, LOOP_CONFIGURE, { struct: "loop_config", members }]);
  const closeControl = tolerate(close(CONTROL_FD), ["EBADF"]);
  const use = [
    attempt(configure, ["EBUSY", "EBADF"], { then: [keepAs(LOOP_FD), close(IMAGE_FD), closeControl] }),
    close(device),
  ];
  const tryDevice = (number: number) => {
    const node = open(`/dev/loop${number}`);
    const add = step(reason, "ioctl", [CONTROL_FD, LOOP_CTL_ADD, number]);
    return attempt(node, ["ENOENT", "ENXIO"], {
      then: use,
      // Somebody else may have made it since. Where /dev is not the kernel's, it has no node all the same.
      otherwise: [
        attempt(add, ["EEXIST", "EBADF"], {
          then: [attempt(node, ["ENOENT", "ENXIO"], { then: use })],
        }),
      ],
    });
  };
  return [
    // Loads the module, too. There may be devices without it.
    attempt(open("/dev/loop-control"), ["ENOENT", "ENXIO", "ENODEV", "EACCES", "EPERM"], {
      then: [keepAs(CONTROL_FD), close(device)],
    }),
    ...Array.from({ length: LOOP_DEVICES }, (_, number) => tryDevice(number)),
    step(reason, "fcntl", [LOOP_FD, F_GETFD, 0]),
    closeControl,
  ];
}

/**
 * Where the layers are put together, in our own mount namespace: a directory that is always there. The host's procfs is
 * open, and is covered by this until the root is entered.
 */
const STAGE = "/proc";

/** Mounts `$lower` with a tmpfs over it as `$root`. */
export function openEmbeddedRootfs(): Node[] {
  const reason: Reason = { label: "put a tmpfs over the embedded image", pointer: "/root/path" };
  const stage = slot("$stage");
  const directory = (name: string) => step(reason, "mkdirat", [stage, name, 0o755]);
  const layer = (key: string, name: string) => ({ key, value: `${STAGE}/${name}`, reason });
  return [
    ...newFilesystem(reason, {
      type: "tmpfs",
      source: "tmpfs",
      attributes: 0,
      parameters: [{ key: "mode", value: "700", reason }],
    }, "$stage"),
    attach(reason, "$stage", AT_FDCWD, STAGE),
    ...["lower", "upper", "work", "root"].map(directory),
    attach(reason, "$lower", stage, "lower"),
    ...newFilesystem(reason, {
      type: "overlay",
      source: "overlay",
      attributes: 0,
      parameters: [layer("lowerdir", "lower"), layer("upperdir", "upper"), layer("workdir", "work")],
    }, "$root"),
    attach(reason, "$root", stage, "root"),
  ];
}
