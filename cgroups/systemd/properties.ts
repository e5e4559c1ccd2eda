/**
 * What is written to a cgroup's files, as properties of its unit: systemd writes files of its units again when it reloads,
 * and would set back what it does not know. Pure.
 *
 * @see systemd.resource-control(5), https://www.freedesktop.org/wiki/Software/systemd/ControlGroupInterface/
 * @module
 */
import { ConfigError } from "../../runtime/errors.ts";
import { parseRanges } from "../../runtime/spec/ranges.ts";
import type { Resources } from "../../runtime/spec/resources.ts";
import type { Setting } from "../controller.ts";
import { given } from "../convert.ts";
import { allowsAll } from "../devices.ts";
import { pointerTo } from "../directory.ts";
import { deviceList } from "../v1/devices.ts";
import type { Value, Variant } from "./message.ts";

export type Property = readonly [name: string, value: Variant];

export function property(name: string, signature: string, value: Value): Property {
  return [name, { signature, value }];
}

/** Files with one number, "max" or -1 for none, by the property of the same meaning. Those of cgroup v1 come last. */
const NUMBERS: Readonly<Record<string, string>> = {
  "memory.max": "MemoryMax",
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.min": "MemoryMin",
  "memory.swap.max": "MemorySwapMax",
  "cpu.weight": "CPUWeight",
  "io.weight": "IOWeight",
  "pids.max": "TasksMax",
  "memory.limit_in_bytes": "MemoryLimit",
  "cpu.shares": "CPUShares",
  "blkio.weight": "BlockIOWeight",
};

const RANGES: Readonly<Record<string, string>> = {
  "cpuset.cpus": "AllowedCPUs",
  "cpuset.mems": "AllowedMemoryNodes",
};

/** systemd's "infinity". */
const INFINITY = 2n ** 64n - 1n;

/** What systemd knows only from then on. */
const IDLE_VERSION = 252;

/**
 * The properties of `settings`; what systemd has none for is left to the files alone.
 *
 * @param version of systemd; asked for only where it matters
 */
export function resourceProperties(settings: readonly Setting[], version: () => number): Property[] {
  // The last one has the last word, as with files.
  const files = new Map(settings.map(withoutBfq).map((setting) => [setting.file, setting]));
  const properties: Property[] = [];
  for (const [file, { value, member }] of files) {
    const text = value.trim();
    const number = NUMBERS[file];
    const range = RANGES[file];
    // Weights of single devices are lines with spaces.
    if (number !== undefined && !text.includes(" ")) {
      properties.push(property(number, "t", parseLimit(text, member)));
    }
    if (range !== undefined) properties.push(property(range, "ay", cpuMask(text, member)));
  }
  // Idle is the weight 0.
  if (files.get("cpu.idle")?.value.trim() === "1" && version() >= IDLE_VERSION) {
    const weighed = properties.findIndex(([name]) => name === "CPUWeight");
    if (weighed >= 0) properties.splice(weighed, 1);
    properties.push(property("CPUWeight", "t", 0n));
  }
  return [...properties, ...quotaProperties(files)];
}

/** BFQ has the weights of cgroup v1. systemd converts for it, and takes those of v2. */
function withoutBfq(setting: Setting): Setting {
  const { absent } = setting;
  return typeof absent === "object" && absent.file === "io.weight" ? absent : setting;
}

function parseLimit(text: string, member: string): bigint {
  if (text === "max" || text === "-1") return INFINITY;
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new ConfigError(pointerTo(member), `must be a number or "max", not "${text}"`);
}

/** Bit n of byte m is CPU 8m + n. */
function cpuMask(text: string, member: string): Uint8Array {
  const ranges = parseRanges(text) ?? [];
  if (ranges.length === 0) {
    throw new ConfigError(pointerTo(member), `must be a list as "0-3,7", not "${text}"`);
  }
  const mask = new Uint8Array(Math.floor(Math.max(...ranges.map(([, last]) => last)) / 8) + 1);
  for (const [first, last] of ranges) {
    for (let bit = first; bit <= last; bit++) mask[bit >> 3]! |= 1 << (bit & 7);
  }
  return mask;
}

const DEFAULT_PERIOD = 100_000n;

/** Microseconds of CPU time a second. systemd keeps whole percents. */
const PERCENT = 10_000n;

function quotaProperties(files: ReadonlyMap<string, Setting>): Property[] {
  const [max, period] = files.get("cpu.max")?.value.trim().split(/\s+/) ??
    [files.get("cpu.cfs_quota_us")?.value, files.get("cpu.cfs_period_us")?.value];
  if (max === undefined && period === undefined) return [];
  const length = BigInt(period ?? DEFAULT_PERIOD);
  const quota = max === undefined || max === "max" ? -1n : BigInt(max);
  const perSecond = quota > 0n ? roundUp(quota * 1_000_000n / length) : INFINITY;
  return [
    ...period === undefined ? [] : [property("CPUQuotaPeriodUSec", "t", length)],
    property("CPUQuotaPerSecUSec", "t", perSecond),
  ];
}

function roundUp(perSecond: bigint): bigint {
  return (perSecond + PERCENT - 1n) / PERCENT * PERCENT;
}

/** The same with a quota that systemd can keep, so that both write the same: a part of a percent becomes a whole one. */
export function withRoundQuota(resources: Resources): Resources {
  const { quota, period } = resources.cpu ?? {};
  if (!given(quota) || quota < 0) return resources;
  const length = given(period) ? BigInt(period) : DEFAULT_PERIOD;
  const exact = BigInt(quota) * 1_000_000n / length;
  const rounded = roundUp(exact);
  // Else the division would lose something.
  if (rounded === exact) return resources;
  return { ...resources, cpu: { ...resources.cpu, quota: Number(rounded * length / 1_000_000n) } };
}

/**
 * For cgroup v1, where systemd writes the lists of devices again. With v2 it has a program of its own beside ours, both of
 * which must allow a device: there ours is enough, and knows every rule.
 *
 * What systemd has no words for, a rule for one minor number of all drivers, it denies until our own list is written.
 */
export function deviceProperties({ devices }: Resources): Property[] {
  if (devices === undefined) return [];
  if (allowsAll(devices)) {
    return [property("DeviceAllow", "a(ss)", []), property("DevicePolicy", "s", "auto")];
  }
  const { allowByDefault, exceptions } = deviceList(devices);
  const allowed = allowByDefault ? [] : [...exceptions].flatMap(([key, access]) => {
    const [type = "", major = "", minor = ""] = key.split(/[ :]/);
    const name = type === "c" ? "char" : "block";
    if (minor !== "*") return major === "*" ? [] : [[`/dev/${name}/${major}:${minor}`, access]];
    return [[`${name}-${major}`, access]];
  });
  return [
    // An empty list first: more are added to those that there are.
    property("DeviceAllow", "a(ss)", []),
    property("DevicePolicy", "s", "strict"),
    ...allowed.length > 0 ? [property("DeviceAllow", "a(ss)", allowed)] : [],
  ];
}
