/** @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html @module */
import { ConfigError } from "../../runtime/errors.ts";
import type { MemoryResources, Resources } from "../../runtime/spec/resources.ts";
import { fileController, type Setting } from "../controller.ts";
import { given } from "../convert.ts";
import { type Directory, pointerTo } from "../directory.ts";
import { type MemoryEntry, nonZero, parseInteger, parsePairs } from "../stats.ts";
import { isSwappiness } from "../v2/memory.ts";

const LIMIT = "memory.limit_in_bytes";
const SWAP_LIMIT = "memory.memsw.limit_in_bytes";
const MAX_SWAPPINESS = 100;

export const memory = fileController({
  name: "memory",
  settings({ memory = {} }) {
    const { reservation, disableOOMKiller, kernelTCP, swappiness } = memory;
    const settings = limits(memory);
    const add = (name: keyof MemoryResources, file: string, value = `${memory[name]}`) =>
      settings.push({ file, value, member: `/memory/${name}` });
    if (given(kernelTCP)) add("kernelTCP", "memory.kmem.tcp.limit_in_bytes");
    if (given(reservation)) add("reservation", "memory.soft_limit_in_bytes");
    if (disableOOMKiller) add("disableOOMKiller", "memory.oom_control", "1");
    if (isSwappiness(swappiness)) add("swappiness", "memory.swappiness");
    return settings;
  },
  check(directory, resources) {
    const { limit, swap, swappiness, checkBeforeUpdate } = resources.memory ?? {};
    if (isSwappiness(swappiness) && !(swappiness! >= 0 && swappiness! <= MAX_SWAPPINESS)) {
      throw new ConfigError(
        pointerTo("/memory/swappiness"),
        `must be from 0 to ${MAX_SWAPPINESS}, not ${swappiness}`,
      );
    }
    if (given(swap) && swap > 0 && given(limit) && limit > swap) {
      throw new ConfigError(
        pointerTo("/memory/swap"),
        `must be at least /linux/resources/memory/limit, which is ${limit}, not ${swap}`,
      );
    }
    if (checkBeforeUpdate) refuseLimitBelowUsage(directory, resources);
  },
  explain(directory, error) {
    if (!error.path?.endsWith(`/${LIMIT}`)) return;
    const [, limit] = /write "(.*?)"/.exec(error.message) ?? [];
    const read = (file: string) => directory.read(file).trim();
    // The kernel cannot free enough.
    if (error.errno.name === "EBUSY") {
      const [usage, peak] = [read("memory.usage_in_bytes"), read("memory.max_usage_in_bytes")];
      return `unable to set memory limit to ${limit} (current usage: ${usage}, peak usage: ${peak})`;
    }
    const both = directory.tryRead(SWAP_LIMIT)?.trim();
    if (error.errno.name === "EINVAL" && both && parseInteger(limit) > parseInteger(both)) {
      return `unable to set memory limit to ${limit}: the limit of memory and swap is ${both}, and has to be raised too`;
    }
  },
  warnings({ memory = {} }) {
    // Linux 5.4 has deprecated it; since 5.16 a write does nothing.
    return given(memory.kernel)
      ? [`${pointerTo("/memory/kernel")} has no effect: it is gone from the kernel`]
      : [];
  },
  stats(directory, { memory }) {
    const stat = directory.tryRead("memory.stat");
    if (stat === undefined) return;
    memory.raw = Object.fromEntries(
      Object.entries(parsePairs(stat)).map(([key, value]) => [key, parseInteger(value)]),
    );
    memory.cache = nonZero(memory.raw.cache ?? 0);
    memory.usage = entry(directory, "memory") ?? memory.usage;
    memory.swap = entry(directory, "memory.memsw") ?? memory.swap;
    memory.kernel = entry(directory, "memory.kmem") ?? memory.kernel;
    memory.kernelTCP = entry(directory, "memory.kmem.tcp") ?? memory.kernelTCP;
  },
});

/** The kernel holds that the second is not below the first. */
function limits({ limit, swap }: MemoryResources): Setting[] {
  const settings: Setting[] = [];
  if (given(limit)) settings.push({ file: LIMIT, value: `${limit}`, member: "/memory/limit" });
  if (given(swap)) settings.push({ file: SWAP_LIMIT, value: `${swap}`, member: "/memory/swap" });
  // Memory without limit is swap without limit, where the kernel counts swap.
  else if (limit == -1) {
    settings.push({ file: SWAP_LIMIT, value: "-1", member: "/memory/limit", absent: "ignore" });
  }
  return settings;
}

function refuseLimitBelowUsage(directory: Directory, { memory = {} }: Resources): void {
  const { limit } = memory;
  if (!given(limit) || limit < 0) return;
  const usage = directory.read("memory.usage_in_bytes").trim();
  if (parseInteger(usage) <= limit) return;
  throw new ConfigError(
    pointerTo("/memory/limit"),
    `unable to set memory limit to ${limit} (current usage: ${usage})`,
  );
}

/** Nothing if the kernel does not count it. */
function entry(directory: Directory, prefix: string): MemoryEntry | undefined {
  const usage = directory.tryRead(`${prefix}.usage_in_bytes`);
  if (usage === undefined) return undefined;
  return {
    limit: parseInteger(directory.tryRead(`${prefix}.limit_in_bytes`)),
    usage: nonZero(parseInteger(usage)),
    max: nonZero(parseInteger(directory.read(`${prefix}.max_usage_in_bytes`))),
    failcnt: parseInteger(directory.read(`${prefix}.failcnt`)),
  };
}
