/**
 * What of a namespace only a process outside of it can set.
 *
 * @see user_namespaces(7), time_namespaces(7)
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import { close, openat2, write } from "../linux/files.ts";
import { ConfigError } from "../errors.ts";
import type { Host } from "../plan/host.ts";
import type { Config, IDMapping } from "../spec/config.ts";
import { onBehalfOf } from "./on_behalf_of.ts";
import { findProgram, runProgram } from "./program.ts";

/**
 * Writes the id maps of a new user namespace that `pid` is in. Without privilege we may map our own ids and no others;
 * newuidmap(1) and newgidmap(1) may map those that subuid(5) and subgid(5) grant us.
 *
 * @throws {ConfigError} if they refuse, or are not there
 */
export function writeIdMaps({ linux }: Config, host: Host, pid: number): void {
  if (linux?.uidMappings === undefined || linux.gidMappings === undefined) return;
  const { uidMappings, gidMappings } = linux;
  if (host.privileged || isAlone(gidMappings, Deno.gid())) {
    // The kernel lets an unprivileged process map its groups only when it cannot drop them (CVE-2014-8989).
    if (!host.privileged) writeProcFile(pid, "setgroups", "deny", "/linux/gidMappings");
    writeProcFile(pid, "gid_map", idMap(gidMappings), "/linux/gidMappings");
  } else mapBy("newgidmap", pid, gidMappings, "/linux/gidMappings");
  if (host.privileged || isAlone(uidMappings, Deno.uid())) {
    writeProcFile(pid, "uid_map", idMap(uidMappings), "/linux/uidMappings");
  } else mapBy("newuidmap", pid, uidMappings, "/linux/uidMappings");
}

/** Whether `id` of ours is all that is mapped. */
function isAlone(mappings: readonly IDMapping[], id: number | null): boolean {
  const [first, ...others] = mappings;
  return others.length === 0 && first?.size === 1 && first.hostID === id;
}

/** Has a set-user-ID program of the package uidmap write a map. */
function mapBy(name: string, pid: number, mappings: readonly IDMapping[], pointer: string): void {
  const path = findProgram(name);
  if (path === undefined) {
    throw new ConfigError(pointer, `maps other ids than our own: that takes ${name}, of the package uidmap`);
  }
  const ranges = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]);
  const { status, output } = runProgram({ path, args: [name, `${pid}`, ...ranges.map(String)] });
  if (status.kind === "exited" && status.code === 0) return;
  throw new ConfigError(pointer, output.trim() || `${name} failed`);
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
