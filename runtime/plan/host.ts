/**
 * What a plan needs to know of the machine and of the command line. `runtime/host` gathers it before planning, so that
 * the planner branches on data and never looks for itself; a golden test keeps it as host.json.
 *
 * @module
 */
import { type Integer, parseExact, stringify } from "../spec/json.ts";
import type { ImageType } from "./embedded.ts";
import type { RlimitType } from "../spec/process.ts";

/** What stands at a path: what a mount target must be, to be mounted on. */
export type FileType = "directory" | "file" | "missing";

/** A mount target inside the root filesystem as it was before any mount of the container. */
export interface Target {
  /**
   * The path with the symbolic links of the image resolved inside the root, dangling ones included. Only a hint that
   * saves work and finds what to create: each step resolves it again beneath `$root`.
   */
  readonly path: string;
  readonly type: FileType;
  /** Permission bits, for a tmpfs that takes those of the directory it covers. Absent when missing. */
  readonly mode?: number;
}

/** One mounted hierarchy of control groups. */
export interface Hierarchy {
  /** "cpu,cpuacct", "name=systemd"; "" for cgroup v2. */
  readonly controllers: string;
  readonly mountPoint: string;
  /** Path of the container's cgroup below the mount point. */
  readonly cgroup: string;
}

export interface Host {
  /** The container's id: names its session keyring. */
  readonly id: string;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** The root filesystem is an image in the executable of a compiled container, made from what is at `rootfs`. */
  readonly embedded?: ImageType;
  /** The mount point that the root filesystem lies on. */
  readonly rootfsMountPoint: string;
  /** Absolute path of the bundle: relative sources of bind mounts start here. */
  readonly bundle: string;
  /** The caller may act outside a user namespace of its own: CAP_SYS_ADMIN is effective. */
  readonly privileged: boolean;
  /** The caller is in a user namespace, as the root that a rootless engine makes of itself: it cannot make device nodes. */
  readonly userNamespace?: boolean;
  /** Descriptors from 3 on that the container's process is to inherit. */
  readonly preserveFds: number;
  /** Behind process.env: what speaks of the command and not of the container, as LISTEN_FDS does. */
  readonly env?: readonly string[];
  /** Use MS_MOVE and chroot(2), for a root that is a ramfs. */
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** The highest capability that the kernel knows: /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number;
  /** Capabilities that the caller holds and so can grant without a user namespace: bit n is capability n. */
  readonly capabilities: bigint;
  /** The soft RLIMIT_NOFILE of the caller, which Deno raises at its start; absent where no Deno starts the container. */
  readonly nofile?: { readonly soft: Integer; readonly hard: Integer };
  /** The limits in force of those resources that the config limits. Only needed with a user namespace. */
  readonly rlimits?: Readonly<
    Partial<Record<RlimitType, { readonly soft: Integer; readonly hard: Integer }>>
  >;
  /**
   * Which of descriptors 0, 1 and 2 are the host's /dev/null: never handed to the container. "late" where that is only known
   * when the container starts: then a slot has the descriptor, or -1.
   */
  readonly nullStdio: readonly (boolean | "late")[];
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** By index into config.mounts: what the source of a bind mount is. */
  readonly sources: Readonly<Record<number, FileType>>;
  /** By destination, for those that no earlier mount of the container covers. */
  readonly targets: Readonly<Record<string, Target>>;
  readonly hierarchies: readonly Hierarchy[];
  /** Files of cgroup v1 that a process of one thread joins the container's cgroups by, writing "0". */
  readonly cgroupTasks: readonly string[];
  /** That of the memory controller, if there is one. */
  readonly memoryTasks?: string;
  /** The init waits to be moved to its cgroup by systemd. */
  readonly cgroupAdopts?: boolean;
  /** The container has a directory of cgroup v2. The runtime opens it for the init, who is made in it. */
  readonly unifiedCgroup: boolean;
  /** Mount points of proc and sysfs: they must not stay reachable when the root is not pivoted. */
  readonly procMounts: readonly string[];
}

/** The text of a host.json. */
export function hostToJson(host: Host): string {
  return stringify({ ...host, capabilities: `0x${host.capabilities.toString(16)}` }, "  ") + "\n";
}

/** The host that the text of a host.json describes. */
export function hostFromJson(text: string): Host {
  const host = parseExact(text) as Omit<Host, "capabilities"> & { readonly capabilities: string };
  return { ...host, capabilities: BigInt(host.capabilities) };
}
