import { assertEquals, assertThrows } from "@std/assert";
import { HierarchyCgroup } from "../../../cgroups/hierarchy_cgroup.ts";
import { deviceProperties, resourceProperties, withRoundQuota } from "../../../cgroups/systemd/properties.ts";
import { ConfigError } from "../../../runtime/errors.ts";
import type { Resources } from "../../../runtime/spec/resources.ts";

const v2 = { "": "/x" };
const v1 = Object.fromEntries(
  ["cpu", "memory", "pids", "blkio", "cpuset", "devices"].map((name) => [name, "/x"]),
);

/** As a record of what the properties are, without their types. */
function properties(
  paths: Record<string, string>,
  resources: Resources,
  version = 255,
): Record<string, unknown> {
  const settings = new HierarchyCgroup(paths).settings(resources);
  return Object.fromEntries(
    resourceProperties(settings, () => version).map(([name, { value }]) => [name, value]),
  );
}

const INFINITY = 2n ** 64n - 1n;

Deno.test("resources are properties of a unit with cgroup v2", () => {
  const resources: Resources = {
    memory: { limit: 8192, reservation: 4096, swap: 12288 },
    cpu: { shares: 1024, quota: 20_000, period: 50_000, cpus: "0,2-3,9", mems: "0" },
    pids: { limit: 7 },
    blockIO: { weight: 500 },
  };
  assertEquals(properties(v2, resources), {
    MemoryMax: 8192n,
    MemoryLow: 4096n,
    MemorySwapMax: 4096n,
    CPUWeight: 100n,
    CPUQuotaPeriodUSec: 50_000n,
    CPUQuotaPerSecUSec: 400_000n,
    AllowedCPUs: Uint8Array.of(0b1101, 0b10),
    AllowedMemoryNodes: Uint8Array.of(1),
    TasksMax: 7n,
    IOWeight: 4950n,
  });
});

Deno.test("the same with cgroup v1 has other names", () => {
  const resources: Resources = {
    memory: { limit: 8192, reservation: 4096, swap: 12288 },
    cpu: { shares: 1024, quota: 20_000, cpus: "1" },
    pids: { limit: -1 },
    blockIO: { weight: 500 },
  };
  assertEquals(properties(v1, resources), {
    MemoryLimit: 8192n,
    CPUShares: 1024n,
    CPUQuotaPerSecUSec: 200_000n,
    AllowedCPUs: Uint8Array.of(2),
    TasksMax: INFINITY,
    BlockIOWeight: 500n,
  });
});

Deno.test("what is unlimited is infinity", () => {
  assertEquals(properties(v2, { memory: { limit: -1, swap: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } }), {
    MemorySwapMax: INFINITY,
    MemoryMax: INFINITY,
    TasksMax: INFINITY,
    CPUQuotaPeriodUSec: 100_000n,
    CPUQuotaPerSecUSec: INFINITY,
  });
});

Deno.test("files of unified have the last word, and those without a property none", () => {
  const unified = {
    "memory.max": "max",
    "memory.high": " 4096\n",
    "cpu.max": "10000",
    "io.max": "8:0 rbps=1",
    "pids.max": "3",
  };
  assertEquals(properties(v2, { memory: { limit: 8192 }, unified }), {
    MemoryMax: INFINITY,
    MemoryHigh: 4096n,
    TasksMax: 3n,
    CPUQuotaPerSecUSec: 100_000n,
  });
  assertThrows(
    () => properties(v2, { unified: { "pids.max": "many" } }),
    ConfigError,
    "/linux/resources/unified/pids.max",
  );
  assertThrows(() => properties(v2, { cpu: { cpus: "x" } }), ConfigError, "/linux/resources/cpu/cpus");
});

Deno.test("an idle unit has the weight 0, from systemd 252 on", () => {
  const unified = { "cpu.idle": "1", "cpu.weight": "50" };
  assertEquals(properties(v2, { cpu: { idle: 1 } }, 252), { CPUWeight: 0n });
  assertEquals(properties(v2, { cpu: { idle: 1 } }, 251), {});
  assertEquals(properties(v2, { cpu: { idle: 0 } }), {});
  assertEquals(properties(v2, { unified }), { CPUWeight: 0n });
});

Deno.test("a quota is rounded up to a percent, for systemd and for the files", () => {
  assertEquals(withRoundQuota({ cpu: { quota: 12_345, period: 50_000 } }), {
    cpu: { quota: 12_500, period: 50_000 },
  });
  assertEquals(withRoundQuota({ cpu: { quota: 1001 } }), { cpu: { quota: 2000 } });
  for (const resources of [{}, { cpu: { quota: -1 } }, { cpu: { quota: 20_000, period: 100_000 } }]) {
    assertEquals(withRoundQuota(resources), resources);
  }
  assertEquals(properties(v2, { cpu: { quota: 12_345, period: 50_000 } }).CPUQuotaPerSecUSec, 250_000n);
});

Deno.test("devices are a list of what is allowed", () => {
  assertEquals(deviceProperties({}), []);
  const devices = [
    { allow: false },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
    { allow: true, type: "b", major: 8, access: "r" },
    { allow: true, type: "c", minor: 3, access: "r" },
  ] as const;
  assertEquals(deviceProperties({ devices }).map(([name, { value }]) => [name, value]), [
    ["DeviceAllow", []],
    ["DevicePolicy", "strict"],
    ["DeviceAllow", [["char-*", "m"], ["/dev/char/1:3", "rwm"], ["block-8", "r"]]],
  ]);
  assertEquals(deviceProperties({ devices: [{ allow: true }] }).map(([name, { value }]) => [name, value]), [
    ["DeviceAllow", []],
    ["DevicePolicy", "auto"],
  ]);
});
