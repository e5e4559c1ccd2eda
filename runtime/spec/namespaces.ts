/**
 * config.json `/linux/namespaces` with the id mappings and clock offsets that go with them.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#namespaces
 * @module
 */

import {
  absolutePath,
  array,
  type Check,
  distinct,
  type Fault,
  int64,
  integer,
  map,
  object,
  oneOf,
  orEmpty,
  refuse,
  uint32,
} from "./check.ts";
import type { Integer } from "./json.ts";

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";

/** A namespace to create, or to join. */
export interface Namespace {
  readonly type: NamespaceType;
  /** Join the namespace of this file, an absolute path, instead. */
  readonly path?: string;
}

/** A range of user or group ids. */
export interface IDMapping {
  /** The first id in the container. */
  readonly containerID: number;
  /** The first id on the host. */
  readonly hostID: number;
  /** How many; more than zero. */
  readonly size: number;
}

/** By clock. */
export type TimeOffsets = Readonly<Partial<Record<"monotonic" | "boottime", TimeOffset>>>;

/** What a clock of the time namespace is ahead of the host's. */
export interface TimeOffset {
  readonly secs?: Integer;
  /** 0 to 999999999. */
  readonly nanosecs?: number;
}

export const checkNamespaces: Check = array(
  object<Namespace>({
    type: oneOf<NamespaceType>("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"),
    path: orEmpty(absolutePath),
  }, ["type"]),
  distinct("type"),
);

/** A map for /proc/PID/uid_map, or for an id-mapped mount. */
export const checkIdMappings: Check = array(
  object<IDMapping>(
    { containerID: uint32, hostID: uint32, size: integer(1, 0xffff_ffff) },
    ["containerID", "hostID", "size"],
  ),
  idMappingsRule,
);

/** What the kernel answers with EINVAL when it is written to uid_map: see user_namespaces(7). */
function idMappingsRule(mappings: readonly IDMapping[]): Fault | undefined {
  for (const member of ["containerID", "hostID"] as const) {
    for (const [i, { [member]: first, size }] of mappings.entries()) {
      const end = first + size;
      if (end > 0xffff_ffff) {
        return refuse(size, `must not lead beyond id 4294967294 from ${first}`, `/${i}/size`);
      }
      const other = mappings.findIndex((mapping) =>
        first < mapping[member] + mapping.size && mapping[member] < end
      );
      if (other < i) return refuse(first, `must not overlap item ${other}`, `/${i}/${member}`);
    }
  }
}

export const checkTimeOffsets: Check = map(
  object<TimeOffset>({ secs: int64, nanosecs: integer(0, 999_999_999) }),
  oneOf("monotonic", "boottime"),
);

/** The namespace of a type, to create or to join; nothing if it is the runtime's. */
export function findNamespace(
  namespaces: readonly Namespace[] | undefined,
  type: NamespaceType,
): Namespace | undefined {
  return namespaces?.find((namespace) => namespace.type === type);
}

/** A fault if the container has no namespace of a type, of its own or joined. */
export function needNamespace(
  namespaces: readonly Namespace[] | undefined,
  type: NamespaceType,
  pointer: string,
): Fault | undefined {
  if (findNamespace(namespaces, type) !== undefined) return;
  return {
    pointer,
    problem: `needs a "${type}" namespace in /linux/namespaces, or it would change the host`,
  };
}
