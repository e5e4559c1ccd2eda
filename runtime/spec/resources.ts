/**
 * config.json `/linux/resources`, which is also what `update --resources` reads: limits for the container's cgroup.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#control-groups
 * @module
 */

import {
  array,
  boolean,
  type Check,
  int64,
  integer,
  map,
  object,
  oneOf,
  orEmpty,
  type Rule,
  text,
  textThat,
  uint16,
  uint32,
  uint64,
} from "./check.ts";
import type { Integer } from "./json.ts";

/** Limits by controller. What is absent is left as it is. */
export interface Resources {
  /** Rules of the device controller, applied in order. */
  readonly devices?: readonly DeviceCgroup[];
  readonly memory?: MemoryResources;
  readonly cpu?: CPUResources;
  readonly pids?: PidsResources;
  readonly blockIO?: BlockIOResources;
  readonly hugepageLimits?: readonly HugepageLimit[];
  readonly network?: NetworkResources;
  /** By the name of the RDMA device. */
  readonly rdma?: Readonly<Record<string, Rdma>>;
  /** cgroup v2: contents by file name. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** One rule of the device controller. */
export interface DeviceCgroup {
  readonly allow: boolean;
  /** All, block or character. Absent: all. */
  readonly type?: "a" | "b" | "c";
  /** Absent or -1: all. */
  readonly major?: number;
  /** Absent or -1: all. */
  readonly minor?: number;
  /** Read, write, mknod: letters of "rwm". Absent: all. */
  readonly access?: string;
}

/** Bytes; -1 is unlimited. */
export interface MemoryResources {
  readonly limit?: Integer;
  /** Soft limit. */
  readonly reservation?: Integer;
  /** Memory and swap together. */
  readonly swap?: Integer;
  /** Deprecated: gone from the kernel. */
  readonly kernel?: Integer;
  /** cgroup v1: TCP buffers. */
  readonly kernelTCP?: Integer;
  /** cgroup v1: percent; 2^64 - 1 is as absent. */
  readonly swappiness?: Integer;
  /** cgroup v1. */
  readonly disableOOMKiller?: boolean;
  /** cgroup v1. */
  readonly useHierarchy?: boolean;
  /** Refuse a limit below what is used now. */
  readonly checkBeforeUpdate?: boolean;
}

/** Times are in microseconds. */
export interface CPUResources {
  /** Weight relative to other cgroups: 2 to 262144; 0 is as absent. */
  readonly shares?: Integer;
  /** Time allowed in a period; -1 is unlimited. */
  readonly quota?: Integer;
  /** Unused quota that may be saved up. */
  readonly burst?: Integer;
  readonly period?: Integer;
  /** cgroup v1: real-time time allowed in a realtimePeriod. */
  readonly realtimeRuntime?: Integer;
  /** cgroup v1. */
  readonly realtimePeriod?: Integer;
  /** A list of ranges: "0-3,7". */
  readonly cpus?: string;
  /** NUMA nodes: "0-1". */
  readonly mems?: string;
  /** 1: as SCHED_IDLE, 0: not. */
  readonly idle?: Integer;
}

/** The number of tasks. */
export interface PidsResources {
  /** -1 is unlimited. */
  readonly limit?: Integer;
}

/** Block device I/O. */
export interface BlockIOResources {
  /** 10 to 1000; 0 is as absent. */
  readonly weight?: number;
  /** cgroup v1, CFQ. */
  readonly leafWeight?: number;
  readonly weightDevice?: readonly WeightDevice[];
  /** Bytes per second. */
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  /** Bytes per second. */
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  /** Operations per second. */
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  /** Operations per second. */
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

/** The weight of one block device. */
export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  /** 10 to 1000; 0 is as absent. */
  readonly weight?: number;
  /** cgroup v1, CFQ. */
  readonly leafWeight?: number;
}

/** The rate of one block device. */
export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  /** Per second; 0 is unlimited. */
  readonly rate: Integer;
}

/** The use of huge pages of one size. */
export interface HugepageLimit {
  /** "64KB", "2MB", "1GB" */
  readonly pageSize: string;
  /** Bytes. */
  readonly limit: Integer;
}

/** cgroup v1: net_cls and net_prio. */
export interface NetworkResources {
  readonly classID?: number;
  readonly priorities?: readonly InterfacePriority[];
}

/** The priority of traffic that leaves by one interface. */
export interface InterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** The use of one RDMA device. Absent: unlimited. */
export interface Rdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

/** -1 is the wildcard of runc's device rules. */
const anyNumber = integer(-1, 0xffff_ffff);

const deviceRule = object<DeviceCgroup>({
  allow: boolean,
  type: orEmpty(oneOf("a", "b", "c")),
  major: anyNumber,
  minor: anyNumber,
  access: textThat('must be of the letters "r", "w" and "m"', (access) => /^[rwm]*$/.test(access)),
}, ["allow"]);

const memory = object<MemoryResources>({
  limit: int64,
  reservation: int64,
  swap: int64,
  kernel: int64,
  kernelTCP: int64,
  swappiness: uint64,
  disableOOMKiller: boolean,
  useHierarchy: boolean,
  checkBeforeUpdate: boolean,
});

const cpu = object<CPUResources>({
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: text,
  mems: text,
  idle: int64,
});

/** The rule that one of two members must be there. */
function either<T>(one: keyof T & string, other: keyof T & string): Rule<T> {
  return (value) =>
    value[one] === undefined && value[other] === undefined
      ? { pointer: "", problem: `must have ${one} or ${other}` }
      : undefined;
}

const weightDevices = array(
  object<WeightDevice>(
    { major: uint32, minor: uint32, weight: uint16, leafWeight: uint16 },
    ["major", "minor"],
    either<WeightDevice>("weight", "leafWeight"),
  ),
);

const throttleDevices = array(
  object<ThrottleDevice>({ major: uint32, minor: uint32, rate: uint64 }, ["major", "minor", "rate"]),
);

const hugepageLimit = object<HugepageLimit>({
  // Part of a file name in the cgroup.
  pageSize: textThat('must be as "2MB"', (size) => /^[1-9]\d*[KMG]B$/.test(size)),
  limit: uint64,
}, ["pageSize", "limit"]);

const unifiedName = textThat(
  'must be named "controller.file"',
  (name) => /^[^/.]+\.[^/]+$/.test(name),
);

export const checkResources: Check = object<Resources>({
  devices: array(deviceRule),
  memory,
  cpu,
  pids: object<PidsResources>({ limit: int64 }),
  blockIO: object<BlockIOResources>({
    weight: uint16,
    leafWeight: uint16,
    weightDevice: weightDevices,
    throttleReadBpsDevice: throttleDevices,
    throttleWriteBpsDevice: throttleDevices,
    throttleReadIOPSDevice: throttleDevices,
    throttleWriteIOPSDevice: throttleDevices,
  }),
  hugepageLimits: array(hugepageLimit),
  network: object<NetworkResources>({
    classID: uint32,
    priorities: array(object<InterfacePriority>({ name: text, priority: uint32 }, ["name", "priority"])),
  }),
  rdma: map(
    object<Rdma>({ hcaHandles: uint32, hcaObjects: uint32 }, [], either<Rdma>("hcaHandles", "hcaObjects")),
  ),
  unified: map(text, unifiedName),
});
