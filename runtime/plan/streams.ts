/**
 * Standard streams that are the host's /dev/null, as engines pass it where nobody reads or writes.
 *
 * @module
 */
import { O_NOCTTY, O_NOFOLLOW, O_RDWR } from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { openInRoot } from "./in_root.ts";
import { attempt, type Node, type Reason, slot, type SlotName, step, tolerate } from "./node.ts";

/** By stream: the slots of a host whose `nullStdio` is "late". */
export const NULL_SLOTS: readonly SlotName[] = ["$null0", "$null1", "$null2"];

/**
 * Puts the container's own /dev/null in the place of the host's. That is one file for the whole host, and who holds a
 * descriptor of it can change its mode and its owner: as the container's root, with no more than CAP_FOWNER and CAP_CHOWN.
 *
 * @see runc's reOpenDevNull, libcontainer/rootfs_linux.go
 */
export function nullStreams(process: Process, host: Host): Node[] {
  // A terminal takes the place of all three.
  const streams = process.terminal ? [] : [0, 1, 2].filter((stream) => host.nullStdio[stream]);
  if (streams.length === 0) return [];
  const reason: Reason = { label: "turn to /dev/null of the container", pointer: "runtime" };
  const open = openInRoot(reason, "/dev/null", "$devnull", {
    flags: O_RDWR | O_NOCTTY | O_NOFOLLOW,
    noSymlinks: true,
  });
  return [
    // A /dev that is bound from elsewhere may have none, or a link, or forbid devices.
    attempt(open, ["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM", "ENXIO"], {
      then: streams.map((stream) =>
        host.nullStdio[stream] === "late"
          ? tolerate(step(reason, "dup3", [slot("$devnull"), slot(NULL_SLOTS[stream]!), 0]), ["EBADF"])
          : step(reason, "dup3", [slot("$devnull"), stream, 0])
      ),
    }),
  ];
}
