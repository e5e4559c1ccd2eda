/**
 * Entering namespaces: those of others by path, then our own.
 *
 * @see namespaces(7), setns(2), unshare(2), config-linux.md#namespaces
 * @module
 */
import {
  AF_INET,
  AT_FDCWD,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  IFF_UP,
  O_CLOEXEC,
  O_RDONLY,
  PR_SET_DUMPABLE,
  SIGCHLD,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from "../linux/generated/constants.ts";
import type { Config, Namespace, NamespaceType } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { cgroupFd } from "./inherited.ts";
import { barrier, type Node, type Reason, slot, type SlotName, step, tolerate } from "./node.ts";

const CLONE_FLAG: Readonly<Record<NamespaceType, number>> = {
  cgroup: CLONE_NEWCGROUP,
  ipc: CLONE_NEWIPC,
  mount: CLONE_NEWNS,
  network: CLONE_NEWNET,
  pid: CLONE_NEWPID,
  time: CLONE_NEWTIME,
  user: CLONE_NEWUSER,
  uts: CLONE_NEWUTS,
};

/** The container's namespace of this type: new, joined, or none of its own. */
export function namespace(config: Config, type: NamespaceType): "new" | "joined" | "none" {
  const found = config.linux?.namespaces?.find((candidate) => candidate.type === type);
  return found === undefined ? "none" : found.path ? "joined" : "new";
}

/** Enters the namespaces that are given by path. */
export function joinNamespaces(config: Config, host: Host): Node[] {
  const joined = (config.linux?.namespaces ?? [])
    .map((entry, index) => ({ ...entry, index }))
    .filter((entry) => entry.path);
  if (joined.length === 0) return [];

  const reason = ({ type, path, index }: Namespace & { index: number }): Reason => ({
    label: `join the ${type} namespace ${path}`,
    pointer: `/linux/namespaces/${index}/path`,
  });
  // A user namespace goes last while our own capabilities reach the others, and first where only those that we gain
  // in it do (setns(2), "capabilities"). The mount namespace goes behind all whose path it might hide: they are open.
  const rank = ({ type }: Namespace) =>
    type === "user" ? (host.privileged ? 2 : 0) : type === "mount" ? 1.5 : 1;
  const ordered = joined.toSorted((a, b) => rank(a) - rank(b));

  return [
    hideFromOthers(),
    ...joined.map((entry) =>
      step(reason(entry), "openat", [AT_FDCWD, entry.path!, O_RDONLY | O_CLOEXEC, 0], nsSlot(entry))
    ),
    ...ordered.map((entry) => step(reason(entry), "setns", [slot(nsSlot(entry)), CLONE_FLAG[entry.type]])),
  ];
}

/** Processes that are already in there must not trace us or look at our descriptors (CVE-2016-9962). */
function hideFromOthers(): Node {
  const reason: Reason = { label: "hide from the processes of the joined namespaces", pointer: "runtime" };
  return step(reason, "prctl", [PR_SET_DUMPABLE, 0, 0, 0, 0]);
}

function nsSlot({ type }: Namespace): SlotName {
  return `$ns_${type}`;
}

/**
 * Enters the namespaces that the process of `$pidfd` has by this config: all of the container's.
 *
 * @see setns(2), "fd is a pidfd"
 */
export function joinContainer(config: Config, host: Host, cgroup?: number): Node[] {
  const types = (config.linux?.namespaces ?? []).map(({ type }) => type);
  const reason: Reason = {
    label: `join the container's namespaces: ${types.join(", ")}`,
    pointer: "/linux/namespaces",
  };
  // Who is made in a cgroup has to see it and his own: where cgroup v2 is mounted with nsdelegate, as systemd does,
  // clone3(2) from within the container's cgroup namespace fails with ENOENT (cgroups(7), "Cgroup delegation").
  const late: NamespaceType[] = cgroup === undefined ? [] : types.filter((type) => type === "cgroup");
  const rest = types.filter((type) => !late.includes(type));
  // See `joinNamespaces` for the user namespace's place.
  const others = host.privileged ? rest.filter((type) => type !== "user") : rest;
  const user = rest.filter((type) => !others.includes(type));
  const join = (group: readonly NamespaceType[]) =>
    group.length === 0
      ? []
      : [step(reason, "setns", [slot("$pidfd"), group.reduce((all, type) => all | CLONE_FLAG[type], 0)])];
  return [
    hideFromOthers(),
    ...join(others),
    ...(late.length > 0 ? [] : join(user)),
    ...fork(types, cgroup),
    ...(late.length > 0 ? [...join(late), ...join(user)] : []),
    step({ label: "leave the caller's session", pointer: "runtime" }, "setsid", []),
    ...(types.includes("user") ? stayOrBecomeRoot() : []),
  ];
}

/** Makes the new namespaces and, where they only take effect on a child, forks it. */
export function createNamespaces(config: Config, host: Host): Node[] {
  const namespaces = config.linux?.namespaces ?? [];
  const fresh = namespaces.filter((entry) => !entry.path).map((entry) => entry.type);
  // The maps must be there before the IPC namespace is made: its mqueue superblock belongs to root, which would be
  // nobody. A time namespace takes its offsets only before anybody is in it, so it is made as early.
  const early = fresh.filter((type) => type === "user" || (type === "time" && hasTimeOffsets(config)));
  // Who is made in a cgroup must not have left the namespace that it is seen from: a cgroup namespace begins at the cgroup
  // that its maker is in.
  const late: NamespaceType[] = host.unifiedCgroup ? fresh.filter((type) => type === "cgroup") : [];
  const rest = fresh.filter((type) => !early.includes(type) && !late.includes(type));
  // Who joins a cgroup namespace is in the container's cgroup already: `joinCgroupsButMemory`.
  const forksInto = host.unifiedCgroup && namespace(config, "cgroup") !== "joined";

  return [
    ...(early.length > 0
      ? [unshare(early), barrier("namespaces", "the runtime writes id maps and time offsets")]
      : []),
    ...(rest.length > 0 ? [unshare(rest)] : []),
    ...fork(namespaces.map(({ type }) => type), forksInto ? cgroupFd(config, host) : undefined),
    ...(late.length > 0 ? [unshare(late)] : []),
    step({ label: "leave the caller's session", pointer: "runtime" }, "setsid", []),
    ...(fresh.includes("network") ? loopback() : []),
    ...(namespace(config, "user") === "joined" ? stayOrBecomeRoot() : []),
  ];
}

/** Pid and time namespaces, and cgroup v2, only take effect on a child. */
function fork(types: readonly NamespaceType[], cgroup?: number): Node[] {
  if (!types.includes("pid") && !types.includes("time") && cgroup === undefined) return [];
  return [{
    kind: "fork",
    ...(cgroup !== undefined && { cgroup }),
    // The init becomes a sibling, so that it is a child of the runtime and falls to the runtime's subreaper.
    flags: CLONE_PARENT | SIGCHLD,
    save: "$init",
    label: "fork the first process of the new namespaces",
    pointer: "/linux/namespaces",
  }];
}

/** A joined user namespace may not map root: then we stay who we are. */
function stayOrBecomeRoot(): Node[] {
  const reason: Reason = { label: "become root of the user namespace", pointer: "/linux/namespaces" };
  return [
    tolerate(step(reason, "setresgid", [0, 0, 0]), ["EINVAL"]),
    tolerate(step(reason, "setresuid", [0, 0, 0]), ["EINVAL"]),
  ];
}

/**
 * Becomes root of a new user namespace.
 *
 * Comes after the root filesystem and the sources of bind mounts are open: until here we are still the caller towards the
 * files of the host, and may pass directories that are closed to mapped ids.
 */
export function becomeRoot(config: Config): Node[] {
  if (namespace(config, "user") !== "new") return [];
  const reason: Reason = { label: "become root of the user namespace", pointer: "/linux/uidMappings" };
  return [
    // EPERM: an unprivileged caller must not drop groups, they may be there to deny (user_namespaces(7), CVE-2014-8989).
    tolerate(step(reason, "setgroups", [0, null]), ["EPERM"]),
    step(reason, "setresgid", [0, 0, 0]),
    step(reason, "setresuid", [0, 0, 0]),
  ];
}

function hasTimeOffsets(config: Config): boolean {
  return config.linux?.timeOffsets !== undefined;
}

function unshare(types: readonly NamespaceType[]): Node {
  const flags = types.reduce((all, type) => all | CLONE_FLAG[type], 0);
  return step({ label: `create namespaces: ${types.join(", ")}`, pointer: "/linux/namespaces" }, "unshare", [
    flags,
  ]);
}

/** A new network namespace has only a loopback interface, and it is down. */
function loopback(): Node[] {
  const reason: Reason = { label: "bring the loopback interface up", pointer: "/linux/namespaces" };
  const name = new TextEncoder().encode("lo");
  return [
    step(reason, "socket", [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], "$socket"),
    step(reason, "ioctl", [slot("$socket"), SIOCSIFFLAGS, {
      struct: "ifreq",
      members: { ifr_name: name, ifr_flags: IFF_UP, _: 0 },
    }]),
    step(reason, "close", [slot("$socket")]),
  ];
}
