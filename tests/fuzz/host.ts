/** Machines as a plan may be made for, one as likely as the other. @module */
import type { FileType, Hierarchy, Host, Target } from "../../runtime/plan/host.ts";
import { plannedMounts } from "../../runtime/plan/mounts.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { Random } from "./random.ts";

const HIERARCHIES: readonly (readonly Hierarchy[])[] = [
  [],
  [{ controllers: "", mountPoint: "/sys/fs/cgroup", cgroup: "/user.slice" }],
  [
    { controllers: "cpu,cpuacct", mountPoint: "/sys/fs/cgroup/cpu,cpuacct", cgroup: "/" },
    { controllers: "name=systemd", mountPoint: "/sys/fs/cgroup/systemd", cgroup: "/a/b" },
    { controllers: "", mountPoint: "/sys/fs/cgroup/unified", cgroup: "/" },
  ],
];

/** @throws {ConfigError} if the mounts of the config cannot be planned */
export function randomHost(config: Config, random: Random): Host {
  const planned = plannedMounts(config);
  const sources = planned.map(() => random.pick<FileType>(["directory", "file", "missing"]));
  const targets = planned.filter(() => !random.once(4)).map(({ destination, index, type }) => {
    const same = type === "bind" && sources[index] === "file" ? "file" : "directory";
    return [destination, target(destination, random.pick([same, same, same, "missing"]), random)];
  });
  const privileged = !random.once(4);
  return {
    id: "c1",
    rootfs: "/bundle/rootfs",
    rootfsMountPoint: random.pick(["/", "/bundle"]),
    bundle: "/bundle",
    privileged,
    preserveFds: random.pick([0, 0, 1, 100]),
    noPivot: random.once(8),
    noNewKeyring: random.once(8),
    lastCapability: random.pick([36, 40]),
    capabilities: privileged ? (1n << 41n) - 1n : random.pick([0n, 0xa80425fbn]),
    nofile: { soft: 1024, hard: 524288 },
    ...(random.once(4) && { rlimits: { RLIMIT_NOFILE: { soft: 1024, hard: 4096 } } }),
    nullStdio: [random.once(2), false, random.once(2)],
    apparmor: !random.once(5),
    selinux: !random.once(5),
    sources: { ...sources },
    targets: Object.fromEntries(targets),
    hierarchies: random.pick(HIERARCHIES),
    cgroupTasks: ["/sys/fs/cgroup/pids/c/tasks"],
    memoryTasks: "/sys/fs/cgroup/memory/c/tasks",
    unifiedCgroup: true,
    procMounts: random.pick([[], ["/proc", "/sys"]]),
  };
}

function target(path: string, type: FileType, random: Random): Target {
  return {
    path: random.once(4) ? `/elsewhere${path}` : path,
    type,
    ...(type !== "missing" && { mode: random.pick([0o755, 0o1777, 0]) }),
  };
}
