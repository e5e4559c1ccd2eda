/**
 * A process that joins a running container, and a hook that runs in one, as lists of system calls.
 *
 * @module
 */
import {
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
} from "../linux/generated/constants.ts";
import type { Config, Hook, Process } from "../spec/config.ts";
import { joinCgroups } from "./cgroup.ts";
import { execAffinity } from "./cpu_affinity.ts";
import { privileges, umask } from "./credentials.ts";
import { closeOnExec, execute, workingDirectory } from "./execute.ts";
import type { Host } from "./host.ts";
import { firstIdmapFd, inherited, LAST_FD } from "./inherited.ts";
import { ioPriority } from "./io_priority.ts";
import { keyring } from "./keyring.ts";
import { apparmorProfile, selinuxLabel } from "./labels.ts";
import { memoryPolicy } from "./memory_policy.ts";
import { joinContainer, namespace } from "./namespaces.ts";
import { barrier, type Node, type Plan, type Reason, slot, step, tolerate } from "./node.ts";
import { oomScoreAdj } from "./oom_score_adj.ts";
import { personality } from "./personality.ts";
import { raiseHardLimits, setLimits } from "./rlimits.ts";
import { scheduler } from "./scheduler.ts";
import type { Filter } from "./seccomp.ts";
import { nullStreams } from "./streams.ts";
import { terminal } from "./terminal.ts";

/** `$pidfd`, the container's first process; behind it the directory of its cgroup v2. */
export const pidfdNumber = firstIdmapFd;

export function endOfOwnFds(host: Host): number {
  return pidfdNumber(host) + (host.unifiedCgroup ? 2 : 1);
}

/**
 * Compiles `process` for the container of `config`, whose first process is `pid` in the host's /proc.
 *
 * @throws {ConfigError} if the process asks for what no plan can do
 */
export function planExec(
  config: Config,
  process: Process,
  host: Host,
  { pid, filter }: { readonly pid: number; readonly filter?: Filter },
): Plan {
  return [
    ...inherited(endOfOwnFds(host)),
    ...execAffinity(process, "initial"),
    ...oomScoreAdj(process),
    ...raiseHardLimits(config, process, host),
    ...joinCgroups(host),

    // From here on we are among the container's processes.
    ...containerRoot(config, pid),
    ...joinContainer(config, host, host.unifiedCgroup ? pidfdNumber(host) + 1 : undefined),
    ...execAffinity(process, "final"),
    ...(namespace(config, "mount") === "none" ? [] : [openRoot()]),
    ...keyring(config, process, host),
    ...nullStreams(process, host),
    ...terminal(process),
    ...workingDirectory(process, "fail"),
    ...apparmorProfile(process, host),
    ...selinuxLabel(process, host),
    ...scheduler(process),
    ...ioPriority(process),
    ...personality(config),
    ...memoryPolicy(config),
    barrier("ready", "the runtime takes the terminal, and finds the executable and HOME"),

    ...setLimits(process, host),
    ...umask(process),
    ...closeOnExec(host),
    ...privileges(config, process, host, filter),
    ...execute(process),
  ];
}

const root: Reason = { label: "open the container's root", pointer: "/root/path" };

/** In the container's mount namespace its root is ours. */
export function openRoot(): Node {
  return step(root, "openat", [AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$root");
}

/** Without a mount namespace the container has a root all the same, and it is where its first process has it. */
function containerRoot(config: Config, pid: number): Node[] {
  if (namespace(config, "mount") !== "none") return [];
  return [
    step(root, "openat", [slot("$proc"), `${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], "$root"),
    // As long as it has not been reaped no other process has its pid: else that could have been a root of the host's.
    tolerate(step(root, "pidfd_send_signal", [slot("$pidfd"), 0, null, 0]), ["EPERM"]),
    step(root, "fchdir", [slot("$root")]),
    step(root, "chroot", ["."]),
  ];
}

/**
 * Compiles a hook for the namespaces of the container.
 *
 * @param pointer where the hook stands in config.json
 */
export function planHook(config: Config, hook: Hook, host: Host, pointer: string): Plan {
  const { path, args = [path], env = [] } = hook;
  return [
    ...inherited(endOfOwnFds(host)),
    ...joinContainer(config, host),
    // Where runc starts it. Whom the folders above it are closed to in the user namespace stays in the root.
    tolerate(step({ label: "enter the root filesystem", pointer: "/root/path" }, "chdir", [host.rootfs]), [
      "EACCES",
    ]),
    step({ label: "close descriptors at execve", pointer: "runtime" }, "close_range", [
      3,
      LAST_FD,
      CLOSE_RANGE_CLOEXEC,
    ]),
    step({ label: `run hook ${path}`, pointer }, "execve", [path, { strings: args }, { strings: env }]),
  ];
}
