/**
 * The config.json that `spec` writes.
 *
 * @module
 */

import type { Config, Mount, Namespace } from "./config.ts";
import { OCI_VERSION } from "./version.ts";

/** What the config is to be run on. */
export interface DefaultConfigOptions {
  /** For a user without privileges: with a user namespace, without a network namespace and cgroup limits. */
  readonly rootless?: boolean;
  /** The host's user who is root in a rootless container. */
  readonly uid?: number;
  /** The host's group who is root in a rootless container. */
  readonly gid?: number;
  /** With a cgroup namespace, as is usual with cgroup v2. */
  readonly cgroupNamespace?: boolean;
}

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/** A shell in "rootfs" with little more than nothing: the same container as that of `runc spec`. */
export function defaultConfig(options: DefaultConfigOptions = {}): Config {
  const { rootless = false, uid = 0, gid = 0, cgroupNamespace = false } = options;
  const namespaces: Namespace["type"][] = ["pid", "ipc", "uts", "mount"];
  if (!rootless) namespaces.splice(1, 0, "network");
  if (cgroupNamespace) namespaces.push("cgroup");
  if (rootless) namespaces.push("user");
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "hako",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      mount("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
      // Group 5, tty, has no mapping in a rootless container.
      mount(
        "/dev/pts",
        "devpts",
        "devpts",
        `nosuid,noexec,newinstance,ptmxmode=0666,mode=0620${rootless ? "" : ",gid=5"}`,
      ),
      mount("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"),
      mount("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"),
      // The kernel mounts sysfs only for the owner of the network namespace.
      rootless
        ? mount("/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro")
        : mount("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"),
    ],
    linux: {
      ...(rootless
        ? {
          uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
          gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
        }
        : { resources: { devices: [{ allow: false, access: "rwm" }] } }),
      namespaces: namespaces.map((type) => ({ type })),
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/sys/firmware",
        "/proc/scsi",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}

function mount(destination: string, type: string, source: string, options: string): Mount {
  return { destination, type, source, options: options.split(",") };
}
