import { assertEquals, assertThrows } from "@std/assert";
import type { FileController, Setting } from "../../cgroups/controller.ts";
import { Directory } from "../../cgroups/directory.ts";
import { writeSettings } from "../../cgroups/controller.ts";
import { blkio } from "../../cgroups/v1/blkio.ts";
import { cpu as cpuV1 } from "../../cgroups/v1/cpu.ts";
import { memory as memoryV1 } from "../../cgroups/v1/memory.ts";
import { cpu } from "../../cgroups/v2/cpu.ts";
import { io } from "../../cgroups/v2/io.ts";
import { memory } from "../../cgroups/v2/memory.ts";
import { unified } from "../../cgroups/v2/unified.ts";
import type { Resources } from "../../runtime/spec/resources.ts";

/** `file=value`, and `|` before what is written where the kernel does not have the file. */
function lines(controller: FileController, resources: Resources): string[] {
  const line = ({ file, value, absent }: Setting): string =>
    `${file}=${value}` +
    (absent === undefined ? "" : absent === "ignore" ? " | ignore" : ` | ${line(absent)}`);
  return controller.settings(resources).map(line);
}

const EXAMPLES: [name: string, controller: FileController, resources: Resources, expected: string[]][] = [
  ["nothing of 0", memory, { memory: { limit: 0, swap: 0, reservation: 0 } }, []],
  ["swap first", memory, { memory: { limit: 4096, swap: 8192 } }, [
    "memory.swap.max=4096",
    "memory.max=4096",
  ]],
  ["no swap, whether the kernel has it or not", memory, { memory: { limit: 4096, swap: 4096 } }, [
    "memory.swap.max=0 | ignore",
    "memory.max=4096",
  ]],
  ["no limit at all", memory, { memory: { limit: -1 } }, ["memory.swap.max=max | ignore", "memory.max=max"]],
  ["no limit at all with v1", memoryV1, { memory: { limit: -1 } }, [
    "memory.limit_in_bytes=-1",
    "memory.memsw.limit_in_bytes=-1 | ignore",
  ]],
  ["2^64 - 1 is no swappiness", memoryV1, { memory: { swappiness: 0xffff_ffff_ffff_ffffn } }, []],
  ["kernel TCP memory with v1", memoryV1, { memory: { kernelTCP: 4096, kernel: 4096 } }, [
    "memory.kmem.tcp.limit_in_bytes=4096",
  ]],
  ["a period alone", cpu, { cpu: { period: 50000 } }, ["cpu.max=max 50000"]],
  ["a quota alone", cpu, { cpu: { quota: 5000 } }, ["cpu.max=5000 100000"]],
  ["no quota", cpu, { cpu: { quota: -1 } }, ["cpu.max=max 100000"]],
  ["not idle any more", cpu, { cpu: { idle: 0, shares: 1024 } }, ["cpu.idle=0", "cpu.weight=100"]],
  ["the same with v1", cpuV1, { cpu: { idle: 0, shares: 1024, burst: 0, quota: -1 } }, [
    "cpu.idle=0",
    "cpu.shares=1024",
    "cpu.cfs_quota_us=-1",
    "cpu.cfs_burst_us=0 | ignore",
  ]],
  [
    "weights and rates",
    io,
    {
      blockIO: {
        weight: 100,
        weightDevice: [{ major: 8, minor: 0, weight: 10 }, { major: 8, minor: 16, leafWeight: 10 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
      },
    },
    [
      "io.bfq.weight=100 | io.weight=910",
      "io.bfq.weight=8:0 10 | io.weight=8:0 1",
      "io.max=8:0 rbps=1000",
      "io.max=8:0 wiops=max",
    ],
  ],
  [
    "weights and rates with v1",
    blkio,
    {
      blockIO: {
        weight: 100,
        leafWeight: 50,
        weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 20 }],
        throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 1n << 60n }],
      },
    },
    [
      "blkio.weight=100 | blkio.bfq.weight=100",
      "blkio.leaf_weight=50",
      "blkio.weight_device=8:0 10 | blkio.bfq.weight_device=8:0 10",
      "blkio.leaf_weight_device=8:0 20",
      "blkio.throttle.write_bps_device=8:0 1152921504606846976",
    ],
  ],
  ["unified, line by line", unified, {
    unified: { "io.max": "8:0 rbps=1\n8:16 rbps=2\n", "memory.high": "" },
  }, [
    "io.max=8:0 rbps=1",
    "io.max=8:16 rbps=2",
    "memory.high=",
  ]],
];

for (const [name, controller, resources, expected] of EXAMPLES) {
  Deno.test(`${controller.name} writes ${name}`, () => assertEquals(lines(controller, resources), expected));
}

Deno.test("a contradiction between memory and swap is the member's fault", () => {
  assertThrows(
    () => memory.settings({ memory: { limit: 8192, swap: 4096 } }),
    Error,
    "config.json /linux/resources/memory/swap: must be at least /linux/resources/memory/limit, which is 8192, not 4096",
  );
  const nowhere = new Directory("/nowhere");
  assertThrows(
    () => memoryV1.set(nowhere, { memory: { limit: 8192, swap: 4096 } }),
    Error,
    "/memory/swap: must be at least",
  );
  assertThrows(
    () => memoryV1.set(nowhere, { memory: { swappiness: 101 } }),
    Error,
    "must be from 0 to 100, not 101",
  );
  assertThrows(
    () => cpuV1.set(nowhere, { cpu: { shares: 1 } }),
    Error,
    "the minimum allowed cpu-shares is 2",
  );
  assertThrows(
    () => cpuV1.set(nowhere, { cpu: { shares: 300000 } }),
    Error,
    "the maximum allowed cpu-shares is 262144",
  );
});

/** A kernel in which `low` may not be above `high`. */
class Pair extends Directory {
  readonly values: Record<string, number>;
  readonly log: string[] = [];

  constructor(low: number, high: number) {
    super("/pair");
    this.values = { low, high };
  }

  override write(file: string, value: string): void {
    const next = { ...this.values, [file]: Number(value) };
    const refused = next.low! > next.high!;
    this.log.push(`${file}=${value}${refused ? " EINVAL" : ""}`);
    if (refused) new Directory("/proc/self").write("oom_score_adj", "99999", "/pair");
    Object.assign(this.values, next);
  }
}

Deno.test("values that depend on each other are written in whichever order the kernel takes", () => {
  const set = (pair: Pair, low: number, high: number) => {
    writeSettings(pair, [{ file: "low", value: `${low}`, member: "/low" }, {
      file: "high",
      value: `${high}`,
      member: "/high",
    }]);
    return pair.log;
  };
  assertEquals(set(new Pair(10, 20), 1, 2), ["low=1", "high=2"]);
  assertEquals(set(new Pair(10, 20), 30, 40), ["low=30 EINVAL", "high=40", "low=30"]);
  const pair = new Pair(10, 20);
  assertThrows(() => set(pair, 5, 4), Error, "invalid argument (EINVAL)");
  assertEquals(pair.log, ["low=5", "high=4 EINVAL", "high=4 EINVAL"]);
});
