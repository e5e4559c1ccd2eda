/**
 * The maps of a new user namespace and the offsets of a new time namespace, without a runtime that writes them.
 *
 * @see user_namespaces(7), time_namespaces(7)
 * @module
 */
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  PR_SET_PDEATHSIG,
  SIGCHLD,
  SIGKILL,
} from "../linux/generated/constants.ts";
import type { Config, IDMapping } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { writeFile, writeProc } from "./idioms.ts";
import { namespace } from "./namespaces.ts";
import { type Node, type Reason, slot, step } from "./node.ts";

const UID: Reason = { label: "write the uid map", pointer: "/linux/uidMappings" };
const GID: Reason = { label: "write the gid map", pointer: "/linux/gidMappings" };

/**
 * Makes a user namespace by `unshare` and gives it its maps.
 *
 * A process without privilege may map itself. Any other map has to be written by a process that is privileged outside, and
 * who makes the namespace is not any more: that is for a helper, which is forked before.
 */
export function idMaps({ linux, ...config }: Config, host: Host, unshare: Node): Node[] {
  const { uidMappings, gidMappings } = linux ?? {};
  if (namespace({ linux, ...config }, "user") !== "new" || !uidMappings || !gidMappings) return [unshare];
  if (!host.privileged) {
    return [
      unshare,
      // Without it the kernel refuses the map of groups: who may drop a group may gain what it denies (CVE-2014-8989).
      ...writeProc({ label: "keep the groups", pointer: GID.pointer }, "self/setgroups", "deny"),
      ...writeProc(GID, "self/gid_map", idMap(gidMappings)),
      ...writeProc(UID, "self/uid_map", idMap(uidMappings)),
    ];
  }
  const reason: Reason = { label: "have a helper write the id maps", pointer: UID.pointer };
  const one = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
  return [
    // The helper has another /proc/self.
    step(reason, "openat", [slot("$proc"), "self", O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$self"),
    step(reason, "eventfd2", [0, O_CLOEXEC], "$event"),
    {
      kind: "fork",
      ...reason,
      flags: SIGCHLD,
      save: "$helper",
      child: [
        // Nobody would ever tell it, if we could not make the namespace.
        step(reason, "prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]),
        step(reason, "read", [slot("$event"), { buffer: 8 }, 8]),
        ...writeSelf(GID, "gid_map", idMap(gidMappings)),
        ...writeSelf(UID, "uid_map", idMap(uidMappings)),
      ],
    },
    unshare,
    step(reason, "write", [slot("$event"), one, 8]),
    // If it has failed, that is the first failure, and ours the next: as a user who is not mapped we come not far.
    step(reason, "wait4", [slot("$helper"), null, 0, null]),
  ];
}

function writeSelf(reason: Reason, file: string, text: string): Node[] {
  return [
    step(reason, "openat", [slot("$self"), file, O_WRONLY | O_CLOEXEC, 0], "$file"),
    ...writeFile(reason, text),
  ];
}

/** As /proc/PID/uid_map takes it: a line for each range. */
function idMap(mappings: readonly IDMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

/** Nobody is in the new time namespace before the first child: its maker may set it. */
export function timeOffsets({ linux }: Config): Node[] {
  const lines = Object.entries(linux?.timeOffsets ?? {})
    .map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`);
  if (lines.length === 0) return [];
  return writeProc(
    { label: "set the clocks of the time namespace", pointer: "/linux/timeOffsets" },
    "self/timens_offsets",
    lines.join(""),
  );
}
