/**
 * Compiling a bundle to an executable. What `create` finds out when a container starts is decided here, by the rules of
 * docs/compile.md.
 *
 * @module
 */
import {
  type CgroupFiles,
  cgroupFiles,
  cgroupPath,
  type Hierarchy,
  readHierarchies,
  withDefaultDevices,
} from "../../cgroups/mod.ts";
import { ConfigError, UsageError } from "../errors.ts";
import { gatherHost } from "../host/gather.ts";
import { executableImage, IMAGE, type Image } from "../init/executable.ts";
import { retarget } from "../init/retarget.ts";
import { close, openat2 } from "../linux/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, SIGCHLD } from "../linux/generated/constants.ts";
import type { Cpu } from "../linux/generated/syscalls.ts";
import { CPU } from "../linux/libc.ts";
import { log } from "../log.ts";
import { capabilityWarnings } from "../plan/capabilities.ts";
import type { ImageType } from "../plan/embedded.ts";
import type { Host } from "../plan/host.ts";
import { cgroupFd } from "../plan/inherited.ts";
import { namespace } from "../plan/namespaces.ts";
import { planStandalone, type Standalone } from "../plan/standalone.ts";
import { type CgroupDirectory, cgroupName, type CgroupWrite } from "../plan/standalone_cgroup.ts";
import type { Config } from "../spec/config.ts";
import type { Bundle } from "./bundle.ts";
import { compileFilter } from "./filter.ts";
import { FORWARDED } from "./foreground.ts";
import { findHome } from "./late_facts.ts";

export interface CompileOptions {
  /** Of the container: its cgroups, and its errors, are called so. */
  readonly name: string;
  /** Of the machine that it is to run on; ours if absent. */
  readonly cpu?: Cpu;
  /** It is to run without root's rights. */
  readonly rootless?: boolean;
  /** How many of `process.args` stay when the executable is given arguments: all if absent. */
  readonly kept?: number;
  /** `NAME=VALUE`, or `NAME` for a variable of the caller's. */
  readonly env?: readonly string[];
  /** The root filesystem is to lie in the executable: {@linkcode makeImage}. */
  readonly embed?: ImageType;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
}

/**
 * Compiles a bundle.
 *
 * @throws {ConfigError} for what a container cannot do without a runtime
 */
export async function compileBundle(
  { path, config: given }: Bundle,
  options: CompileOptions,
): Promise<Standalone> {
  const { name, cpu = CPU, kept, rootless = false } = options;
  checkName(name);
  const config = withEnvironment(given, options.env ?? []);
  if (config.process === undefined) throw new ConfigError("/process", "process property must not be empty");
  const count = config.process.args.length;
  if (kept !== undefined && (kept < 1 || kept > count)) {
    throw new UsageError(`--keep-args must be from 1 to ${count}, the number of process.args`);
  }
  const filter = await compileFilter(config, cpu);
  if (filter?.notifies) {
    throw new ConfigError(
      "/linux/seccomp",
      "cannot be compiled: SCMP_ACT_NOTIFY needs somebody who is told its state",
    );
  }
  const cgroups = chooseHierarchies(config, rootless);
  const host = hostOf(path, config, cgroups, options);
  const standalone = planStandalone(config, host, {
    name,
    ...(kept !== undefined && { kept }),
    passed: (options.env ?? []).filter((entry) => !entry.includes("=")),
    home: homeOf(config, host.rootfs),
    cgroups: cgroups.map((one) => directoryOf(one, config, host)),
    ...optional("filter", filter),
    image: IMAGE,
  });
  // Not beside the one line of a refusal.
  capabilityWarnings(config, config.process, host).forEach((line) => log.warn(line));
  return {
    ...standalone,
    container: retarget(standalone.container, CPU, cpu),
    cleanup: retarget(standalone.cleanup, CPU, cpu),
  };
}

/** The executable's bytes. The same container, and the same image of its root filesystem, give the same. */
export function toExecutable(standalone: Standalone, cpu: Cpu, image?: Image): Uint8Array<ArrayBuffer> {
  const signals = [...Object.values(FORWARDED), SIGCHLD]
    .reduce((mask, signal) => mask | 1n << BigInt(signal - 1), 0n);
  return executableImage(standalone, cpu, { signals, ...optional("image", image) });
}

function optional<K extends string, T>(key: K, value: T | undefined): { [name in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [name in K]?: T };
}

/** It becomes part of paths. */
function checkName(name: string): void {
  if (/^[\w+.-]{1,200}$/.test(name) && !name.startsWith(".")) return;
  throw new UsageError(`bad name "${name}": it may have letters, digits and any of _+.-`);
}

