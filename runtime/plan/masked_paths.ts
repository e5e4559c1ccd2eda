/**
 * Paths that the container must not read, or not write.
 *
 * @see config-linux.md#masked-paths, config-linux.md#readonly-paths
 * @module
 */
import {
  AT_FDCWD,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
} from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import { openInRoot } from "./in_root.ts";
import { attach, cloneTree, newFilesystem, setAttributes } from "./mount_api.ts";
import { attempt, type Node, type Reason, slot, step } from "./node.ts";

/** Puts the host's /dev/null over each file and an empty read-only directory over each directory that exists. */
export function maskedPaths(config: Config): Node[] {
  const paths = config.linux?.maskedPaths ?? [];
  if (paths.length === 0) return [];
  return [
    // The host's, which nobody in the container can replace: an image's /dev/null may be a link (CVE-2025-31133).
    step({ label: "open /dev/null of the host", pointer: "/linux/maskedPaths" }, "openat", [
      AT_FDCWD,
      "/dev/null",
      O_PATH | O_NOFOLLOW | O_CLOEXEC,
      0,
    ], "$null"),
    ...paths.map((path, index) =>
      mask({ label: `mask ${path}`, pointer: `/linux/maskedPaths/${index}` }, path)
    ),
  ];
}

function mask(reason: Reason, path: string): Node {
  const target = slot("$target");
  const overDirectory: Node[] = [
    ...newFilesystem(reason, {
      type: "tmpfs",
      source: "tmpfs",
      attributes: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
      parameters: [{ key: "nr_blocks", value: "1", reason }, { key: "nr_inodes", value: "1", reason }],
    }, "$mask"),
    attach(reason, "$mask", target),
  ];
  const overFile: Node[] = [
    cloneTree(reason, { from: slot("$null") }, "$mask"),
    // It is the host's own file: writable, the container's root could change its mode and its owner. A device may be
    // written to all the same.
    setAttributes(reason, "$mask", { set: MOUNT_ATTR_RDONLY }),
    attach(reason, "$mask", target),
  ];
  return attempt(
    openInRoot(reason, path, "$target", { flags: O_PATH | O_DIRECTORY }),
    ["ENOENT", "ENOTDIR"],
    {
      then: overDirectory,
      otherwise: [attempt(openInRoot(reason, path, "$target"), ["ENOENT", "ENOTDIR"], { then: overFile })],
    },
  );
}

/** Binds each path that exists onto itself, read-only. */
export function readonlyPaths(config: Config): Node[] {
  return (config.linux?.readonlyPaths ?? []).map((path, index) => {
    const reason: Reason = { label: `make ${path} read-only`, pointer: `/linux/readonlyPaths/${index}` };
    return attempt(openInRoot(reason, path, "$target"), ["ENOENT", "ENOTDIR"], {
      then: [
        cloneTree(reason, { from: slot("$target"), recursive: true }, "$readonly"),
        setAttributes(reason, "$readonly", { set: MOUNT_ATTR_RDONLY }),
        attach(reason, "$readonly", slot("$target")),
      ],
    });
  });
}
