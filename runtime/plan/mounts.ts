/**
 * config.json's mounts, in the order listed.
 *
 * @see config.md#mounts, mount_options.ts for their options
 * @module
 */
import {
  FSCONFIG_CMD_RECONFIGURE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSPICK_CLOEXEC,
  FSPICK_EMPTY_PATH,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_RDONLY,
  MS_I_VERSION,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
} from "../linux/generated/constants.ts";
import { ConfigError } from "../errors.ts";
import type { Config, IDMapping, Mount } from "../spec/config.ts";
import { cgroupMount } from "./cgroup_mount.ts";
import type { Host } from "./host.ts";
import { firstIdmapFd } from "./inherited.ts";
import { clean, openInRoot, openOrCreateInRoot } from "./in_root.ts";
import {
  attach,
  type Change,
  cloneTree,
  newFilesystem,
  orElse,
  type Parameter,
  setAttributes,
} from "./mount_api.ts";
import { type MountOptions, parseMountOptions } from "./mount_options.ts";
import { namespace } from "./namespaces.ts";
import { type Node, type Reason, slot, type SlotName, step } from "./node.ts";

/** One mount of the config with all that is derived from it. */
export interface PlannedMount {
  readonly index: number;
  readonly mount: Mount;
  readonly destination: string;
  readonly type: string;
  readonly options: MountOptions;
  readonly reason: Reason;
  /** Its descriptor, from its making to the end of the plan: `$mount3`. */
  readonly save: SlotName;
}

/** Each needs a slot of the status page, and up to the end of the plan a descriptor. */
const MAX_MOUNTS = 400;

/** A dozen builders ask for the same ones, in code that runs once and that V8 does not optimise. */
const known = new WeakMap<readonly Mount[], readonly PlannedMount[]>();

/** The mounts of a config with their options sorted. Refuses what no filesystem is asked about. */
export function plannedMounts({ mounts }: Config): readonly PlannedMount[] {
  if (mounts === undefined) return [];
  let planned = known.get(mounts);
  if (planned === undefined) known.set(mounts, planned = planAll(mounts));
  return planned;
}

function planAll(mounts: readonly Mount[]): PlannedMount[] {
  if (mounts.length > MAX_MOUNTS) {
    throw new ConfigError("/mounts", `must be at most ${MAX_MOUNTS}, not ${mounts.length}`);
  }
  return mounts.map((mount, index) => {
    const options = parseMountOptions(mount.options ?? []);
    const type = isBind(mount, options) ? "bind" : mount.type ?? "";
    const destination = clean(mount.destination);
    const planned: PlannedMount = {
      index,
      mount,
      destination,
      type,
      options,
      reason: {
        label: type === "bind" ? `bind ${mount.source} on ${destination}` : `mount ${type} on ${destination}`,
        pointer: `/mounts/${index}`,
      },
      save: `$mount${index}`,
    };
    refuse(planned);
    return planned;
  });
}

/** Whether the mount is a bind mount: by its options, or, as engines also say it, by its type. */
export function isBind(mount: Mount, options: MountOptions): boolean {
  return mount.type === "bind" || options.extensions.has("bind") || options.extensions.has("rbind");
}

/** The kernel's own files that tools such as lxcfs replace: all else in /proc is off limits (CVE-2019-16884). */
const PROC_FILES =
  /^\/proc\/(cpuinfo|diskstats|meminfo|stat|swaps|uptime|loadavg|slabinfo|sys\/kernel\/ns_last_pid|sys\/crypto\/fips_enabled)$/;

function refuse({ index, mount, destination, type, options }: PlannedMount): void {
  const pointer = `/mounts/${index}`;
  if (destination === "/") throw new ConfigError(`${pointer}/destination`, "must not be the root itself");
  if (destination.startsWith("/proc/") && !PROC_FILES.test(destination)) {
    throw new ConfigError(
      `${pointer}/destination`,
      `"${destination}" cannot be mounted because it is inside /proc, where an LSM's files could be hidden`,
    );
  }
  if (type === "") {
    throw new ConfigError(`${pointer}/type`, "must not be empty, unless the options have bind or rbind");
  }
  if (type !== "bind" || options.extensions.has("remount")) return;
  if (mount.source === undefined) throw new ConfigError(`${pointer}/source`, "must be set for a bind mount");
}

