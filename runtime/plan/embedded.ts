/**
 * A root filesystem that lies in the executable itself: an image of erofs, and over it a tmpfs for what is written.
 *
 * @see https://docs.kernel.org/filesystems/erofs.html, https://docs.kernel.org/filesystems/overlayfs.html
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from "../linux/generated/constants.ts";
import { attach, newFilesystem } from "./mount_api.ts";
import { type Node, type Reason, slot, step } from "./node.ts";

const REASON: Reason = { label: "mount the embedded root filesystem", pointer: "/root/path" };

/** Erofs opens its image by a path, which has a number in it. */
const IMAGE_FD = 101;

/** Opens the executable, before it is forgotten. */
export function openImage(): Node[] {
  return [
    step(REASON, "openat", [AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0], "$image"),
    step(REASON, "dup3", [slot("$image"), IMAGE_FD, O_CLOEXEC]),
  ];
}

/**
 * Where the layers are put together, in our own mount namespace: a directory that is always there. The host's procfs is
 * open, and is covered by this until the root is entered.
 */
const STAGE = "/proc";

/** Mounts it as `$root`. A mount of a file itself takes Linux 6.12, with CONFIG_EROFS_FS_BACKED_BY_FILE. */
export function openEmbeddedRootfs(): Node[] {
  const stage = slot("$stage");
  const directory = (name: string) => step(REASON, "mkdirat", [stage, name, 0o755]);
  const layer = (key: string, name: string) => ({ key, value: `${STAGE}/${name}`, reason: REASON });
  return [
    ...newFilesystem(
      REASON,
      { type: "erofs", source: `/proc/self/fd/${IMAGE_FD}`, attributes: 0, parameters: [] },
      "$lower",
    ),
    step(REASON, "close", [IMAGE_FD]),
    ...newFilesystem(REASON, {
      type: "tmpfs",
      source: "tmpfs",
      attributes: 0,
      parameters: [{ key: "mode", value: "700", reason: REASON }],
    }, "$stage"),
    attach(REASON, "$stage", AT_FDCWD, STAGE),
    ...["lower", "upper", "work", "root"].map(directory),
    attach(REASON, "$lower", stage, "lower"),
    ...newFilesystem(REASON, {
      type: "overlay",
      source: "overlay",
      attributes: 0,
      parameters: [layer("lowerdir", "lower"), layer("upperdir", "upper"), layer("workdir", "work")],
    }, "$root"),
    attach(REASON, "$root", stage, "root"),
  ];
}
