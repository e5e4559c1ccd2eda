/**
 * A container as a list of system calls: the table of contents. Each builder is a page of its own, named for the member of
 * config.json that it serves.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { Config } from "../spec/config.ts";
import { joinCgroupsButMemory, joinMemoryCgroup } from "./cgroup.ts";
import { resetAffinity } from "./cpu_affinity.ts";
import { privileges, umask } from "./credentials.ts";
import { devices, devicesToCompare } from "./devices.ts";
import { closeDescriptors, closeOnExec, execute, workingDirectory } from "./execute.ts";
import type { Host } from "./host.ts";
import { hostname } from "./hostname.ts";
import { endOfOwnFds, inherited } from "./inherited.ts";
import { ioPriority } from "./io_priority.ts";
import { keyring } from "./keyring.ts";
import { apparmorProfile, selinuxLabel } from "./labels.ts";
import { maskedPaths, readonlyPaths } from "./masked_paths.ts";
import { memoryPolicy } from "./memory_policy.ts";
import { copiedUp, hostSources, idmappedSources, mounts, readonlyMounts } from "./mounts.ts";
import { becomeRoot, createNamespaces, joinNamespaces } from "./namespaces.ts";
import { barrier, type Plan } from "./node.ts";
import { oomScoreAdj } from "./oom_score_adj.ts";
import { personality } from "./personality.ts";
import { raiseHardLimits, setLimits } from "./rlimits.ts";
import { enterRootfs, openRootfs, readonlyRootfs } from "./rootfs.ts";
import { scheduler } from "./scheduler.ts";
import type { Filter } from "./seccomp.ts";
import { nullStreams } from "./streams.ts";
import { sysctl } from "./sysctl.ts";
import { console, terminal } from "./terminal.ts";

/**
 * Compiles a container: all that its init does, from its first instruction to execve(2).
 *
 * Pure: it reads nothing but its arguments, and the same arguments give the same plan.
 *
 * @throws {ConfigError} if the config asks for what no plan can do
 */
export function planCreate(config: Config, host: Host, filter?: Filter): Plan {
  const { process } = config;
  if (process === undefined) throw new ConfigError("/process", "process property must not be empty");
  const needsRuntime = needsRuntimeWhenMounted(config);
  return [
    ...inherited(endOfOwnFds(config, host)),

    // While we are still the caller, with its rights over the host.
    ...oomScoreAdj(process),
    ...raiseHardLimits(config, process, host),
    ...idmappedSources(config, host),
    ...joinCgroupsButMemory(config, host), // barrier "cgroup", where systemd makes them

    ...joinNamespaces(config, host),
    ...createNamespaces(config, host), // barrier "namespaces": the runtime writes id maps and time offsets; then the fork

    ...resetAffinity(),

    // The container's files, seen from the outside: its root is a directory of ours.
    ...openRootfs(config, host),
    ...hostSources(config, host),
    ...becomeRoot(config),
    ...keyring(config, process, host),
    ...mounts(config, host),
    ...devices(config, host),
    ...(needsRuntime
      ? [
        ...joinMemoryCgroup(config, host),
        barrier("mounted", "the runtime runs hooks, fills and compares what is mounted"),
      ]
      : []),
    ...readonlyPaths(config),
    ...maskedPaths(config),
    ...nullStreams(process, host),
    ...terminal(process),
    ...console(process),
    ...readonlyMounts(config),

    // From here on there is only the container's root.
    ...enterRootfs(config, host),
    ...workingDirectory(process, "create"),
    ...readonlyRootfs(config),
    ...hostname(config),
    ...sysctl(config),
    ...apparmorProfile(process, host),
    ...selinuxLabel(process, host),
    ...scheduler(process),
    ...ioPriority(process),
    ...personality(config),
    ...memoryPolicy(config),
    // As late as may be: what was made so far would count against the container's limit.
    ...(needsRuntime ? [] : joinMemoryCgroup(config, host)),
    barrier("ready", "the runtime takes the terminal, and finds the executable and HOME"),

    // A waiting container holds nothing of the host's but this barrier.
    ...closeDescriptors(host),
    barrier("start", "the container is created"),

    // What the process may do is settled last, so that nothing of ours has to be allowed by it.
    ...setLimits(process, host),
    ...umask(process),
    ...closeOnExec(host),
    ...privileges(config, process, host, filter), // barrier "listener", with SCMP_ACT_NOTIFY
    ...execute(process, host),
  ];
}

/** Copying and comparing are loops, which a plan does not have, and hooks are programs: the runtime does all three, and joins groups of resctrl. */
function needsRuntimeWhenMounted(config: Config): boolean {
  const { prestart = [], createRuntime = [], createContainer = [] } = config.hooks ?? {};
  const hooks = prestart.length + createRuntime.length + createContainer.length;
  // What is moved must be there before the hooks look for it.
  const devices = Object.keys(config.linux?.netDevices ?? {}).length;
  const joins = config.linux?.intelRdt !== undefined;
  return hooks + devices > 0 || joins || copiedUp(config).length > 0 || devicesToCompare(config).length > 0;
}
