/** Numbers of the specification, which is written for cgroup v1, as the kernel's files want them. Pure. @module */
import type { Integer } from "../runtime/spec/json.ts";
import type { ThrottleDevice, WeightDevice } from "../runtime/spec/resources.ts";

/** Whether `value` is given: 0 is as absent, for most members. */
export function given<T extends Integer>(value: T | undefined): value is T {
  return value !== undefined && value != 0;
}

/** -1 of cgroup v1 is "max" in cgroup v2. */
export function orMax(value: Integer): string {
  return value < 0 ? "max" : `${value}`;
}

/**
 * cpu.shares to cpu.weight: 2 to 1, 1024 to 100, 262144 to 10000.
 *
 * @see https://github.com/opencontainers/runc/pull/4785 for the reasons; before, 1024 gave 39
 */
export function cpuWeight(shares: Integer): number {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const log = Math.log2(Number(shares));
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blkio.weight to io.weight: 10 to 1000 becomes 1 to 10000. */
export function ioWeight(weight: number): number {
  return 1 + Math.trunc((weight - 10) * 9999 / 990);
}

/**
 * memory.swap.max from the limit of memory and swap together.
 *
 * @returns nothing if it is to stay as it is
 * @throws {RangeError} if the two limits contradict each other
 */
export function swapMax(swap: Integer | undefined, memory: Integer | undefined): string | undefined {
  // As with cgroup v1: memory without limit is swap without limit.
  if (!given(swap)) return memory == -1 ? "max" : undefined;
  if (swap < 0) return "max";
  if (memory == -1) return `${swap}`;
  if (!given(memory)) {
    throw new RangeError("needs /linux/resources/memory/limit: cgroup v2 limits swap alone");
  }
  if (swap < memory) {
    throw new RangeError(`must be at least /linux/resources/memory/limit, which is ${memory}, not ${swap}`);
  }
  return `${BigInt(swap) - BigInt(memory)}`;
}

/** A limit of 0 tasks is one that is exceeded already: 1 is no different, and systemd accepts it. */
export function pidsMax(limit: Integer): string {
  return limit == 0 ? "1" : orMax(limit);
}

/** `8:0` */
export function deviceNumber({ major, minor }: ThrottleDevice | WeightDevice): string {
  return `${major}:${minor}`;
}
