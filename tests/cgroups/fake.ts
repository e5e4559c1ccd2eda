/**
 * Trees of files in a temporary directory that look like cgroup file systems: what is written to a file is all that is in it
 * then. The kernel makes a cgroup's files when the directory is made, here they are made before.
 *
 * @module
 */
import { type Cgroup, type Hierarchy, locateCgroup } from "../../cgroups/mod.ts";
import { isDirectory, type Machine } from "./suite/fixture.ts";

type Files = Readonly<Record<string, string>>;

const NO_LIMIT_V1 = "9223372036854771712\n";

/** By controller, as v1 calls it. */
const V1: Readonly<Record<string, Files>> = {
  cpu: {
    "cpu.cfs_burst_us": "0\n",
    "cpu.cfs_period_us": "100000\n",
    "cpu.cfs_quota_us": "-1\n",
    "cpu.idle": "0\n",
    "cpu.rt_period_us": "1000000\n",
    "cpu.rt_runtime_us": "0\n",
    "cpu.shares": "1024\n",
    "cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 5000\n",
  },
  cpuacct: {
    "cpuacct.stat": "user 12\nsystem 34\n",
    "cpuacct.usage": "460000000\n",
    "cpuacct.usage_all": "cpu user system\n0 100 300\n1 20 40\n",
    "cpuacct.usage_percpu": "400 60 \n",
  },
  cpuset: { "cpuset.cpus": "0-1\n", "cpuset.mems": "0\n", "cpuset.sched_load_balance": "1\n" },
  memory: {
    "memory.failcnt": "3\n",
    "memory.kmem.tcp.limit_in_bytes": NO_LIMIT_V1,
    "memory.limit_in_bytes": NO_LIMIT_V1,
    "memory.max_usage_in_bytes": "8192\n",
    "memory.memsw.failcnt": "0\n",
    "memory.memsw.limit_in_bytes": NO_LIMIT_V1,
    "memory.memsw.max_usage_in_bytes": "8192\n",
    "memory.memsw.usage_in_bytes": "4096\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    "memory.soft_limit_in_bytes": NO_LIMIT_V1,
    "memory.stat": "cache 4096\nrss 0\n",
    "memory.swappiness": "60\n",
    "memory.usage_in_bytes": "4096\n",
  },
  devices: { "devices.list": "a *:* rwm\n", "devices.allow": "", "devices.deny": "" },
  freezer: { "freezer.state": "THAWED\n" },
  blkio: {
    "blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\nTotal 4096\n",
    "blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 0\n8:0 Total 1\nTotal 1\n",
    "blkio.throttle.read_bps_device": "",
    "blkio.weight": "500\n",
  },
  pids: { "pids.current": "0\n", "pids.max": "max\n" },
  hugetlb: {
    "hugetlb.2MB.failcnt": "0\n",
    "hugetlb.2MB.limit_in_bytes": "max\n",
    "hugetlb.2MB.max_usage_in_bytes": "0\n",
    "hugetlb.2MB.rsvd.failcnt": "1\n",
    "hugetlb.2MB.rsvd.limit_in_bytes": "max\n",
    "hugetlb.2MB.rsvd.max_usage_in_bytes": "4194304\n",
    "hugetlb.2MB.rsvd.usage_in_bytes": "2097152\n",
    "hugetlb.2MB.usage_in_bytes": "0\n",
  },
  rdma: { "rdma.max": "mlx4_0 hca_handle=max hca_object=max\n" },
  net_cls: { "net_cls.classid": "0\n" },
  net_prio: { "net_prio.ifpriomap": "lo 0\n" },
};

const V2: Readonly<Record<string, Files>> = {
  cpu: {
    "cpu.idle": "0\n",
    "cpu.max": "max 100000\n",
    "cpu.max.burst": "0\n",
    "cpu.weight": "100\n",
  },
  cpuset: { "cpuset.cpus": "\n", "cpuset.mems": "\n" },
  memory: {
    "memory.current": "4096\n",
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n",
    "memory.low": "0\n",
    "memory.max": "max\n",
    "memory.peak": "8192\n",
    "memory.stat": "anon 0\nfile 4096\n",
    "memory.swap.current": "1024\n",
    "memory.swap.max": "max\n",
  },
  io: {
    "io.bfq.weight": "default 100\n",
    "io.max": "",
    "io.stat": "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n",
  },
  pids: { "pids.current": "0\n", "pids.max": "max\n" },
  hugetlb: {
    "hugetlb.2MB.current": "0\n",
    "hugetlb.2MB.events": "max 1\n",
    "hugetlb.2MB.max": "max\n",
    "hugetlb.2MB.rsvd.current": "2097152\n",
    "hugetlb.2MB.rsvd.max": "max\n",
  },
  rdma: { "rdma.max": "mlx4_0 hca_handle=max hca_object=max\n" },
};

