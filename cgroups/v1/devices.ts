/**
 * The device controller of cgroup v1: a default, and a list of exceptions to it.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/devices.html
 * @module
 */
import { ConfigError } from "../../runtime/errors.ts";
import type { DeviceCgroup } from "../../runtime/spec/resources.ts";
import type { Controller } from "../controller.ts";
import { decidesAll, type DeviceRule, fullRule } from "../devices.ts";
import { pointerTo } from "../directory.ts";

/** What the kernel keeps for a cgroup. */
export interface DeviceList {
  readonly allowByDefault: boolean;
  /** Letters of "rwm" by `c 1:3`, `b *:*`: what is otherwise than by default. */
  readonly exceptions: ReadonlyMap<string, string>;
}

export const devices: Controller = {
  name: "devices",
  asks: ({ devices }) => devices && "/devices",
  set(directory, { devices }) {
    if (devices === undefined) return;
    const target = deviceList(devices);
    for (const { file, value } of transition(parseDeviceList(directory.read("devices.list")), target)) {
      directory.write(file, value, "/devices");
    }
    // The kernel drops silently what it cannot do, and this is about security.
    const result = parseDeviceList(directory.read("devices.list"));
    if (!isSame(result, target)) {
      throw new ConfigError(pointerTo("/devices"), `is not what ${directory.path}/devices.list has come to`);
    }
  },
  warnings: () => [],
  stats() {},
};

/**
 * What a list of rules comes to: each has its say on what it names, the last one wins. Nothing is allowed to begin with.
 *
 * @throws {ConfigError} for a rule that takes back a part of a wildcard, which cgroup v1 cannot express
 */
export function deviceList(rules: readonly DeviceCgroup[]): DeviceList {
  let allowByDefault = false;
  const exceptions = new Map<string, string>();
  rules.map(fullRule).forEach((rule, index) => {
    if (decidesAll(rule)) {
      allowByDefault = rule.allow;
      exceptions.clear();
      return;
    }
    for (const type of rule.type === "a" ? ["c", "b"] : [rule.type]) {
      const key = `${type} ${wildcard(rule.major)}:${wildcard(rule.minor)}`;
      if (rule.allow !== allowByDefault) exceptions.set(key, union(exceptions.get(key) ?? "", rule.access));
      else removeExceptions(exceptions, key, rule, index);
    }
  });
  return { allowByDefault, exceptions };
}

/** Takes the access of `rule` out of all exceptions that lie in `key`. */
function removeExceptions(
  exceptions: Map<string, string>,
  key: string,
  rule: DeviceRule,
  index: number,
): void {
  for (const [other, access] of exceptions) {
    if (!overlap(key, other) || intersection(access, rule.access) === "") continue;
    if (!covers(key, other)) {
      throw new ConfigError(
        pointerTo(`/devices/${index}`),
        `cannot be set with cgroup v1: "${key} ${rule.access}" is a part of "${other} ${access}", which an earlier rule ` +
          `${rule.allow ? "denies" : "allows"}`,
      );
    }
    const rest = difference(access, rule.access);
    if (rest === "") exceptions.delete(other);
    else exceptions.set(other, rest);
  }
}

/** The text of devices.list. Exceptions to "all is allowed" cannot be read: the kernel does not show them. */
export function parseDeviceList(text: string): DeviceList {
  const lines = text.trim().split("\n").filter((line) => line !== "");
  if (lines.some((line) => line.startsWith("a"))) return { allowByDefault: true, exceptions: new Map() };
  return {
    allowByDefault: false,
    exceptions: new Map(lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), union(line.slice(space + 1), "")];
    })),
  };
}

/**
 * The writes that lead from one list to the other and touch nothing that both have: a running container keeps what it
 * uses.
 */
export function transition(
  from: DeviceList,
  to: DeviceList,
): { readonly file: string; readonly value: string }[] {
  const writes: { file: string; value: string }[] = [];
  const write = (allow: boolean, value: string) =>
    writes.push({ file: allow ? "devices.allow" : "devices.deny", value });
  let old = from.exceptions;
  if (from.allowByDefault || to.allowByDefault) {
    write(to.allowByDefault, "a");
    old = new Map();
  }
  for (const [key, access] of old) {
    const dropped = difference(access, to.exceptions.get(key) ?? "");
    if (dropped !== "") write(to.allowByDefault, `${key} ${dropped}`);
  }
  for (const [key, access] of to.exceptions) {
    const gained = difference(access, old.get(key) ?? "");
    if (gained !== "") write(!to.allowByDefault, `${key} ${gained}`);
  }
  return writes;
}

function isSame(read: DeviceList, wanted: DeviceList): boolean {
  if (read.allowByDefault !== wanted.allowByDefault) return false;
  return read.allowByDefault || transition(read, wanted).length === 0;
}

/** `c 1:3` as its parts. */
function parts(key: string): string[] {
  return key.split(/[ :]/);
}

function overlap(one: string, other: string): boolean {
  const others = parts(other);
  return parts(one).every((part, index) => part === "*" || others[index] === "*" || part === others[index]);
}

function covers(one: string, other: string): boolean {
  const others = parts(other);
  return parts(one).every((part, index) => part === "*" || part === others[index]);
}

function wildcard(number: number): string {
  return number === -1 ? "*" : `${number}`;
}

// Sets of letters, in the kernel's order.

function letters(test: (letter: string) => boolean): string {
  return ["r", "w", "m"].filter(test).join("");
}

function union(one: string, other: string): string {
  return letters((letter) => one.includes(letter) || other.includes(letter));
}

function intersection(one: string, other: string): string {
  return letters((letter) => one.includes(letter) && other.includes(letter));
}

function difference(one: string, other: string): string {
  return letters((letter) => one.includes(letter) && !other.includes(letter));
}
