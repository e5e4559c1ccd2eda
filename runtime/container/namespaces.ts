/**
 * What of a namespace only a process outside of it can set.
 *
 * @see user_namespaces(7), time_namespaces(7)
 * @module
 */
import { O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import { AT_FDCWD } from "../linux/generated/constants.ts";
import { close, openat2, write } from "../linux/files.ts";
import type { Host } from "../plan/host.ts";
import type { Config, IDMapping } from "../spec/config.ts";
import { onBehalfOf } from "./on_behalf_of.ts";

/** Writes the id maps of a new user namespace that `pid` is in. */
export function writeIdMaps({ linux }: Config, host: Host, pid: number): void {
  if (linux?.uidMappings === undefined || linux.gidMappings === undefined) return;
  // The kernel lets an unprivileged process map its groups only when it cannot drop them (CVE-2014-8989).
  if (!host.privileged) writeProcFile(pid, "setgroups", "deny", "/linux/gidMappings");
  writeProcFile(pid, "gid_map", idMap(linux.gidMappings), "/linux/gidMappings");
  writeProcFile(pid, "uid_map", idMap(linux.uidMappings), "/linux/uidMappings");
}

/** As /proc/PID/uid_map takes it: a line for each range. */
export function idMap(mappings: readonly IDMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

/** Writes the offsets of a new time namespace for the children of `pid`. */
export function writeTimeOffsets({ linux }: Config, pid: number): void {
  const lines = Object.entries(linux?.timeOffsets ?? {})
    .map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`);
  if (lines.length > 0) writeProcFile(pid, "timens_offsets", lines.join(""), "/linux/timeOffsets");
}

/** With one write(2), as these files want it. */
export function writeProcFile(pid: number, name: string, text: string, pointer: string): void {
  const path = `/proc/${pid}/${name}`;
  onBehalfOf({ label: `write ${JSON.stringify(text)} to ${path}`, pointer }, () => {
    const fd = openat2(AT_FDCWD, path, { flags: O_WRONLY | O_CLOEXEC });
    try {
      write(fd, new TextEncoder().encode(text), { path });
    } finally {
      close(fd);
    }
  });
}