/** A mount whose files belong to other ids than on disk. */
export interface IdmappedMount extends PlannedMount {
  readonly uidMappings: readonly IDMapping[];
  readonly gidMappings: readonly IDMapping[];
}

/** The id-mapped mounts: by their own maps, or, with the option alone, by those of the container. */
export function idmappedMounts(config: Config): IdmappedMount[] {
  return plannedMounts(config).filter(isIdmapped).map((planned) => {
    const { index, mount, type } = planned;
    if (type !== "bind") {
      throw new ConfigError(`/mounts/${index}/options`, `only bind mounts can be id-mapped, not "${type}"`);
    }
    const from = mount.uidMappings === undefined ? config.linux : mount;
    const { uidMappings, gidMappings } = from ?? {};
    if (uidMappings === undefined || gidMappings === undefined) {
      throw new ConfigError(
        `/mounts/${index}`,
        "needs uidMappings and gidMappings, or a container that has them",
      );
    }
    return { ...planned, uidMappings, gidMappings };
  });
}

function isIdmapped({ mount, options: { extensions } }: PlannedMount): boolean {
  return mount.uidMappings !== undefined || extensions.has("idmap") || extensions.has("ridmap");
}

/**
 * Clones the sources of id-mapped mounts while we are still the caller: mapping takes CAP_SYS_ADMIN over the
 * filesystem, which no user namespace of the container has (mount_setattr(2), MOUNT_ATTR_IDMAP).
 */
export function idmappedSources(config: Config, host: Host): Node[] {
  return idmappedMounts(config).flatMap((planned, position) => [
    cloneTree(planned.reason, source(planned, host), planned.save),
    setAttributes(planned.reason, planned.save, {
      set: MOUNT_ATTR_IDMAP,
      userns: firstIdmapFd(host) + position,
      recursive: planned.options.extensions.has("ridmap"),
    }),
  ]);
}

/** Clones the sources of bind mounts while we may still pass directories that are closed to the ids of a user namespace. */
export function hostSources(config: Config, host: Host): Node[] {
  return namespace(config, "user") === "new" ? cloneSources(config, host) : [];
}

/** The same wherever they are to be cloned before {@linkcode mounts}. */
export function cloneSources(config: Config, host: Host): Node[] {
  return plannedMounts(config).filter(isCloned)
    .map((planned) => cloneTree(planned.reason, source(planned, host), planned.save));
}

/**
 * Mounts all, in the order listed.
 *
 * @param areCloned the sources of bind mounts are: {@linkcode cloneSources}
 */
export function mounts(
  config: Config,
  host: Host,
  areCloned: boolean = namespace(config, "user") === "new",
): Node[] {
  return plannedMounts(config).flatMap((planned) => {
    if (planned.options.extensions.has("remount")) return remount(planned);
    switch (planned.type) {
      case "bind":
        return bind(planned, host, areCloned);
      case "cgroup":
      case "cgroup2":
        return cgroupMount(config, planned, host);
      case "proc":
      case "sysfs":
        return kernelFilesystem(config, planned, host);
      default:
        return filesystem(config, planned, host);
    }
  });
}

/** Takes write access from the mounts that stayed writable so that later ones could be made in them. */
export function readonlyMounts(config: Config): Node[] {
  return plannedMounts(config)
    .filter((planned) => staysWritable(planned))
    .map((planned) => setAttributes(planned.reason, planned.save, { set: MOUNT_ATTR_RDONLY }));
}

/** A tmpfs starts empty: the targets of later mounts, and the device nodes, have yet to be made in it. */
function staysWritable({ type, options }: PlannedMount): boolean {
  return type === "tmpfs" && (options.attributes.set & MOUNT_ATTR_RDONLY) !== 0;
}

function isCloned(planned: PlannedMount): boolean {
  return planned.type === "bind" && !planned.options.extensions.has("remount") && !isIdmapped(planned);
}

/** What a bind mount shows. */
export function source({ mount, options }: PlannedMount, host: Host) {
  const path = mount.source!.startsWith("/") ? mount.source! : `${host.bundle}/${mount.source}`;
  return { path, recursive: options.extensions.has("rbind") };
}

