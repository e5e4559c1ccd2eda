/**
 * What holds of a cgroup whatever it is made of. Each machine runs the same tests and gives a reason for each that it
 * cannot run: the ones faked in a directory without root, the real ones in `integration/cgroups`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Cgroup, openCgroup, watchOom } from "../../cgroups/mod.ts";
import type { Resources } from "../../runtime/spec/resources.ts";

/** Where cgroups are made. */
export interface Machine {
  readonly name: string;
  /** Names of controllers as v1 and v2 have them. */
  readonly controllers: { readonly v1: readonly string[]; readonly v2: readonly string[] };
  /** What `locateCgroup` finds for an absolute path. */
  locate(path: string): Cgroup;
  /** Runs a shell script in a cgroup. Absent: there is no kernel that would notice. */
  readonly start?: (cgroup: Cgroup, script: string) => Process;
  /** What removing a directory needs beforehand. */
  readonly beforeDelete?: (cgroup: Cgroup) => void;
  readonly skip?: readonly { readonly reason: string; readonly tests: RegExp }[];
}

/** A process in a cgroup. */
export interface Process {
  readonly pid: number;
  /** Of the process alone: what it had to say, and "code 0" or "signal SIGKILL". */
  readonly end: Promise<{ readonly stdout: string; readonly stderr: string; readonly status: string }>;
}

/** Resources, and the files that they are to be found in. */
interface Case {
  /** The controller as v2 calls it. */
  readonly controller: string;
  readonly resources: Resources;
  readonly v1?: Readonly<Record<string, string>>;
  readonly v2?: Readonly<Record<string, string>>;
}

const MB = 1 << 20;

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

/** Defines all tests for one machine. */
export function runCgroupTests(machine: Machine): void {
  for (const [name, one] of Object.entries(CASES)) {
    const version = versionOf(machine, one);
    cgroupTest(machine, `sets ${name}`, (cgroup) => {
      cgroup.create(one.resources);
      assertFiles(cgroup, one[version!]!);
    }, version ? undefined : `no controller "${one.controller}"`);
  }
  lifeTests(machine);
  behaviourTests(machine);
}

function versionOf({ controllers }: Machine, { controller, v1, v2 }: Case): "v1" | "v2" | undefined {
  if (v1 && controllers.v1.includes(V1_NAMES[controller] ?? controller)) return "v1";
  if (v2 && controllers.v2.includes(controller)) return "v2";
}

