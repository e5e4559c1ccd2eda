/** Rules of the device controller, as both versions take them. @module */
import type { DeviceCgroup, Resources } from "../runtime/spec/resources.ts";

/** A rule with nothing left out. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type: "a" | "b" | "c";
  /** -1: all. */
  readonly major: number;
  readonly minor: number;
  /** Letters of "rwm". */
  readonly access: string;
}

export function fullRule({ allow, type, major = -1, minor = -1, access }: DeviceCgroup): DeviceRule {
  return { allow, type: type ?? "a", major, minor, access: access || "rwm" };
}

/** Whether nothing of the rules before it counts. */
export function decidesAll({ type, major, minor, access }: DeviceRule): boolean {
  return type === "a" && major === -1 && minor === -1 &&
    ["r", "w", "m"].every((letter) => access.includes(letter));
}

/** Whether nothing is denied. */
export function allowsAll(rules: readonly DeviceCgroup[]): boolean {
  const full = rules.map(fullRule);
  const last = full.findLastIndex(decidesAll);
  return last !== -1 && full.slice(last).every(({ allow }) => allow);
}

/**
 * What every container may do, as runc has it: make any node, and use those that the specification puts into /dev. tun is
 * there because VPNs have come to count on it (https://github.com/opencontainers/runc/pull/3468).
 */
const DEFAULT_RULES: readonly DeviceCgroup[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[
    [1, 3], // null
    [1, 8], // random
    [1, 7], // full
    [5, 0], // tty
    [1, 5], // zero
    [1, 9], // urandom
    [136, -1], // pts/*
    [5, 2], // ptmx
    [10, 200], // net/tun
  ].map(([major, minor]): DeviceCgroup => ({ allow: true, type: "c", major, minor, access: "rwm" })),
];

/** For a new container, whose devices are limited in any case: nothing is allowed that no rule allows. */
export function withDefaultDevices(resources: Resources = {}): Resources {
  return { ...resources, devices: [...resources.devices ?? [], ...DEFAULT_RULES] };
}
