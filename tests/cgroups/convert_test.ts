import { assertEquals, assertThrows } from "@std/assert";
import { cpuWeight, ioWeight, orMax, pidsMax, swapMax } from "../../cgroups/convert.ts";

const MB = 1 << 20;

Deno.test("cpu.shares become a weight: lowest, default and highest are those of v2", () => {
  const pairs: [shares: number, weight: number][] = [
    [1, 1],
    [2, 1],
    [3, 2],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262143, 10000],
    [262144, 10000],
    [999999, 10000],
  ];
  for (const [shares, weight] of pairs) assertEquals([shares, cpuWeight(shares)], [shares, weight]);
  assertEquals(cpuWeight(1n << 63n), 10000);
});

Deno.test("blkio.weight becomes io.weight in a straight line", () => {
  assertEquals([10, 100, 500, 1000].map(ioWeight), [1, 910, 4950, 10000]);
});

Deno.test("v2 limits swap alone, v1 memory and swap", () => {
  assertEquals(swapMax(12 * MB, 8 * MB), `${4 * MB}`);
  assertEquals(swapMax(8 * MB, 8 * MB), "0");
  assertEquals(swapMax(-1, 8 * MB), "max");
  assertEquals(swapMax(-1, undefined), "max");
  assertEquals(swapMax(8 * MB, -1), `${8 * MB}`);
  assertEquals(swapMax(9223372036854771712n, 4096), "9223372036854767616");
  // Absent or 0 leaves swap as it is, but no limit for memory is none for swap.
  assertEquals(swapMax(undefined, 8 * MB), undefined);
  assertEquals(swapMax(0, 8 * MB), undefined);
  assertEquals(swapMax(undefined, -1), "max");
  assertThrows(() => swapMax(4 * MB, 8 * MB), RangeError, "must be at least");
  assertThrows(() => swapMax(4 * MB, undefined), RangeError, "needs /linux/resources/memory/limit");
});

Deno.test("-1 is no limit, and no tasks are one task", () => {
  assertEquals([-1, 0, 5, 1n << 60n].map(orMax), ["max", "0", "5", "1152921504606846976"]);
  assertEquals([-1, 0, 1, 5].map(pidsMax), ["max", "1", "1", "5"]);
});
