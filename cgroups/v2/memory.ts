/** @see https://docs.kernel.org/admin-guide/cgroup-v2.html#memory @module */
import { ConfigError } from "../../runtime/errors.ts";
import type { MemoryResources, Resources } from "../../runtime/spec/resources.ts";
import { fileController, type Setting } from "../controller.ts";
import { given, orMax, swapMax } from "../convert.ts";
import { type Directory, pointerTo } from "../directory.ts";
import { type MemoryEntry, nonZero, parseInteger, parsePairs } from "../stats.ts";

export const memory = fileController({
  name: "memory",
  settings({ memory = {} }) {
    const { limit, reservation } = memory;
    const settings: Setting[] = [];
    const swap = swapSetting(memory);
    // First: what is freed when memory.max is lowered may go to swap.
    if (swap !== undefined) settings.push(swap);
    if (given(limit)) settings.push({ file: "memory.max", value: orMax(limit), member: "/memory/limit" });
    if (given(reservation)) {
      settings.push({ file: "memory.low", value: orMax(reservation), member: "/memory/reservation" });
    }
    return settings;
  },
  check: refuseLimitBelowUsage,
  warnings({ memory = {} }) {
    const { kernel, kernelTCP, swappiness, disableOOMKiller = false } = memory;
    const asked = {
      kernel: given(kernel),
      kernelTCP: given(kernelTCP),
      swappiness: isSwappiness(swappiness),
      disableOOMKiller,
    };
    return Object.entries(asked).filter(([, isAsked]) => isAsked)
      .map(([name]) => `${pointerTo(`/memory/${name}`)} has no effect with cgroup v2`);
  },
  stats(directory, { memory }) {
    const stat = directory.tryRead("memory.stat");
    if (stat === undefined) return;
    memory.raw = Object.fromEntries(
      Object.entries(parsePairs(stat)).map(([key, value]) => [key, parseInteger(value)]),
    );
    memory.cache = nonZero(memory.raw.file ?? 0);
    memory.usage = entry(directory, "memory") ?? memory.usage;
    memory.swap = withSwap(memory.usage, entry(directory, "memory.swap"));
  },
});

/** -1 as it comes from 64 unsigned bits. */
const UNSET_SWAPPINESS = 0xffff_ffff_ffff_ffffn;

/** Whether a swappiness is given: 2^64 - 1 is not. */
export function isSwappiness(swappiness: MemoryResources["swappiness"]): boolean {
  return swappiness !== undefined && swappiness != UNSET_SWAPPINESS && swappiness != -1;
}

function swapSetting({ swap, limit }: MemoryResources): Setting | undefined {
  const member = "/memory/swap";
  try {
    const value = swapMax(swap, limit);
    if (value === undefined) return undefined;
    // Without swap in the kernel there is none to be limited.
    const absent = value === "max" || value === "0" ? "ignore" : undefined;
    return { file: "memory.swap.max", value, member, ...absent && { absent } };
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(pointerTo(member), error.message);
    throw error;
  }
}

/** cgroup v2 takes any limit, and kills what is above it: `checkBeforeUpdate` is for those who would rather not. */
function refuseLimitBelowUsage(directory: Directory, { memory = {} }: Resources): void {
  const { limit, checkBeforeUpdate } = memory;
  if (!checkBeforeUpdate || !given(limit) || limit < 0) return;
  const current = directory.tryRead("memory.current");
  if (current === undefined || parseInteger(current) <= limit) return;
  throw new ConfigError(
    pointerTo("/memory/limit"),
    `unable to set memory limit to ${limit} (current usage: ${current.trim()})`,
  );
}

/** Nothing without the controller, or without swap. */
function entry(directory: Directory, prefix: string): MemoryEntry | undefined {
  const usage = directory.tryRead(`${prefix}.current`);
  if (usage === undefined) return undefined;
  return {
    limit: parseInteger(directory.tryRead(`${prefix}.max`)),
    usage: nonZero(parseInteger(usage)),
    max: nonZero(parseInteger(directory.tryRead(`${prefix}.peak`))),
    failcnt: 0,
  };
}

/** Together, as cgroup v1 counts them. There is no peak of a sum. */
function withSwap(memory: MemoryEntry, swap: MemoryEntry = { limit: 0, failcnt: 0 }): MemoryEntry {
  const sum = (one: bigint, other: bigint) => parseInteger(`${one + other}`);
  const limited = parseInteger("max") !== swap.limit && parseInteger("max") !== memory.limit;
  return {
    limit: limited ? sum(BigInt(swap.limit), BigInt(memory.limit)) : parseInteger("max"),
    usage: nonZero(sum(BigInt(memory.usage ?? 0), BigInt(swap.usage ?? 0))),
    failcnt: 0,
  };
}
