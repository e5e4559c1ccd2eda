/**
 * The parts that the checks of config.json are built from: functions that look at a parsed JSON value once, in order, and
 * stop at the first fault. No library: those that exist cost more start-up time than all the rest of a command.
 *
 * @module
 */

import type { Pointer } from "../errors.ts";
import { type Integer, stringify } from "./json.ts";

/** What is wrong with a value, or with what `pointer` names beneath it. */
export interface Fault {
  /** Grows from its end while the fault travels up, so that nothing is spent on pointers while all is well. */
  pointer: Pointer;
  readonly problem: string;
  /** The value is a `number` that may stand for another integer: see {@linkcode parseExact}. */
  readonly inexact?: boolean;
}

/** Returns the first fault of a value, nothing if it has none. */
export type Check = (value: unknown) => Fault | undefined;

/** A check of what depends on more than one member of a value that is valid otherwise. */
export type Rule<T> = (value: T) => Fault | undefined;

type RequiredMember<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T] & string;

/** A fault that quotes the value: `must be a boolean, not "yes"`. */
export function refuse(value: unknown, allowed: string, pointer: Pointer = ""): Fault {
  return { pointer, problem: `${allowed}, not ${quote(value)}` };
}

/** The same fault, seen from the value of which the faulty one is a member. */
export function beneath(member: string | number, fault: Fault): Fault {
  const token = `${member}`.replaceAll("~", "~0").replaceAll("/", "~1"); // RFC 6901, section 3
  fault.pointer = `/${token}${fault.pointer}`;
  return fault;
}

/** The value as JSON of at most 80 characters. */
export function quote(value: unknown): string {
  const text = `${stringify(value)}`;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `true` or `false`. */
export function boolean(value: unknown): Fault | undefined {
  return typeof value === "boolean" ? undefined : refuse(value, "must be true or false");
}

/** Any string that a system call can take. */
export function text(value: unknown): Fault | undefined {
  if (typeof value !== "string") return refuse(value, "must be a string");
  // The kernel would silently take what stands before the NUL.
  return value.includes("\0") ? refuse(value, "must not contain a NUL character") : undefined;
}

/** A string for which `accepts` holds. */
export function textThat(allowed: string, accepts: (value: string) => boolean): Check {
  return (value) => text(value) ?? (accepts(value as string) ? undefined : refuse(value, allowed));
}

/** Whether the kernel sees at most `max` bytes. The first TextEncoder of a process is slow, and seldom needed. */
export function fitsBytes(text: string, max: number): boolean {
  return text.length * 3 <= max || new TextEncoder().encode(text).length <= max;
}

/** A path that does not depend on a working directory. */
export const absolutePath: Check = textThat("must be an absolute path", (path) => path.startsWith("/"));

/** What `check` accepts, or "" for an absent string. */
export function orEmpty(check: Check): Check {
  return (value) => value === "" ? undefined : check(value);
}

/** One of a few names. */
export function oneOf<T extends string>(...names: readonly T[]): Check {
  return (value) =>
    names.includes(value as T) ? undefined : refuse(value, `must be one of ${names.map(quote).join(", ")}`);
}

/** An integer in a range. It may be a `bigint` if the bounds are. */
export function integer<T extends Integer>(min: T, max: T): Check {
  return (value) => {
    const valid = Number.isSafeInteger(value) || (typeof value === "bigint" && typeof max === "bigint");
    if (valid && (value as Integer) >= min && (value as Integer) <= max) return;
    const inexact = Number.isInteger(value) && !Number.isSafeInteger(value);
    return { ...refuse(value, `must be an integer from ${min} to ${max}`), inexact };
  };
}

export const uint16: Check = integer(0, 0xffff);
export const uint32: Check = integer(0, 0xffff_ffff);
export const int64: Check = integer(-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);
export const uint64: Check = integer(0n, 0xffff_ffff_ffff_ffffn);
/** A user or group id: 2^32 - 1 means "leave as it is" to setresuid(2) and chown(2). */
export const id: Check = integer(0, 0xffff_fffe);

/** A list. */
export function array<T>(item: Check, rule?: Rule<readonly T[]>): Check {
  return (value) => {
    if (!Array.isArray(value)) return refuse(value, "must be an array");
    for (let i = 0; i < value.length; i++) {
      const fault = item(value[i]);
      if (fault) return beneath(i, fault);
    }
    return rule?.(value);
  };
}

export const texts: Check = array(text);

/** The rule that no two items have the same value for a member. */
export function distinct<K extends string>(member: K): Rule<readonly { readonly [key in K]: string }[]> {
  return (items) => {
    const seen = new Set<string>();
    for (const [i, item] of items.entries()) {
      const value = item[member];
      if (seen.has(value)) {
        return { pointer: `/${i}/${member}`, problem: `must not be listed twice: ${quote(value)}` };
      }
      seen.add(value);
    }
  };
}

/**
 * An object with known members; others are ignored (config.md#extensibility). Go writes `null` for an empty list and may
 * write "" for an absent string; such members become `undefined`, in place.
 *
 * @param members the check of each member of `T`
 * @param required members that must be there
 */
export function object<T>(
  members: { readonly [K in keyof T]-?: Check },
  required: readonly RequiredMember<T>[] = [],
  rule?: Rule<T>,
): Check {
  return (value) => {
    if (!isObject(value)) return refuse(value, "must be an object");
    for (const name in members) {
      const member = value[name];
      if (member === undefined) continue;
      const fault = member === null ? undefined : members[name](member);
      if (fault) return beneath(name, fault);
      if (member === null || member === "") value[name] = undefined;
    }
    for (const name of required) {
      if (value[name] === undefined) return { pointer: `/${name}`, problem: "is missing or empty" };
    }
    return rule?.(value as T);
  };
}

/** An object with any member names. `null` members are deleted, in place. */
export function map(item: Check, name: Check = text): Check {
  return (value) => {
    if (!isObject(value)) return refuse(value, "must be an object");
    for (const key in value) {
      if (value[key] === null) {
        delete value[key];
        continue;
      }
      const fault = name(key) ?? item(value[key]);
      if (fault) return beneath(key, fault);
    }
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