function lifeTests(machine: Machine): void {
  const { name } = machine;

  cgroupTest(machine, "sets nothing that is not asked for, and warns of nothing", (cgroup) => {
    assertEquals(cgroup.create({}), []);
    assertEquals(cgroup.set({ memory: {}, cpu: {}, blockIO: {}, network: {} }), []);
  });

  cgroupTest(machine, "can be opened by its paths", (cgroup, open) => {
    cgroup.create({});
    assertEquals(open().paths, cgroup.paths);
    assertEquals(open().pids(), []);
  });

  cgroupTest(machine, "starts without OOM kills, and says so in the statistics' shape", (cgroup) => {
    cgroup.create({});
    assertEquals(cgroup.oomKillCount(), 0);
    const stats = cgroup.stats();
    assertEquals(Object.keys(stats), [
      "cpu",
      "cpuset",
      "memory",
      "pids",
      "blkio",
      "hugetlb",
      "intel_rdt",
      "network_interfaces",
    ]);
  });

  cgroupTest(machine, "freezes and thaws", (cgroup) => {
    cgroup.create({});
    assertEquals(cgroup.isFrozen(), false);
    cgroup.freeze();
    assertEquals(cgroup.isFrozen(), true);
    cgroup.thaw();
    assertEquals(cgroup.isFrozen(), false);
  });

  cgroupTest(machine, "is not made in the place of one that is frozen", (cgroup, open) => {
    cgroup.create({});
    cgroup.freeze();
    try {
      assertMatch(message(() => open(true).create({})), /container's cgroup unexpectedly frozen/);
    } finally {
      cgroup.thaw();
    }
  });

  cgroupTest(
    machine,
    "refuses what leads out of it",
    (cgroup) => {
      cgroup.create({});
      assertMatch(message(() => cgroup.set({ unified: { "../x": "1" } })), /must be a file name|not mounted/);
      assertMatch(
        message(() => cgroup.set({ hugepageLimits: [{ pageSize: "/../2MB", limit: 1 }] })),
        /must be a file name/,
      );
      assertMatch(message(() => cgroup.add(1, { sub: "../x" })), /bad sub cgroup path: \.\.\/x/);
    },
    machine.controllers.v1.concat(machine.controllers.v2).includes("hugetlb")
      ? undefined
      : 'no controller "hugetlb"',
  );

  cgroupTest(
    machine,
    "names the file, the value and the member that were refused",
    (cgroup) => {
      cgroup.create({});
      const text = message(() => cgroup.set({ hugepageLimits: [{ pageSize: "3MB", limit: 5 }] }));
      assertMatch(
        text,
        /^write "5" to \/.*\/hugetlb\.3MB\.\w+: no such file or directory \(ENOENT\), asked for by /,
      );
      assertMatch(text, /config\.json \/linux\/resources\/hugepageLimits\/0$/);
    },
    machine.controllers.v1.concat(machine.controllers.v2).includes("hugetlb")
      ? undefined
      : 'no controller "hugetlb"',
  );

  cgroupTest(machine, "leaves nothing of itself when a limit is refused", (cgroup) => {
    assertThrows(() => cgroup.create({ unified: { "cgroup.nonsense": "1" } }));
    for (const path of Object.values(cgroup.paths)) assertEquals(exists(path), false, `${name}: ${path}`);
  }, machine.beforeDelete && "a directory with plain files in it cannot be removed");

  cgroupTest(machine, "can be deleted twice, with cgroups below", (cgroup, open) => {
    cgroup.create({});
    for (const path of new Set(Object.values(cgroup.paths))) {
      Deno.mkdirSync(`${path}/one/two`, { recursive: true });
      Deno.mkdirSync(`${path}/three`);
    }
    machine.beforeDelete?.(cgroup);
    cgroup.delete();
    for (const path of Object.values(cgroup.paths)) assertEquals(exists(path), false);
    open().delete();
  });
}

function behaviourTests(machine: Machine): void {
  const kernelTest = (name: string, controller: string, fn: (cgroup: Started) => Promise<void>) => {
    const { v1, v2 } = machine.controllers;
    const there = controller === "v2" ? v2.length > 0 : [...v1, ...v2, ""].includes(controller);
    const absent = controller === "v2" ? "no controllers with v2" : `no controller "${controller}"`;
    const reason = machine.start === undefined ? "no kernel" : there ? undefined : absent;
    cgroupTest(machine, name, async (cgroup, open) => {
      await fn({ cgroup, open, start: (script) => machine.start!(cgroup, script) });
    }, reason);
  };

  kernelTest("has its processes, those of cgroups below included", "", async ({ cgroup, start }) => {
    cgroup.create({});
    const { pid } = start("sleep 100");
    const below = start("sleep 100");
    for (const path of new Set(Object.values(cgroup.paths))) {
      Deno.mkdirSync(`${path}/below`);
      if (path.includes("/cpuset/")) copyCpuset(path, `${path}/below`);
    }
    cgroup.add(below.pid, { sub: "below" });
    assertEquals(cgroup.pids().toSorted(), [pid, below.pid].toSorted());
    cgroup.kill();
    assertEquals((await below.end).status, "signal SIGKILL");
  });

  kernelTest("is not made in the place of one with processes", "", async ({ cgroup, open, start }) => {
    cgroup.create({});
    const { end } = start("sleep 100");
    assertMatch(
      message(() => open(true).create({})),
      /container's cgroup is not empty: 1 process\(es\) found in \//,
    );
    cgroup.kill();
    await end;
  });

  kernelTest(
    "kills all processes, frozen ones too, and while they multiply",
    "",
    async ({ cgroup, start }) => {
      cgroup.create({});
      const { end } = start(
        "while :; do sleep 100 & sleep 100 & (sleep 0.01; exec sleep 100) & sleep 0.01; done",
      );
      await pause(100);
      cgroup.freeze();
      cgroup.kill();
      assertEquals((await end).status, "signal SIGKILL");
      await until(() => cgroup.pids().length === 0);
      assertEquals(cgroup.isFrozen() && cgroup.paths.freezer !== undefined, false);
    },
  );

  kernelTest("lets nothing go on that is frozen", "", async ({ cgroup, start }) => {
    cgroup.create({});
    const file = Deno.makeTempFileSync();
    const { end } = start(`i=0; while :; do i=$((i+1)); echo $i > ${file}; done`);
    await until(() => Deno.readTextFileSync(file) !== "");
    cgroup.freeze();
    const before = Deno.readTextFileSync(file);
    await pause(200);
    assertEquals(Deno.readTextFileSync(file), before);
    cgroup.thaw();
    await until(() => !["", before].includes(Deno.readTextFileSync(file)));
    cgroup.kill();
    await end;
    Deno.removeSync(file);
  });

  kernelTest(
    "denies a device with EPERM, on open and on mknod, and allows others",
    "",
    async ({ cgroup, start }) => {
      cgroup.create({
        devices: [
          { allow: false },
          { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
          { allow: true, type: "c", major: 1, minor: 5, access: "r" },
        ],
      });
      // Where nodes can be used: containers have /tmp mounted with nodev.
      const directory = Deno.makeTempDirSync({ dir: "/dev" });
      const { end } = start(
        `cd ${directory}; mknod full c 1 7; mknod null c 1 3 && echo made; ` +
          "echo 1 > null && echo null; head -c 1 /dev/zero | wc -c; echo 1 > /dev/zero; head -c 1 /dev/full",
      );
      const { stdout, stderr } = await end;
      Deno.removeSync(directory, { recursive: true });
      assertEquals(stdout, "made\nnull\n1\n");
      assertEquals(stderr.match(/Operation not permitted/g)?.length, 3, stderr);
    },
  );

  kernelTest("lets all devices be used again, after a rule that says so", "", async ({ cgroup, start }) => {
    cgroup.create({ devices: [{ allow: false }] });
    cgroup.set({ devices: [{ allow: false }, { allow: true }] });
    assertEquals((await start("head -c 1 /dev/full | wc -c").end).stdout, "1\n");
  });

  kernelTest("is handed to a user, who may divide it", "v2", async ({ cgroup, start }) => {
    cgroup.create({});
    cgroup.delegate(1000, 1001);
    const directory = cgroup.paths[""]!;
    const { uid, gid } = Deno.statSync(`${directory}/cgroup.procs`);
    assertEquals([uid, gid, Deno.statSync(`${directory}/cgroup.freeze`).uid], [1000, 1001, 0]);
    const { stdout, stderr } = await start(
      `exec setpriv --reuid 1000 --regid 1001 --clear-groups sh -c 'mkdir ${directory}/mine; echo $$ > ${directory}/mine/cgroup.procs; cat /proc/self/cgroup'`,
    ).end;
    assertMatch(stdout, /^0::.*\/mine$/m, stderr);
  });

  kernelTest("has a place beside init where init has divided it", "v2", async ({ cgroup, start }) => {
    const [controller] = machine.controllers.v2;
    cgroup.create({
      unified: { "cgroup.max.depth": "3", ...controller === "hugetlb" && { "hugetlb.2MB.max": "max" } },
    });
    const directory = cgroup.paths[""]!;
    const init = start("exec sleep 100");
    Deno.mkdirSync(`${directory}/init.scope`);
    Deno.writeTextFileSync(`${directory}/init.scope/cgroup.procs`, `${init.pid}`);
    Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
    const { pid } = new Deno.Command("sleep", { args: ["100"] }).spawn();
    try {
      assertMatch(
        message(() => cgroup.add(pid)),
        /^join \/.*, but it has cgroups below that use controllers/,
      );
      assertEquals(cgroup.entry(init.pid), `${directory}/init.scope`);
      cgroup.add(pid, { init: init.pid });
      assertEquals(Deno.readTextFileSync(`${directory}/init.scope/cgroup.procs`), `${init.pid}\n${pid}\n`);
    } finally {
      Deno.kill(pid, "SIGKILL");
      cgroup.kill();
    }
    await init.end;
  });

  kernelTest("changes devices of a running process, and back", "", async ({ cgroup, start }) => {
    cgroup.create({ devices: [{ allow: false }, { allow: true, type: "c", major: 1, minor: 5 }] });
    const { pid, end } = start(
      "trap 'head -c 1 /dev/zero | wc -c' USR1 USR2; echo; while :; do sleep 0.02; done",
    );
    await pause(100);
    const ask = (signal: "SIGUSR1" | "SIGUSR2") => {
      Deno.kill(pid, signal);
      return pause(200);
    };
    cgroup.set({ devices: [{ allow: false }] });
    await ask("SIGUSR1");
    cgroup.set({ devices: [{ allow: false }, { allow: true, type: "c", access: "r" }] });
    await ask("SIGUSR2");
    cgroup.kill();
    assertEquals((await end).stdout, "\n0\n1\n");
  });

  kernelTest("kills a process over its memory limit, and counts it", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 16 * MB, swap: 16 * MB } });
    const { end } = start("exec dd if=/dev/zero of=/dev/null bs=100M count=1");
    assertEquals((await end).status, "signal SIGKILL");
    assertEquals(cgroup.oomKillCount(), 1);
    const { memory } = cgroup.stats();
    assertEquals(memory.usage.limit, 16 * MB);
    assert(memory.usage.max! > 15 * MB, `${memory.usage.max}`);
  });

  kernelTest(
    "tells of processes killed for want of memory, until its end",
    "memory",
    async ({ cgroup, start }) => {
      cgroup.create({ memory: { limit: 16 * MB, swap: 16 * MB } });
      const { end } = start("sleep 0.3; dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 0.1");
      let events = 0;
      const watching = (async () => {
        for await (const _ of watchOom(cgroup)) events++;
      })();
      await end;
      await until(() => events === 1);
      await until(() => cgroup.pids().length === 0);
      cgroup.delete();
      await watching;
    },
  );

  kernelTest("stops a fork bomb at pids.limit", "pids", async ({ cgroup, start }) => {
    cgroup.create({ pids: { limit: 10 } });
    const { end } = start("for i in $(seq 50); do sleep 100 & done");
    // The shell is the tenth, and gives up at the eleventh.
    const events = `${cgroup.paths.pids ?? cgroup.paths[""]}/pids.events`;
    await until(() => Deno.readTextFileSync(events) === "max 1\n");
    await until(() => cgroup.stats().pids.current === 9);
    assertEquals(cgroup.stats().pids.limit, 10);
    cgroup.kill();
    assertMatch((await end).stderr, /fork/i);
  });

  kernelTest("gives a busy loop its quota", "cpu", async ({ cgroup, start }) => {
    cgroup.create({ cpu: { quota: 20_000, period: 100_000 } });
    const { end } = start("while :; do :; done");
    await pause(300);
    const used = () => Number(cgroup.stats().cpu.usage.total) / 1e6;
    const shares: number[] = [];
    // It gets less while the machine has no CPU for it.
    while (shares.length < 5 && !(Math.abs(shares.at(-1)! - 0.2) < 0.02)) {
      const [time, usage] = [performance.now(), used()];
      await pause(2000);
      shares.push((used() - usage) / (performance.now() - time));
      assert(shares.at(-1)! < 0.22, `${shares} of a CPU instead of 0.2`);
    }
    assert(Math.abs(shares.at(-1)! - 0.2) < 0.02, `${shares} of a CPU instead of 0.2`);
    assert(Number(cgroup.stats().cpu.throttling.throttledPeriods) > 5);
    cgroup.kill();
    await end;
  });

  kernelTest("changes limits of a running process, up and down", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 32 * MB, swap: 64 * MB } });
    const { end } = start("sleep 100");
    for (const [limit, swap] of [[128, 256], [16, 24], [64, 64], [8, 500], [300, 400], [5, 6]] as const) {
      cgroup.set({ memory: { limit: limit * MB, swap: swap * MB } });
      assertEquals(cgroup.stats().memory.usage.limit, limit * MB);
    }
    cgroup.set({ memory: { limit: -1 } });
    assert(cgroup.stats().memory.usage.limit > 2 ** 60);
    cgroup.kill();
    await end;
  });

  kernelTest("explains a memory limit below what is used", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 64 * MB, swap: 64 * MB } });
    const { end } = start("dd if=/dev/zero bs=20M count=1 | sleep 100");
    await until(() => Number(cgroup.stats().memory.usage.usage) > 20 * MB);
    assertMatch(
      message(() => cgroup.set({ memory: { limit: 8 * MB, swap: 64 * MB, checkBeforeUpdate: true } })),
      /^config\.json \/linux\/resources\/memory\/limit: unable to set memory limit to 8388608 \(current usage: \d+/,
    );
    cgroup.kill();
    await end;
  });
}