const PRESSURE =
  "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n";

/** What every cgroup of v2 has. */
function coreFiles(controllers: readonly string[]): Files {
  return {
    "cgroup.controllers": `${controllers.join(" ")}\n`,
    "cgroup.events": "populated 0\nfrozen 1\n",
    "cgroup.freeze": "0\n",
    "cgroup.kill": "",
    "cgroup.procs": "",
    "cgroup.subtree_control": "\n",
    "cgroup.type": "domain\n",
    "cpu.pressure": PRESSURE,
    "cpu.stat":
      "usage_usec 460\nuser_usec 120\nsystem_usec 340\nnr_periods 10\nnr_throttled 4\nthrottled_usec 5\n",
  };
}

/** A machine of files. Beside v1 the unified hierarchy has the controllers that v1 has not. */
export class FakeMachine implements Machine {
  readonly controllers: Machine["controllers"];
  readonly root = Deno.makeTempDirSync({ prefix: "hako-cgroups-" });
  readonly hierarchies: readonly Hierarchy[];

  constructor(
    readonly name: string,
    controllers: Partial<Machine["controllers"]> & { readonly unified?: boolean },
  ) {
    const { v1 = [], v2 = [], unified = v2.length > 0 } = controllers;
    this.controllers = { v1, v2 };
    const hierarchy = (name: string, mountPoint: string): Hierarchy => ({
      controllers: name,
      mountPoint,
      cgroup: "/",
    });
    this.hierarchies = [
      ...v1.map((name) => hierarchy(name, `${this.root}/${name}`)),
      ...unified ? [hierarchy("", v1.length > 0 ? `${this.root}/unified` : this.root)] : [],
    ];
    for (const { controllers, mountPoint } of this.hierarchies) this.#fill(mountPoint, controllers);
  }

  /** Finds a cgroup and, where it is not there yet, makes its files. */
  locate(path: string, { bare = false } = {}): Cgroup {
    const cgroup = locateCgroup({ id: "hako-test", cgroupsPath: path, hierarchies: this.hierarchies });
    if (bare) return cgroup;
    for (const { controllers, mountPoint } of this.hierarchies) {
      const parts = cgroup.paths[controllers]!.slice(mountPoint.length + 1).split("/");
      parts.forEach((_, index) => {
        const directory = [mountPoint, ...parts.slice(0, index + 1)].join("/");
        if (!isDirectory(directory)) this.#fill(directory, controllers);
      });
    }
    return cgroup;
  }

  /** A real one needs no file to be removed. */
  readonly beforeDelete = (cgroup: Cgroup): void => {
    for (const path of Object.values(cgroup.paths)) removeFiles(path);
  };

  remove(): void {
    Deno.removeSync(this.root, { recursive: true });
  }

  #fill(directory: string, controllers: string): void {
    Deno.mkdirSync(directory, { recursive: true });
    const files = controllers === ""
      ? [coreFiles(this.controllers.v2), ...this.controllers.v2.map((name) => V2[name]!)]
      : [{ "cgroup.procs": "", tasks: "" }, ...controllers.split(",").map((name) => V1[name]!)];
    for (const [name, text] of Object.entries(Object.assign({}, ...files) as Files)) {
      Deno.writeTextFileSync(`${directory}/${name}`, text);
    }
  }
}

export const ALL_V1 = Object.keys(V1);
export const ALL_V2 = Object.keys(V2);

function removeFiles(directory: string): void {
  if (!isDirectory(directory)) return;
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (isFile) Deno.removeSync(`${directory}/${name}`);
    else removeFiles(`${directory}/${name}`);
  }
}
