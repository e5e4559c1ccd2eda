import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { locateCgroup } from "../../cgroups/mod.ts";
import { ALL_V1, ALL_V2, FakeMachine } from "./fake.ts";
import { runCgroupTests } from "./suite.ts";

const machines = {
  v1: new FakeMachine("files of v1", { v1: ALL_V1 }),
  hybrid: new FakeMachine("files of hybrid", {
    v1: ALL_V1.filter((name) => name !== "hugetlb" && name !== "rdma"),
    v2: ["hugetlb", "rdma"],
  }),
  v2: new FakeMachine("files of v2", { v2: ALL_V2 }),
};

for (const machine of Object.values(machines)) runCgroupTests(machine);

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

Deno.test("v2 hands down all controllers, hybrid those that are asked for", () => {
  machines.v2.locate("/a/b").create({});
  // One by one: in a file, the last one stays.
  assertEquals(read(`${machines.v2.root}/cgroup.subtree_control`), `+${ALL_V2.at(-1)}`);
  assertEquals(read(`${machines.v2.root}/a/cgroup.subtree_control`), `+${ALL_V2.at(-1)}`);
  assertEquals(read(`${machines.v2.root}/a/b/cgroup.subtree_control`), "\n");

  machines.hybrid.locate("/a/b").create({});
  assertEquals(read(`${machines.hybrid.root}/unified/a/cgroup.subtree_control`), "\n");
  machines.hybrid.locate("/a/b").create({ unified: { "hugetlb.2MB.max": "0" } });
  assertEquals(read(`${machines.hybrid.root}/unified/a/cgroup.subtree_control`), "+hugetlb");
});

Deno.test("v1 fills an empty cpuset from above, all levels of it", () => {
  const cgroup = machines.v1.locate("/cpus/x/y");
  for (const path of ["cpus", "cpus/x", "cpus/x/y"]) {
    for (const file of ["cpus", "mems"]) {
      Deno.writeTextFileSync(`${machines.v1.root}/cpuset/${path}/cpuset.${file}`, "\n");
    }
  }
  cgroup.create({ cpu: { cpus: "1" } });
  const directory = cgroup.paths.cpuset;
  assertEquals([read(`${directory}/cpuset.cpus`), read(`${directory}/cpuset.mems`)], ["1", "0"]);
  assertEquals(read(`${machines.v1.root}/cpuset/cpus/x/cpuset.cpus`), "0-1");
});

Deno.test("a process joins every hierarchy, and a cgroup below", () => {
  const cgroup = machines.hybrid.locate("/join");
  cgroup.create({});
  cgroup.add(42);
  assertEquals(cgroup.pids(), [42]);
  for (const path of Object.values(cgroup.paths)) assertEquals(read(`${path}/cgroup.procs`), "42");
  assertEquals(cgroup.tasks, machines.hybrid.controllers.v1.map((name) => `${cgroup.paths[name]}/tasks`));

  machines.hybrid.locate("/join/below").add(43);
  cgroup.add(44, { sub: "below" });
  assertEquals(cgroup.pids(), [42, 44]);
});

Deno.test("a cgroup of v2 below a threaded one is made threaded, or refused for what knows no threads", () => {
  const cgroup = machines.v2.locate("/threaded");
  const type = `${cgroup.paths[""]}/cgroup.type`;
  Deno.writeTextFileSync(type, "domain invalid\n");
  assertMatch(
    (assertThrows(() => cgroup.create({ memory: { limit: 1 } })) as Error).message,
    /^config\.json \/linux\/cgroupsPath: .*\/threaded is "domain invalid", .*"memory", which \/linux\/resources\/memory\/limit needs$/,
  );
  cgroup.create({ cpu: { shares: 5 }, pids: { limit: 3 } });
  assertEquals(read(type), "threaded");
});

Deno.test("what a version or a machine does not have is an error or a warning", () => {
  const warnings = machines.v2.locate("/warn").create({
    memory: { kernel: 1, kernelTCP: 1, swappiness: 0, disableOOMKiller: true, limit: 4096 },
    cpu: { realtimeRuntime: 1, realtimePeriod: 1 },
    blockIO: { leafWeight: 10, weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] },
    network: { classID: 1, priorities: [] },
  });
  assertEquals(
    warnings.map((line) => line.replace(/^\/linux\/resources\/(.*) has no effect with cgroup v2$/, "$1")),
    [
      "memory/kernel",
      "memory/kernelTCP",
      "memory/swappiness",
      "memory/disableOOMKiller",
      "blockIO/weightDevice/0/leafWeight",
      "blockIO/leafWeight",
      "cpu/realtimeRuntime",
      "cpu/realtimePeriod",
      "network/classID",
      "network/priorities",
    ],
  );

  const some = new FakeMachine("some", { v1: ["cpu", "freezer"], unified: false });
  const cgroup = some.locate("/x");
  cgroup.create({});
  const message = (fn: () => void) => (assertThrows(fn) as Error).message;
  assertEquals(
    message(() => cgroup.set({ pids: { limit: 1 } })),
    'config.json /linux/resources/pids/limit: cannot be set: no cgroup hierarchy with "pids" is mounted',
  );
  assertEquals(
    message(() => cgroup.set({ unified: { "memory.high": "1" } })),
    "config.json /linux/resources/unified/memory.high: cannot be set: cgroup v2 is not mounted",
  );
  some.remove();

  const bare = new FakeMachine("bare", { v2: ["pids"] });
  assertMatch(
    message(() => bare.locate("/x").create({ memory: { limit: 4096 } })),
    /^config\.json \/linux\/resources\/memory\/limit: cannot be set: the controller "memory" is not available in .*\/x, which has "pids"$/,
  );
  bare.remove();
});

