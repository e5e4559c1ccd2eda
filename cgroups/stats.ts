/**
 * Statistics in the shape of `runc events --stats`, which go-runc and others decode. Numbers that are 0 are left out where
 * runc leaves them out.
 *
 * @see https://github.com/opencontainers/runc/blob/main/types/events.go
 * @module
 */
import { StateError } from "../runtime/errors.ts";
import type { Integer } from "../runtime/spec/json.ts";

/** The `data` of an event of the type "stats". */
export interface Stats {
  cpu: { usage: CpuUsage; throttling: Throttling; psi?: Pressure };
  cpuset: CpusetStats;
  memory: {
    cache?: Integer;
    usage: MemoryEntry;
    /** Memory and swap together, with both versions. */
    swap: MemoryEntry;
    kernel: MemoryEntry;
    kernelTCP: MemoryEntry;
    raw?: Record<string, Integer>;
    psi?: Pressure;
  };
  /** A limit that is absent is none. */
  pids: { current?: Integer; limit?: Integer };
  blkio: Partial<Record<BlkioTable, BlkioEntry[]>> & { psi?: Pressure };
  /** By the size of the pages. */
  hugetlb: Record<string, { usage?: Integer; max?: Integer; failcnt: Integer }>;
  intel_rdt: Record<string, never>;
  network_interfaces: null;
}

/** Nanoseconds. */
export interface CpuUsage {
  total?: Integer;
  percpu?: Integer[];
  percpu_kernel?: Integer[];
  percpu_user?: Integer[];
  kernel: Integer;
  user: Integer;
}

/** The time is in nanoseconds. */
export interface Throttling {
  periods?: Integer;
  throttledPeriods?: Integer;
  throttledTime?: Integer;
}

/** cgroup v1. */
export interface CpusetStats {
  cpus?: number[];
  cpu_exclusive: Integer;
  mems?: number[];
  mem_hardwall: Integer;
  mem_exclusive: Integer;
  memory_migrate: Integer;
  memory_spread_page: Integer;
  memory_spread_slab: Integer;
  memory_pressure: Integer;
  sched_load_balance: Integer;
  sched_relax_domain_level: Integer;
}

/** Bytes. */
export interface MemoryEntry {
  limit: Integer;
  usage?: Integer;
  max?: Integer;
  failcnt: Integer;
}

export type BlkioTable =
  | "ioServiceBytesRecursive"
  | "ioServicedRecursive"
  | "ioQueueRecursive"
  | "ioServiceTimeRecursive"
  | "ioWaitTimeRecursive"
  | "ioMergedRecursive"
  | "ioTimeRecursive"
  | "sectorsRecursive";

export interface BlkioEntry {
  major?: number;
  minor?: number;
  op?: string;
  value?: Integer;
}

/** Pressure stall information: percent of time, and the total in microseconds. */
export interface Pressure {
  some: PressureLine;
  full: PressureLine;
}

export interface PressureLine {
  avg10: number;
  avg60: number;
  avg300: number;
  total: Integer;
}

export function emptyStats(): Stats {
  const memory = () => ({ limit: 0, failcnt: 0 });
  return {
    cpu: { usage: { kernel: 0, user: 0 }, throttling: {} },
    cpuset: {
      cpu_exclusive: 0,
      mem_hardwall: 0,
      mem_exclusive: 0,
      memory_migrate: 0,
      memory_spread_page: 0,
      memory_spread_slab: 0,
      memory_pressure: 0,
      sched_load_balance: 0,
      sched_relax_domain_level: 0,
    },
    memory: { usage: memory(), swap: memory(), kernel: memory(), kernelTCP: memory() },
    pids: {},
    blkio: {},
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** 2^64 - 1: what runc makes of "max". */
const MAX = 0xffff_ffff_ffff_ffffn;

/**
 * A number as the kernel writes it. Absent: 0.
 *
 * @throws {StateError} if it is none
 */
export function parseInteger(text: string | undefined): Integer {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "max") return MAX;
  const number = Number(trimmed);
  if (Number.isSafeInteger(number)) return number;
  if (/^-?\d+$/.test(trimmed)) return BigInt(trimmed);
  throw new StateError("", `not a number in a file of the cgroup's: "${trimmed.slice(0, 40)}"`);
}

/** `text` times a power of ten: microseconds to nanoseconds is "000". */
export function scaled(text: string | undefined, zeros: string): Integer {
  return text === undefined ? 0 : parseInteger(text + zeros);
}

/** Lines of `key value`. */
export function parsePairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\n").filter((line) => line !== "").map((line) => {
      const space = line.indexOf(" ");
      return [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

/** Nothing for 0, as Go's "omitempty" has it. */
export function nonZero<T extends Integer>(value: T): T | undefined {
  return value == 0 ? undefined : value;
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and the same for `full`. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  if (text === undefined) return undefined;
  const lines = parsePairs(text);
  const line = (name: "some" | "full"): PressureLine => {
    const fields = Object.fromEntries((lines[name] ?? "").split(" ").map((field) => field.split("=")));
    const average = (key: string) => Number(fields[key] ?? 0);
    return {
      avg10: average("avg10"),
      avg60: average("avg60"),
      avg300: average("avg300"),
      total: parseInteger(fields.total),
    };
  };
  return { some: line("some"), full: line("full") };
}
