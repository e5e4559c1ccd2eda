/**
 * What CRIU is told: from the options of a command line and what is known of the container. Pure.
 *
 * @see criu(8), runc's libcontainer/criu_linux.go
 * @module
 */
import { CRIU_CONFIG_ANNOTATION } from "./annotation.ts";
import { CLONE_NEWNET } from "../../linux/generated/constants.ts";
import type { Config } from "../../spec/config.ts";
import { CGROUP_MODES, NETWORK_LOCKS, type Options } from "./messages.ts";

/** What `checkpoint` and `restore` are asked for alike. */
export interface CriuOptions {
  readonly tcpEstablished?: boolean;
  readonly extUnixSk?: boolean;
  readonly shellJob?: boolean;
  readonly fileLocks?: boolean;
  readonly lazyPages?: boolean;
  readonly autoDedup?: boolean;
  readonly manageCgroupsMode?: keyof typeof CGROUP_MODES | undefined;
  readonly networkLock?: keyof typeof NETWORK_LOCKS | undefined;
}

export interface DumpOptions extends CriuOptions {
  readonly leaveRunning?: boolean;
  readonly preDump?: boolean;
  readonly tcpSkipInFlight?: boolean;
  readonly linkRemap?: boolean;
  /** The images of an earlier pre-dump, relative to those to be made. */
  readonly parentPath?: string | undefined;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
}

export interface RestoreOptions extends CriuOptions {
  readonly tcpClose?: boolean;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

/** A mount that CRIU does not save: `key` on the left, what is to be there on the right. */
export type ExternalMount = NonNullable<Options["ext_mnt"]>[number];

/** Descriptors by which CRIU reaches the folders of its images and of its log. */
export interface Folders {
  readonly images: number;
  readonly work: number;
}

export const LOGS = { dump: "dump.log", restore: "restore.log" } as const;

/** Errors, warnings, information and what explains them. */
const LOG_LEVEL = 4;

/** @param container what it is about; `freezer` is the directory of a cgroup that has one */
export function dumpOptions(
  options: DumpOptions,
  container: {
    readonly config: Config;
    readonly pid: number;
    readonly rootfs: string;
    readonly freezer?: string | undefined;
    readonly external: readonly string[];
    readonly mounts: readonly ExternalMount[];
  },
  folders: Folders,
): Options {
  const { leaveRunning, preDump, tcpSkipInFlight, linkRemap, parentPath, pageServer } = options;
  const { config, pid, rootfs, freezer, external, mounts } = container;
  return {
    ...common(options, config, folders),
    log_file: LOGS.dump,
    pid,
    root: rootfs,
    ...(leaveRunning && { leave_running: true }),
    ...(tcpSkipInFlight && { tcp_skip_in_flight: true }),
    ...(linkRemap && { link_remap: true }),
    ...(parentPath !== undefined && { parent_img: parentPath }),
    ...((parentPath !== undefined || preDump) && { track_mem: true }),
    ...(pageServer && { ps: pageServer }),
    ...(freezer !== undefined && { freeze_cgroup: freezer }),
    external,
    ext_mnt: mounts,
  };
}

/** @param container what it is about; `descriptors` are those that CRIU finds open, `cgroups` the container's by controller */
export function restoreOptions(
  options: RestoreOptions,
  container: {
    readonly config: Config;
    readonly root: string;
    readonly cgroups: NonNullable<Options["cg_root"]>;
    readonly descriptors: NonNullable<Options["inherit_fd"]>;
    readonly namespaces: NonNullable<Options["join_ns"]>;
    readonly mounts: readonly ExternalMount[];
  },
  folders: Folders,
): Options {
  const { tcpClose, lsmProfile, lsmMountContext } = options;
  const { config, root, cgroups, descriptors, namespaces, mounts } = container;
  return {
    ...common(options, config, folders),
    log_file: LOGS.restore,
    root,
    // A device of the image's may have another number here.
    evasive_devices: true,
    // The container's first process becomes a child of ours.
    rst_sibling: true,
    ...(tcpClose && { tcp_close: true }),
    ...(lsmProfile !== undefined && { lsm_profile: lsmProfile }),
    ...(lsmMountContext !== undefined && { lsm_mount_context: lsmMountContext }),
    cg_root: cgroups,
    inherit_fd: descriptors,
    join_ns: namespaces,
    ext_mnt: mounts,
  };
}

function common(options: CriuOptions, { annotations = {} }: Config, { images, work }: Folders): Options {
  const { tcpEstablished, extUnixSk, shellJob, fileLocks, lazyPages, autoDedup } = options;
  const { manageCgroupsMode = "soft", networkLock } = options;
  // An empty name means none at all, as with runc and crun. CRIU does not mind a file that is not there.
  const file = annotations[CRIU_CONFIG_ANNOTATION] ?? "/etc/criu/runc.conf";
  return {
    images_dir_fd: images,
    work_dir_fd: work,
    log_level: LOG_LEVEL,
    notify_scripts: true,
    manage_cgroups: true,
    manage_cgroups_mode: CGROUP_MODES[manageCgroupsMode],
    // Interfaces and their addresses are made by others: engines, or hooks.
    empty_ns: CLONE_NEWNET,
    orphan_pts_master: true,
    ...(file !== "" && { config_file: file }),
    ...(tcpEstablished && { tcp_established: true }),
    ...(extUnixSk && { ext_unix_sk: true }),
    ...(shellJob && { shell_job: true }),
    ...(fileLocks && { file_locks: true }),
    ...(lazyPages && { lazy_pages: true }),
    ...(autoDedup && { auto_dedup: true }),
    ...(networkLock && { network_lock: NETWORK_LOCKS[networkLock] }),
  };
}