Deno.test("statistics are those of runc, for v1 and v2", () => {
  const json = (machine: FakeMachine) => {
    const cgroup = machine.locate("/stats");
    cgroup.create({ pids: { limit: 5 } });
    return JSON.parse(
      JSON.stringify(cgroup.stats(), (_, value) => typeof value === "bigint" ? `${value}` : value),
    );
  };
  const v1 = json(machines.v1);
  assertEquals(v1.cpu, {
    usage: {
      total: 460000000,
      percpu: [400, 60],
      percpu_kernel: [300, 40],
      percpu_user: [100, 20],
      kernel: 340000000,
      user: 120000000,
    },
    throttling: { periods: 10, throttledPeriods: 4, throttledTime: 5000 },
  });
  assertEquals(v1.cpuset.cpus, [0, 1]);
  assertEquals(v1.memory.usage, { limit: "9223372036854771712", usage: 4096, max: 8192, failcnt: 3 });
  assertEquals(v1.memory.raw, { cache: 4096, rss: 0 });
  assertEquals(v1.pids, { limit: 5 });
  assertEquals(v1.blkio.ioServiceBytesRecursive, [
    { major: 8, op: "Read", value: 4096 },
    { major: 8, op: "Write" },
    { major: 8, op: "Total", value: 4096 },
  ]);
  assertEquals(v1.hugetlb, { "2MB": { usage: 2097152, max: 4194304, failcnt: 1 } });

  const v2 = json(machines.v2);
  assertEquals(v2.cpu.usage, { total: 460000, kernel: 340000, user: 120000 });
  assertEquals(v2.cpu.throttling, { periods: 10, throttledPeriods: 4, throttledTime: 5000 });
  assertEquals(v2.cpu.psi, {
    some: { avg10: 1.5, avg60: 0, avg300: 0, total: 7 },
    full: { avg10: 0, avg60: 0, avg300: 0, total: 1 },
  });
  assertEquals(v2.memory.cache, 4096);
  assertEquals(v2.memory.usage, { limit: "18446744073709551615", usage: 4096, max: 8192, failcnt: 0 });
  assertEquals(v2.memory.swap, { limit: "18446744073709551615", usage: 5120, failcnt: 0 });
  assertEquals(v2.blkio.ioServicedRecursive, [{ major: 8, op: "Read", value: 1 }, { major: 8, op: "Write" }]);
  assertEquals(v2.hugetlb, { "2MB": { usage: 2097152, failcnt: 1 } });
});

Deno.test("without rights a container has no cgroup, and may not ask for limits", () => {
  // Nobody, not even root, can make a directory there.
  const hierarchies = [{ controllers: "", mountPoint: "/sys/kernel", cgroup: "/" }];
  const cgroup = locateCgroup({ id: "x", hierarchies, rootless: true });
  assertEquals(cgroup.create({ devices: [{ allow: false }] }), [
    "/linux/resources/devices has no effect without root: all devices are allowed",
  ]);
  assertEquals(cgroup.paths, {});
  assertEquals(cgroup.pids(), []);
  cgroup.kill();
  cgroup.delete();
  const message = (fn: () => void) => (assertThrows(fn) as Error).message;
  assertMatch(
    message(() => cgroup.set({ pids: { limit: 1 } })),
    /cannot be set: there is no cgroup that we may write to$/,
  );
  const named = locateCgroup({ id: "x", cgroupsPath: "/x", hierarchies, rootless: true });
  assertMatch(message(() => named.create({})), /^mkdir \/sys\/kernel\/x: .*\(E(PERM|ACCES)\)$/);
});

addEventListener("unload", () => Object.values(machines).forEach((machine) => machine.remove()));

Deno.test("network is an error where v1 has it not mounted, and a warning where v2 has nothing like it", () => {
  const network = { classID: 1, priorities: [{ name: "lo", priority: 1 }] };
  const partial = new FakeMachine("hybrid without net_cls", { v1: ["memory"], v2: ["hugetlb"] });
  assertThrows(
    () => partial.locate("/network").create({ network }),
    Error,
    '/linux/resources/network/classID: cannot be set: no cgroup hierarchy with "net_cls" is mounted',
  );
  assertThrows(
    () => partial.locate("/network").create({ network: { priorities: network.priorities } }),
    Error,
    '"net_prio"',
  );
  assertEquals(machines.v2.locate("/network").create({ network }), [
    "/linux/resources/network/classID has no effect with cgroup v2",
    "/linux/resources/network/priorities has no effect with cgroup v2",
  ]);
  partial.remove();
});