function bind(planned: PlannedMount, host: Host, isCloneMade: boolean): Node[] {
  const { index, reason, save, destination } = planned;
  const type = host.sources[index] === "file" ? "file" : "directory";
  const target = host.targets[destination];
  if (target !== undefined && target.type !== "missing" && target.type !== type) {
    throw new ConfigError(
      reason.pointer,
      type === "file"
        ? `a file cannot be mounted on the directory "${destination}": not a directory`
        : `a directory cannot be mounted on the file "${destination}": not a directory`,
    );
  }
  const cloned = isCloned(planned) && !isCloneMade;
  return [
    ...(cloned ? [cloneTree(reason, source(planned, host), save)] : []),
    ...change(planned),
    ...openTarget(planned, host, type),
    attach(reason, save, slot("$target")),
    ...propagate(planned),
  ];
}

/** Filesystems without a special rule: tmpfs, devpts, mqueue, overlay and whatever else the kernel has. */
function filesystem(config: Config, planned: PlannedMount, host: Host): Node[] {
  const { reason, save, options, destination } = planned;
  const copyUp = planned.type === "tmpfs" && options.extensions.has("tmpcopyup");
  return [
    ...(needsClassicMount(planned)
      ? [...openTarget(planned, host, "directory"), ...classicMount(config, planned, host)]
      : [
        ...newFilesystem(reason, {
          type: planned.type,
          source: planned.mount.source ?? planned.type,
          attributes: options.attributes.set & ~(staysWritable(planned) ? MOUNT_ATTR_RDONLY : 0),
          parameters: parameters(config, planned, host),
        }, save),
        ...openTarget(planned, host, "directory"),
        // What the image has there is copied by the runtime at the barrier `mounted`.
        ...(copyUp
          ? [openInRoot(reason, destination, `$under${planned.index}`, { flags: O_RDONLY | O_DIRECTORY })]
          : []),
        attach(reason, save, slot("$target")),
      ]),
    ...recursiveAttributes(planned),
    ...propagate(planned),
  ];
}

/** The tmpfs mounts that are to hold a copy of what they cover, with the slots of both directories. */
export function copiedUp(
  config: Config,
): { readonly under: SlotName; readonly over: SlotName; readonly reason: Reason }[] {
  return plannedMounts(config)
    .filter(({ type, options }) => type === "tmpfs" && options.extensions.has("tmpcopyup"))
    .map(({ index, save, reason }) => ({ under: `$under${index}`, over: save, reason }));
}

/** proc and sysfs: what the kernel says of itself must be where everybody looks for it. */
function kernelFilesystem(config: Config, planned: PlannedMount, host: Host): Node[] {
  const { reason, save, type, options } = planned;
  const made = newFilesystem(reason, {
    type,
    source: planned.mount.source ?? type,
    attributes: options.attributes.set,
    parameters: parameters(config, planned, host),
  }, save);
  return [
    ...(type === "sysfs" ? orHostSysfs(planned, made) : made),
    // A link here would put the files that an LSM is told through somewhere else (CVE-2019-16884, CVE-2019-19921).
    ...openTarget(planned, host, "directory", { noSymlinks: true }),
    attach(reason, save, slot("$target")),
    ...recursiveAttributes(planned),
    ...propagate(planned),
  ];
}

/**
 * sysfs shows the network namespace, and only who owns that may mount it. Without one of our own, the host's /sys is
 * bound instead, read-only.
 */
function orHostSysfs({ reason, save, options: { attributes } }: PlannedMount, made: readonly Node[]): Node[] {
  return orElse(made, ["EPERM"], [
    cloneTree(reason, { path: "/sys", recursive: true }, save),
    setAttributes(reason, save, {
      set: attributes.set | MOUNT_ATTR_RDONLY,
      clear: attributes.clear & ~MOUNT_ATTR_RDONLY,
      recursive: true,
    }),
  ]);
}

