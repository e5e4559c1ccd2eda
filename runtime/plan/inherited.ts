/**
 * The first steps of every plan: the status page, and what the init must not keep of the process that spawned it.
 *
 * @module
 */
import {
  AT_FDCWD,
  MAP_FIXED,
  MAP_SHARED,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  PROT_READ,
  PROT_WRITE,
  SOCK_CLOEXEC,
} from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { idmappedMounts } from "./mounts.ts";
import { type Node, type Reason, slot, type Step, step } from "./node.ts";
import { STATUS_ADDRESS, STATUS_BYTES } from "./status_page.ts";

/**
 * Descriptors that the init finds open, from {@linkcode firstOwnFd} on. Behind them come those of idmapped mounts, or
 * `$pidfd`, the first process of the container to join.
 */
export const OWN_FDS = ["$status", "$listen", "$barrier"] as const;

/** The first descriptor after those of the container. */
export function firstOwnFd(host: Pick<Host, "preserveFds">): number {
  return 3 + host.preserveFds;
}

/** The first of the descriptors of user namespaces that idmapped mounts take their maps from. */
export function firstIdmapFd(host: Host): number {
  return firstOwnFd(host) + OWN_FDS.length;
}

/** The descriptor of the container's directory of cgroup v2, if it has one. */
export function cgroupFd(config: Config, host: Host): number {
  return firstIdmapFd(host) + idmappedMounts(config).length;
}

/** The number after the last descriptor that the runtime hands to the init. */
export function endOfOwnFds(config: Config, host: Host): number {
  return cgroupFd(config, host) + (host.unifiedCgroup ? 1 : 0);
}

/** The highest descriptor that close_range(2) takes: all from a first one on. */
export const LAST_FD = 0xffffffff;

const reason: Reason = { label: "set up the init", pointer: "runtime" };

/** The first step: from here on the runtime sees which step runs, and reads the errno of the one that fails. */
function mapStatusPage(): Step {
  return step(reason, "mmap", [
    STATUS_ADDRESS,
    STATUS_BYTES,
    PROT_READ | PROT_WRITE,
    MAP_SHARED | MAP_FIXED,
    slot("$status"),
    0,
  ]);
}

/** What every init begins with. */
export function meetRuntime(): Step[] {
  return [
    mapStatusPage(),
    // The runtime has connected already: this does not wait.
    ...acceptRuntime(reason),
  ];
}

/** Has `$barrier` be the next connection that a runtime makes. Its number is taken all the time, so it keeps it. */
export function acceptRuntime(reason: Reason): Step[] {
  return [
    step(reason, "accept4", [slot("$listen"), null, null, SOCK_CLOEXEC], "$connection"),
    step(reason, "dup3", [slot("$connection"), slot("$barrier"), O_CLOEXEC]),
  ];
}

/**
 * Meets the runtime and lets go of everything else that the caller had open.
 *
 * @param endOfOwn the number after the last descriptor that the init is to keep
 */
export function inherited(endOfOwn: number): Node[] {
  return [
    ...meetRuntime(),
    // A descriptor of the host that our caller forgot to close must not be within the container's reach
    // (CVE-2024-21626), nor keep a pipe open while the init waits.
    step(reason, "close_range", [endOfOwn, LAST_FD, 0]),
    // So that modes in the plan are the modes on disk. `umask` sets the container's own at the end.
    step(reason, "umask", [0]),
    // Everything that is written to /proc goes through this descriptor, never through the image's /proc
    // (CVE-2019-16884, CVE-2025-52881).
    step(reason, "openat", [AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$proc"),
  ];
}
