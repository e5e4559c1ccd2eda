/** What a sandbox is, as a config.json. @module */
import { PR_SET_PDEATHSIG, SIGCHLD, SIGKILL } from "../linux/generated/constants.ts";
import { type Plan, step } from "../plan/node.ts";
import type { Config, Mount, Process } from "../spec/config.ts";
import { defaultConfig } from "../spec/default.ts";
import { sandboxFilter } from "./seccomp.ts";

/** What a sandbox may have. */
export interface SandboxLimits {
  /** Bytes of memory for all its processes. 256 MiB if absent; ignored without root. */
  readonly memory?: number;
  /** Processes and threads. 64 if absent; ignored without root. */
  readonly pids?: number;
  /** CPUs, in parts of one: 0.5 is half of one's time. No limit if absent; ignored without root. */
  readonly cpus?: number;
  /** Bytes of files in /tmp, its only writable place. 64 MiB if absent. They count as memory. */
  readonly disk?: number;
}

export interface SandboxConfig extends SandboxLimits {
  /** Variables of all its processes, beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further mounts, as config.json has them: `{ destination: "/data", type: "bind", source: "/srv/data", options: ["rbind", "ro"] }`. */
  readonly mounts?: readonly Mount[];
  /** Use the host's network. Otherwise there is a loopback interface and nothing else. */
  readonly network?: boolean;
}

const MEBIBYTE = 1 << 20;
const NOBODY = 65534;
const CPU_PERIOD = 100_000;

/**
 * The container of a sandbox: own namespaces, a read-only root, no capability, a seccomp filter, limits.
 *
 * @param rootfs an absolute path
 * @param mounts that fill it
 * @param user who we are: 0 may make a sandbox of nobody, another one only of itself, in a user namespace
 */
export function sandboxConfig(
  options: SandboxConfig,
  { rootfs, mounts, uid, gid }: {
    readonly rootfs: string;
    readonly mounts: readonly Mount[];
    readonly uid: number;
    readonly gid: number;
  },
): Config {
  const { memory = 256 * MEBIBYTE, pids = 64, cpus, disk = 64 * MEBIBYTE, env = {}, network = false } =
    options;
  const rootless = uid !== 0;
  const base = defaultConfig({ rootless, uid, gid, cgroupNamespace: true });
  const id = rootless ? 0 : NOBODY;
  // As root's own: a user has its network in its user namespace.
  const namespaces = [...base.linux!.namespaces!.filter(({ type }) => type !== "network")];
  if (!network) namespaces.push({ type: "network" });
  const tmpfs = { destination: "/tmp", type: "tmpfs", source: "tmpfs" };
  return {
    ...base,
    hostname: "sandbox",
    root: { path: rootfs, readonly: true },
    process: {
      ...base.process!,
      // Never run: the init of a sandbox waits for as long as it lives. So it need not exist.
      args: ["/proc/self/exe"],
      terminal: false,
      user: { uid: id, gid: id, umask: 0o022 },
      cwd: "/tmp",
      env: variables({ ...DEFAULT_ENV, ...env }),
      capabilities: {},
    },
    mounts: [
      ...base.mounts!.filter(({ destination }) => destination !== "/sys/fs/cgroup"),
      ...mounts.filter(({ destination }) => destination !== "/tmp"),
      { ...tmpfs, options: ["nosuid", "nodev", "mode=1777", `size=${disk}`] },
      ...options.mounts ?? [],
    ],
    linux: {
      ...base.linux,
      namespaces,
      seccomp: sandboxFilter(),
      ...(!rootless && {
        resources: {
          ...base.linux!.resources,
          memory: { limit: memory },
          pids: { limit: pids },
          ...(cpus !== undefined && { cpu: { quota: Math.round(cpus * CPU_PERIOD), period: CPU_PERIOD } }),
        },
      }),
    },
  };
}

const DEFAULT_ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/tmp" };

function variables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** A process of the sandbox. */
export function sandboxProcess(
  base: Process,
  command: string,
  { args = [], cwd, env = {} }: {
    readonly args?: readonly string[];
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Process {
  return {
    ...base,
    args: [command, ...args],
    env: [...base.env ?? [], ...variables(env)],
    ...(cwd !== undefined && { cwd }),
  };
}

/**
 * Has the init end with the thread that made it, and every process of the sandbox with the init: they have a pid namespace.
 * And as it is their parent when they are orphans, has it leave no dead ones: they would count against the limit.
 */
export function endsWithUs(plan: Plan): Plan {
  const at = plan.findIndex((node) => node.kind === "barrier" && node.name === "start");
  const reason = { label: "end with the program that made the sandbox", pointer: "runtime" };
  // struct sigaction of the kernel's: SIG_IGN, no flags, no mask.
  const ignore = new Uint8Array(32);
  ignore[0] = 1;
  return [
    ...plan.slice(0, at),
    step(reason, "prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]),
    step(reason, "rt_sigaction", [SIGCHLD, ignore, null, 8]),
    ...plan.slice(at),
  ];
}