/** Changes a mount that is already there. */
function remount(planned: PlannedMount): Node[] {
  const { reason, destination, options, type, save } = planned;
  const nodes: Node[] = [openInRoot(reason, destination, save), ...change(planned)];
  if (type === "bind" || options.data.length === 0) return nodes;
  const fs = slot("$fs");
  return [
    ...nodes,
    step(reason, "fspick", [slot(save), "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH], "$fs"),
    ...options.data.map(({ key, value, option }) =>
      step(optionReason(planned, option), "fsconfig", [
        fs,
        value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
        key,
        value ?? null,
        0,
      ])
    ),
    step(reason, "fsconfig", [fs, FSCONFIG_CMD_RECONFIGURE, null, null, 0]),
  ];
}

/** Attributes and propagation of a bind mount: nothing is set that was not asked for. */
export function change(planned: PlannedMount): Node[] {
  const { attributes, extensions } = planned.options;
  const asked = attributes.set !== 0 || attributes.clear !== 0;
  return [
    ...(asked ? [setAttributes(planned.reason, planned.save, attributes)] : []),
    ...recursiveAttributes(planned),
    ...(extensions.has("remount") ? propagate(planned) : []),
  ];
}

function recursiveAttributes({ reason, save, options: { recursive } }: PlannedMount): Node[] {
  if (recursive.set === 0 && recursive.clear === 0) return [];
  return [setAttributes(reason, save, { ...recursive, recursive: true })];
}

function propagate(planned: PlannedMount): Node[] {
  const changes: Change[] = planned.options.propagation.map(({ type, recursive }) => ({
    propagation: type,
    recursive,
  }));
  return changes.map((one, at) =>
    setAttributes(optionReason(planned, planned.options.propagation[at]!.option), planned.save, one)
  );
}

function parameters(config: Config, planned: PlannedMount, host: Host): Parameter[] {
  const { options, type, reason } = planned;
  const given: Parameter[] = options.data.map(({ key, value, option }) => ({
    key,
    ...(value !== undefined && { value }),
    reason: optionReason(planned, option),
  }));
  // A tmpfs over a directory of the image keeps that directory's mode, as it looks to a user that nothing was mounted.
  const mode = host.targets[planned.destination]?.mode;
  if (type === "tmpfs" && mode !== undefined && !given.some(({ key }) => key === "mode")) {
    given.push({ key: "mode", value: mode.toString(8), reason });
  }
  const label = config.linux?.mountLabel;
  if (label && host.selinux && type !== "proc" && type !== "sysfs" && type !== "mqueue") {
    given.push({
      key: "context",
      value: label,
      reason: { label: reason.label, pointer: "/linux/mountLabel" },
    });
  }
  return given;
}

/** fsconfig(2) takes at most 255 bytes a value, too few for an overlay's layers, and has no name for iversion. */
function needsClassicMount({ options }: PlannedMount): boolean {
  return options.extensions.has("iversion") || options.data.some(({ value }) => (value?.length ?? 0) > 255);
}

/** mount(2) on the working directory: still a descriptor, and no string that is resolved twice. */
function classicMount(config: Config, planned: PlannedMount, host: Host): Node[] {
  const { reason, save, options, type, mount } = planned;
  const data = parameters(config, planned, host)
    .map(({ key, value }) => value === undefined ? key : `${key}=${value}`).join(",");
  const flags = options.extensions.has("iversion") ? MS_I_VERSION : 0;
  return [
    step(reason, "fchdir", [slot("$target")]),
    step(reason, "mount", [mount.source ?? type, ".", type, flags, data]),
    step(reason, "chdir", ["/"]),
    openInRoot(reason, planned.destination, save),
    ...change({ ...planned, options: { ...options, recursive: { set: 0, clear: 0 } } }),
  ];
}

/** Opens where a mount goes as `$target`, which is made first if it is missing. */
export function openTarget(
  planned: PlannedMount,
  host: Host,
  type: "directory" | "file",
  options: { readonly noSymlinks?: boolean } = {},
): Node[] {
  const { reason, destination } = planned;
  return openOrCreateInRoot(reason, { path: destination, type, save: "$target" }, {
    ...options,
    flags: O_PATH | O_CLOEXEC | (type === "directory" ? O_DIRECTORY : 0),
    create: host.targets[destination]?.path ?? destination,
  });
}

function optionReason({ index, reason, mount }: PlannedMount, option: number): Reason {
  return {
    label: `${reason.label}: ${mount.options![option]}`,
    pointer: `/mounts/${index}/options/${option}`,
  };
}
