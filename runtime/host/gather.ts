/**
 * The facts that a plan needs, read once before planning. Nothing is read that the config does not ask for.
 *
 * @module
 */
import { ConfigError, StateError } from "../errors.ts";
import { fstat } from "../linux/files.ts";
import { CAP_SYS_ADMIN } from "../linux/generated/constants.ts";
import { isErrno } from "../linux/libc.ts";
import type { FileType, Hierarchy, Host, Target } from "../plan/host.ts";
import { isBind, plannedMounts } from "../plan/mounts.ts";
import { parseMountOptions } from "../plan/mount_options.ts";
import type { Config } from "../spec/config.ts";
import { readLimits } from "./limits.ts";
import { mountPointOf, readMountinfo } from "./mountinfo.ts";
import { fileType, resolveInRoot } from "./targets.ts";
import { inUserNamespace } from "./user_namespace.ts";

/** What a plan has to know of the container's cgroup. */
export interface CgroupFacts {
  /** Files to join cgroups of v1 by, and that of the memory controller. */
  readonly tasks: readonly string[];
  readonly memoryTasks?: string;
  /** Whether it is systemd that moves processes there. */
  readonly adopts: boolean;
  /** Whether there is a directory of cgroup v2 for the process to be made in. */
  readonly unified: boolean;
  readonly hierarchies: readonly Hierarchy[];
}

/** What the command line says about the container. */
export interface HostOptions {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  readonly preserveFds?: number;
  readonly env?: readonly string[];
  /** Descriptors of ours that become the standard streams: 0, 1 and 2 if absent. */
  readonly stdio?: readonly [stdin: number, stdout: number, stderr: number];
  readonly noPivot?: boolean;
  /** The container's cgroup; absent if it has none of its own. */
  readonly cgroup?: CgroupFacts;
  readonly noNewKeyring?: boolean;
}

/**
 * Looks at the machine for what `config` needs.
 *
 * @throws {ConfigError} if the root filesystem is no directory
 * @throws {StateError} if the kernel is too old
 */
export function gatherHost(config: Config, options: HostOptions): Host {
  checkKernel(options.id);
  const { id, bundle, preserveFds = 0, noPivot = false, noNewKeyring = false } = options;
  const rootfs = findRootfs(config, bundle);
  const status = Deno.readTextFileSync("/proc/self/status");
  const capabilities = BigInt(`0x${/^CapPrm:\t([0-9a-f]{1,16})$/m.exec(status)?.[1] ?? "0"}`);
  const limits = readLimits();
  const asked = config.process?.rlimits ?? [];
  const needsCgroups = config.mounts?.some(({ type }) => type?.startsWith("cgroup"));
  const needsMountPoint = config.linux?.rootfsPropagation !== undefined;
  const mounts = needsMountPoint || noPivot ? readMountinfo() : [];

  return {
    id,
    bundle,
    rootfs,
    rootfsMountPoint: needsMountPoint ? mountPointOf(rootfs, mounts) : "/",
    privileged: (capabilities >> BigInt(CAP_SYS_ADMIN) & 1n) === 1n,
    ...(inUserNamespace() && { userNamespace: true }),
    preserveFds,
    ...(options.env && options.env.length > 0 && { env: options.env }),
    noPivot,
    noNewKeyring,
    lastCapability: readLastCapability(id),
    capabilities,
    nofile: limits.RLIMIT_NOFILE,
    ...(asked.length > 0 && {
      rlimits: Object.fromEntries(asked.map(({ type }) => [type, limits[type]]).filter(([, limit]) => limit)),
    }),
    nullStdio: config.process?.terminal ? [] : (options.stdio ?? [0, 1, 2]).map(isNull),
    apparmor: !!config.process?.apparmorProfile && isEnabled("/sys/module/apparmor/parameters/enabled", "Y"),
    selinux: !!(config.process?.selinuxLabel || config.linux?.mountLabel) &&
      isEnabled("/sys/fs/selinux/enforce"),
    sources: readSources(config, bundle),
    targets: readTargets(config, rootfs),
    hierarchies: needsCgroups ? options.cgroup?.hierarchies ?? [] : [],
    cgroupTasks: options.cgroup?.tasks ?? [],
    ...(options.cgroup?.memoryTasks !== undefined && { memoryTasks: options.cgroup.memoryTasks }),
    ...(options.cgroup?.adopts && { cgroupAdopts: true }),
    unifiedCgroup: options.cgroup?.unified ?? false,
    procMounts: noPivot
      ? mounts.filter(({ type }) => type === "proc" || type === "sysfs").map(({ mountPoint }) => mountPoint)
      : [],
  };
}

/** Of mount_setattr(2), close_range(2), openat2(2), pidfd_getfd(2) and cgroup.kill the latest is cgroup.kill. */
const OLDEST_KERNEL = [5, 14] as const;

function checkKernel(id: string): void {
  const [major = 0, minor = 0] = Deno.osRelease().split(/[.-]/).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new StateError(
    id,
    `Linux ${Deno.osRelease()} is too old: Hako needs ${oldestMajor}.${oldestMinor} or later`,
  );
}

function readLastCapability(id: string): number {
  const path = "/proc/sys/kernel/cap_last_cap";
  const text = Deno.readTextFileSync(path).trim();
  // The kernel has 64 bits for them.
  if (/^\d{1,2}$/.test(text) && Number(text) < 64) return Number(text);
  throw new StateError(id, `${path} has no capability: "${text.slice(0, 40)}"`);
}

function findRootfs({ root }: Config, bundle: string): string {
  const path = root.path.startsWith("/") ? root.path : `${bundle}/${root.path}`;
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ConfigError("/root/path", `"${path}": no such file or directory`);
  }
  // A link could be turned to another directory between now and the step that opens it.
  if (info.isSymlink) throw new ConfigError("/root/path", `must not be a symbolic link, as "${path}" is`);
  if (!info.isDirectory) {
    throw new ConfigError("/root/path", `must be a directory: "${path}" is not a directory`);
  }
  return Deno.realPathSync(path);
}

function readSources(config: Config, bundle: string): Record<number, FileType> {
  const sources: Record<number, FileType> = {};
  config.mounts?.forEach((mount, index) => {
    if (mount.source === undefined || !isBind(mount, parseMountOptions(mount.options ?? []))) return;
    const path = mount.source.startsWith("/") ? mount.source : `${bundle}/${mount.source}`;
    sources[index] = fileType(path, `/mounts/${index}`);
  });
  return sources;
}

function readTargets(config: Config, rootfs: string): Record<string, Target> {
  const targets: Record<string, Target> = {};
  const covered: string[] = [];
  for (const { destination } of plannedMounts(config)) {
    const isCovered = covered.some((path) => destination === path || destination.startsWith(`${path}/`));
    if (!isCovered) targets[destination] = resolveInRoot(rootfs, destination);
    covered.push(destination);
  }
  return targets;
}

/** @throws {SyscallError} if that cannot be told: after a wrong "no" the host's /dev/null would be given to the user */
function isNull(descriptor: number): boolean {
  try {
    const { major, minor } = fstat(descriptor);
    return major === 1 && minor === 3;
  } catch (error) {
    if (isErrno(error, "EBADF")) return false; // It is closed.
    throw error;
  }
}

function isEnabled(file: string, value?: string): boolean {
  try {
    const text = Deno.readTextFileSync(file);
    return value === undefined || text.trim() === value;
  } catch {
    return false;
  }
}
