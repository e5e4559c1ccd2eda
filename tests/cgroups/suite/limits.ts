/** Every limit is to be found in its file. @module */
import { assertEquals } from "@std/assert";
import type { Cgroup } from "../../../cgroups/mod.ts";
import type { Resources } from "../../../runtime/spec/resources.ts";
import { cgroupTest, type Machine, MB } from "./fixture.ts";

/** Resources, and the files that they are to be found in. */
interface Case {
  /** The controller as v2 calls it. */
  readonly controller: string;
  readonly resources: Resources;
  readonly v1?: Readonly<Record<string, string>>;
  readonly v2?: Readonly<Record<string, string>>;
}

const CASES: Readonly<Record<string, Case>> = {
  "pids.limit": {
    controller: "pids",
    resources: { pids: { limit: 7 } },
    v1: { "pids.max": "7" },
    v2: { "pids.max": "7" },
  },
  "pids.limit -1 is no limit": {
    controller: "pids",
    resources: { pids: { limit: -1 } },
    v1: { "pids.max": "max" },
    v2: { "pids.max": "max" },
  },
  "pids.limit 0 is 1": {
    controller: "pids",
    resources: { pids: { limit: 0 } },
    v1: { "pids.max": "1" },
    v2: { "pids.max": "1" },
  },
  "memory.limit, reservation and swap": {
    controller: "memory",
    resources: { memory: { limit: 8 * MB, reservation: 4 * MB, swap: 12 * MB } },
    v1: {
      "memory.limit_in_bytes": `${8 * MB}`,
      "memory.soft_limit_in_bytes": `${4 * MB}`,
      "memory.memsw.limit_in_bytes": `${12 * MB}`,
    },
    v2: { "memory.max": `${8 * MB}`, "memory.low": `${4 * MB}`, "memory.swap.max": `${4 * MB}` },
  },
  "memory.swap as large as the limit is no swap": {
    controller: "memory",
    resources: { memory: { limit: 8 * MB, swap: 8 * MB } },
    v1: { "memory.memsw.limit_in_bytes": `${8 * MB}` },
    v2: { "memory.swap.max": "0" },
  },
  "memory.swappiness and disableOOMKiller": {
    controller: "memory",
    resources: { memory: { swappiness: 10, disableOOMKiller: true } },
    v1: { "memory.swappiness": "10", "memory.oom_control": "1" },
    v2: {},
  },
  "cpu.shares": {
    controller: "cpu",
    resources: { cpu: { shares: 2048 } },
    v1: { "cpu.shares": "2048" },
    v2: { "cpu.weight": "174" },
  },
  "cpu.quota, period and burst": {
    controller: "cpu",
    resources: { cpu: { quota: 20_000, period: 50_000, burst: 10_000 } },
    v1: { "cpu.cfs_quota_us": "20000", "cpu.cfs_period_us": "50000", "cpu.cfs_burst_us": "10000" },
    v2: { "cpu.max": "20000 50000", "cpu.max.burst": "10000" },
  },
  "cpu.idle, for which shares count nothing": {
    controller: "cpu",
    resources: { cpu: { idle: 1, shares: 1024 } },
    v1: { "cpu.idle": "1" },
    v2: { "cpu.idle": "1" },
  },
  "cpu.realtimePeriod and realtimeRuntime": {
    controller: "cpu",
    resources: { cpu: { realtimePeriod: 1_000_000, realtimeRuntime: 1000 } },
    v1: { "cpu.rt_period_us": "1000000", "cpu.rt_runtime_us": "1000" },
    v2: {},
  },
  "cpu.cpus and mems": {
    controller: "cpuset",
    resources: { cpu: { cpus: "0", mems: "0" } },
    v1: { "cpuset.cpus": "0", "cpuset.mems": "0" },
    v2: { "cpuset.cpus": "0", "cpuset.mems": "0" },
  },
  "blockIO.weight": {
    controller: "io",
    resources: { blockIO: { weight: 500 } },
    v1: { "blkio.weight": "500" },
    v2: { "io.bfq.weight": "500" },
  },
  "hugepageLimits": {
    controller: "hugetlb",
    resources: { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MB }] },
    v1: { "hugetlb.2MB.limit_in_bytes": `${4 * MB}`, "hugetlb.2MB.rsvd.limit_in_bytes": `${4 * MB}` },
    v2: { "hugetlb.2MB.max": `${4 * MB}`, "hugetlb.2MB.rsvd.max": `${4 * MB}` },
  },
  "rdma": {
    controller: "rdma",
    resources: { rdma: { mlx4_0: { hcaHandles: 2, hcaObjects: 2000 } } },
    v1: { "rdma.max": "mlx4_0 hca_handle=2 hca_object=2000" },
    v2: { "rdma.max": "mlx4_0 hca_handle=2 hca_object=2000" },
  },
  "network.classID": {
    controller: "net_cls",
    resources: { network: { classID: 0x100001 } },
    v1: { "net_cls.classid": "1048577" },
  },
  "network.priorities": {
    controller: "net_prio",
    resources: { network: { priorities: [{ name: "lo", priority: 3 }] } },
    v1: { "net_prio.ifpriomap": "lo 3" },
  },
};

const V1_NAMES: Readonly<Record<string, string>> = { io: "blkio" };

/** Defines a test for each limit. */
export function limitTests(machine: Machine): void {
  for (const [name, one] of Object.entries(CASES)) {
    const version = versionOf(machine, one);
    cgroupTest(machine, `sets ${name}`, (cgroup) => {
      cgroup.create(one.resources);
      assertFiles(cgroup, one[version!]!);
    }, version ? undefined : `no controller "${one.controller}"`);
  }
}

function versionOf({ controllers }: Machine, { controller, v1, v2 }: Case): "v1" | "v2" | undefined {
  if (v1 && controllers.v1.includes(V1_NAMES[controller] ?? controller)) return "v1";
  if (v2 && controllers.v2.includes(controller)) return "v2";
}

function assertFiles(cgroup: Cgroup, files: Readonly<Record<string, string>>): void {
  const found = Object.fromEntries(
    Object.keys(files).map((file) => {
      const directory = cgroup.paths[file.split(".")[0]!] ?? cgroup.paths[""];
      return [file, firstLine(Deno.readTextFileSync(`${directory}/${file}`))];
    }),
  );
  assertEquals(found, files);
}

/** `oom_kill_disable 1` of memory.oom_control is 1; `lo 3` stays. */
function firstLine(text: string): string {
  return text.split("\n")[0]!.replace(/^(oom_kill_disable|default) /, "");
}