interface Started {
  readonly cgroup: Cgroup;
  readonly open: (again?: boolean) => Cgroup;
  readonly start: (script: string) => Process;
}

let count = 0;

/** Defines a test with a cgroup of its own, of which nothing is left in the end. */
function cgroupTest(
  machine: Machine,
  name: string,
  fn: (cgroup: Cgroup, open: (again?: boolean) => Cgroup) => void | Promise<void>,
  absent?: string,
): void {
  const reason = absent ?? machine.skip?.find(({ tests }) => tests.test(name))?.reason;
  Deno.test({
    name: `${machine.name}: ${name}${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    ignore: reason !== undefined,
    async fn() {
      const path = `/hako-test-${Deno.pid}-${count++}`;
      const cgroup = machine.locate(path);
      try {
        await fn(cgroup, (again = false) => again ? machine.locate(path) : openCgroup(cgroup.paths));
      } finally {
        machine.beforeDelete?.(cgroup);
        if (machine.start) cgroup.kill();
        cgroup.delete();
      }
    },
  });
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

function copyCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    Deno.writeTextFileSync(`${to}/${file}`, Deno.readTextFileSync(`${from}/${file}`));
  }
}

function message(fn: () => void): string {
  return (assertThrows(fn) as Error).message;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    assert(Date.now() < end, "it has not happened in 5 s");
    await pause(10);
  }
}