function withEnvironment(config: Config, env: readonly string[]): Config {
  const { process } = config;
  if (process === undefined) return config;
  return {
    ...config,
    process: { ...process, env: [...process.env ?? [], ...env.filter((entry) => entry.includes("="))] },
  };
}

/** In which hierarchies there is something to set, with what. */
function chooseHierarchies(config: Config, rootless: boolean): CgroupFiles[] {
  const { resources, cgroupsPath } = config.linux ?? {};
  // Who has no right to a place of his own has to say which he has been given.
  if (rootless && !cgroupsPath) {
    // Throws for the first limit.
    return cgroupFiles(withoutEmpty(resources), []);
  }
  const mounted = config.mounts?.some(({ type }) => type?.startsWith("cgroup"));
  const hierarchies = readHierarchies();
  const pure = hierarchies.length === 1;
  return cgroupFiles(rootless ? resources ?? {} : withDefaultDevices(resources), hierarchies).filter(
    ({ hierarchy, settings, devices }) =>
      settings.length > 0 || devices !== undefined || mounted ||
      // The only one that can end what stays behind, and the only one there is.
      hierarchy.controllers === "" && (pure || namespace(config, "pid") !== "new"),
  );
}

/** Engines and `spec` list devices, which are not limited without root in any case. */
function withoutEmpty(resources: NonNullable<Config["linux"]>["resources"] = {}) {
  return Object.fromEntries(Object.entries(resources).filter(([name]) => name !== "devices"));
}

function directoryOf({ hierarchy, ...files }: CgroupFiles, config: Config, host: Host): CgroupDirectory {
  const v1 = hierarchy.controllers !== "";
  return {
    mountPoint: hierarchy.mountPoint,
    parents: placeIn(hierarchy, config),
    inherited: hierarchy.controllers.split(",").includes("cpuset") ? ["cpuset.cpus", "cpuset.mems"] : [],
    writes: files.settings.map(toWrite),
    ...(!v1 && {
      unified: {
        controllers: files.controllers,
        ...(files.devices && { devices: files.devices }),
        fd: cgroupFd(config, host),
        kill: namespace(config, "pid") !== "new",
      },
    }),
  };
}

/** `cgroupsPath` by the rule of `create`. Without it a cgroup lies at the mount point: where we are now means nothing later. */
function placeIn(hierarchy: Hierarchy, { linux }: Config): string[] {
  if (!linux?.cgroupsPath) return [];
  return cgroupPath({ id: "", cgroupsPath: linux.cgroupsPath }, hierarchy).split("/").filter((part) =>
    part !== ""
  );
}

function toWrite({ file, value, member, absent }: CgroupFiles["settings"][number]): CgroupWrite {
  return {
    file,
    value,
    pointer: `/linux/resources${member}`,
    ...(absent && { absent: absent === "ignore" ? absent : toWrite(absent) }),
  };
}

/** The highest that a set of 64 has: a kernel that the executable runs on may know more than ours. */
const LAST_CAPABILITY = 63;

/** This machine, but for what belongs to who starts the executable. */
function hostOf(
  bundle: string,
  config: Config,
  cgroups: readonly CgroupFiles[],
  options: CompileOptions,
): Host {
  const { name, rootless = false, noPivot, noNewKeyring } = options;
  const unified = cgroups.some(({ hierarchy }) => hierarchy.controllers === "");
  const { nofile: _, ...host } = gatherHost(config, {
    id: name,
    bundle,
    ...optional("noPivot", noPivot),
    ...optional("noNewKeyring", noNewKeyring),
    cgroup: {
      tasks: [],
      adopts: false,
      unified,
      hierarchies: cgroups.map(({ hierarchy }) => ({
        ...hierarchy,
        cgroup: ["", ...placeIn(hierarchy, config), cgroupName(name)].join("/"),
      })),
    },
  });
  return {
    ...host,
    privileged: !rootless,
    // Root may have less than all, in a container of its own. Anybody else compiles for a root that has all.
    capabilities: rootless
      ? 0n
      : host.privileged
      ? host.capabilities
      : 2n ** BigInt(LAST_CAPABILITY + 1) - 1n,
    lastCapability: LAST_CAPABILITY,
    nullStdio: ["late", "late", "late"],
    ...optional("embedded", options.embed),
  };
}

function homeOf(config: Config, rootfs: string): string {
  const root = openat2(AT_FDCWD, rootfs, { flags: O_PATH | O_DIRECTORY | O_CLOEXEC });
  try {
    return config.process === undefined ? "/" : findHome(root, config.process);
  } finally {
    close(root);
  }
}
