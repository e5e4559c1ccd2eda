/**
 * Mounting and unmounting in a running container, as lists of system calls.
 *
 * @module
 */
import { MNT_DETACH, MS_PRIVATE, MS_SLAVE, O_CLOEXEC } from "../linux/generated/constants.ts";
import { ConfigError } from "../errors.ts";
import type { Config } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { openInRoot } from "./in_root.ts";
import { inherited } from "./inherited.ts";
import { setAttributes } from "./mount_api.ts";
import { cloneSources, mounts, type PlannedMount, plannedMounts, readonlyMounts } from "./mounts.ts";
import { joinContainer, namespace } from "./namespaces.ts";
import { type Node, type Plan, slot, step } from "./node.ts";
import { endOfOwnFds, openRoot, pidfdNumber } from "./plan_exec.ts";

/**
 * Compiles config.json's `mounts` for the container of the rest of `config`.
 *
 * @throws {ConfigError} for what needs the runtime's help, or would give the container more than it could have at its creation
 */
export function planAddMounts(config: Config, host: Host): Plan {
  const planned = plannedMounts(config);
  planned.forEach((mount) => refuse(mount, config));
  return [
    ...inherited(endOfOwnFds(host)),
    // The sources are the host's: they are cloned while we see them.
    ...cloneSources(config, host),
    ...planned.filter(({ type }) => type === "bind").map(leaveHost),
    ...joinContainer(config, host),
    openRoot(),
    ...mounts(config, host, true),
    ...readonlyMounts(config),
    end(),
  ];
}

/** What is mounted in a container is not to be seen on the host: its own mounts were made slaves at its creation. */
function leaveHost({ reason, save, options }: PlannedMount): Node {
  const propagation = options.propagation.length > 0 ? MS_SLAVE : MS_PRIVATE;
  return setAttributes(reason, save, { propagation, recursive: true });
}

/** Filesystems that are made of nothing but what the kernel knows. */
const WITHOUT_SOURCE: readonly string[] = ["tmpfs", "proc", "sysfs", "mqueue", "devpts"];

function refuse({ index, type, mount, options: { extensions } }: PlannedMount, config: Config): void {
  const cannot = (problem: string): ConfigError =>
    new ConfigError(`/mounts/${index}`, `cannot be added to a running container: ${problem}`);
  if (mount.uidMappings !== undefined || extensions.has("idmap") || extensions.has("ridmap")) {
    throw cannot("it is id-mapped");
  }
  // The container can choose which mount a path leads to, and so have one of its masks made writable.
  if (extensions.has("remount")) throw cannot("it is a remount");
  if (extensions.has("tmpcopyup")) throw cannot("it has tmpcopyup");
  // Of others the source or the options name files, which would be the container's: its link to a disk of the host, say.
  if (type !== "bind" && !WITHOUT_SOURCE.includes(type)) {
    throw cannot(`its type is none of bind, ${WITHOUT_SOURCE.join(", ")}`);
  }
  // In the place of a sysfs that it may not mount a container gets the host's /sys, which is out of sight here.
  if (type === "sysfs" && namespace(config, "network") !== "new") {
    throw cannot("the container has no network namespace of its own for a sysfs to show");
  }
  if (type === "bind" && namespace(config, "user") !== "none") {
    // The kernel locks flags such as "ro" only in mounts that a new namespace copies: mount_namespaces(7).
    throw cannot(
      "the container has a user namespace, whose root could take the host's flags from a bind mount",
    );
  }
}

/** Compiles the removal of what is mounted at the destinations of config.json's `mounts`. */
export function planRemoveMounts(config: Config, host: Host): Plan {
  return [
    ...inherited(endOfOwnFds(host)),
    ...joinContainer(config, host),
    openRoot(),
    ...plannedMounts(config).flatMap((planned) => unmount(planned, host)),
    end(),
  ];
}

function unmount({ destination, index }: PlannedMount, host: Host): Node[] {
  const reason = { label: `remove the mount on ${destination}`, pointer: `/mounts/${index}` };
  // umount2(2) takes no descriptor. It is the runtime's own procfs that leads to ours, under a number that we know.
  const number = pidfdNumber(host);
  return [
    // A link here could have us remove what masks a file of /proc.
    openInRoot(reason, destination, "$target", { noSymlinks: true }),
    step(reason, "dup3", [slot("$target"), number, O_CLOEXEC]),
    step(reason, "fchdir", [slot("$proc")]),
    step(reason, "umount2", [`self/fd/${number}`, MNT_DETACH]),
    step(reason, "chdir", ["/"]),
  ];
}

/** So that the last record is one that always runs: by that the runtime knows that all is done. */
function end(): Node {
  return step({ label: "end", pointer: "runtime" }, "exit_group", [0]);
}
