/**
 * Refuses what is not a policy. Members that OCI does not know are ignored, as everywhere in config.json.
 *
 * @module
 */

import { findAbi } from "./abi.ts";
import { type Action, type Arg, type Entry, type Operator, type Policy, PolicyError } from "./policy.ts";
import { RETURNS, takesErrno } from "./verdict.ts";

export const OPERATORS: readonly Operator[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];

/** SECCOMP_FILTER_FLAG_* of linux/seccomp.h. */
export const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** libseccomp refuses this one (MAX_ERRNO) and all above, the kernel takes it for all above. */
const ERRNO_LIMIT = 4095;
const ARGUMENTS = 6;

export interface ValidateOptions {
  /** config-linux.md: an errno for an action that takes none must be an error. runc ignores it. */
  readonly strict: boolean;
}

/** @throws PolicyError naming the first member that is wrong */
export function validate(policy: unknown, { strict }: ValidateOptions): asserts policy is Policy {
  const { defaultAction, defaultErrnoRet, architectures, flags, syscalls } = object(policy, "");
  checkAction(defaultAction, defaultErrnoRet, ["/defaultAction", "/defaultErrnoRet"], strict);
  if (defaultAction === "SCMP_ACT_NOTIFY") {
    // Whoever is to answer could not be reached.
    throw new PolicyError("/defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action");
  }
  array(architectures, "/architectures").forEach((name, at) => {
    if (typeof name !== "string" || findAbi(name) === undefined) {
      throw new PolicyError(`/architectures/${at}`, `is not an architecture of OCI: ${show(name)}`);
    }
  });
  array(flags, "/flags").forEach((flag, at) => {
    if (typeof flag !== "string" || !Object.hasOwn(FLAGS, flag)) {
      throw new PolicyError(`/flags/${at}`, `must be one of ${Object.keys(FLAGS).join(", ")}`);
    }
  });
  array(syscalls, "/syscalls").forEach((entry, at) => checkEntry(entry, `/syscalls/${at}`, strict));
}

function checkEntry(value: unknown, pointer: string, strict: boolean): asserts value is Entry {
  const { names, action, errnoRet, args } = object(value, pointer);
  checkAction(action, errnoRet, [`${pointer}/action`, `${pointer}/errnoRet`], strict);
  const list = array(names, `${pointer}/names`);
  if (list.length === 0) throw new PolicyError(`${pointer}/names`, "must name a system call");
  for (let at = 0; at < list.length; at++) {
    const name = list[at];
    if (typeof name !== "string" || name === "") {
      throw new PolicyError(`${pointer}/names/${at}`, "must be the name of a system call");
    }
    // By a write(2) the runtime hears of the listener, before anybody can answer for it. The words are runc's.
    if (name === "write" && action === "SCMP_ACT_NOTIFY") {
      throw new PolicyError(`${pointer}/names/${at}`, "SCMP_ACT_NOTIFY cannot be used for the write syscall");
    }
  }
  array(args, `${pointer}/args`).forEach((arg, at) => checkArg(arg, `${pointer}/args/${at}`));
}

function checkArg(value: unknown, pointer: string): asserts value is Arg {
  const { index, value: datum, valueTwo, op } = object(value, pointer);
  if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= ARGUMENTS) {
    throw new PolicyError(`${pointer}/index`, "must be an integer from 0 to 5");
  }
  if (!OPERATORS.includes(op as Operator)) {
    throw new PolicyError(`${pointer}/op`, `must be one of ${OPERATORS.join(", ")}`);
  }
  checkUint64(datum, `${pointer}/value`);
  if (valueTwo !== undefined) checkUint64(valueTwo, `${pointer}/valueTwo`);
}

function checkUint64(value: unknown, pointer: string): void {
  const valid = typeof value === "bigint"
    ? value >= 0n && value < 1n << 64n
    : Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 64;
  if (!valid) throw new PolicyError(pointer, "must be an unsigned 64-bit integer");
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new PolicyError(
      pointer,
      "is above 2^53 and must be a bigint, since a number has lost its last digits",
    );
  }
}

function checkAction(
  action: unknown,
  errno: unknown,
  [at, errnoAt]: [string, string],
  strict: boolean,
): void {
  if (typeof action !== "string" || !Object.hasOwn(RETURNS, action)) {
    throw new PolicyError(at, `must be one of ${Object.keys(RETURNS).join(", ")}`);
  }
  if (errno === undefined) return;
  if (!takesErrno(action as Action)) {
    if (strict) throw new PolicyError(errnoAt, `must be absent with ${action}`);
    return;
  }
  const limit = action === "SCMP_ACT_ERRNO" ? ERRNO_LIMIT : 0x10000;
  if (!Number.isInteger(errno) || (errno as number) < 0 || (errno as number) >= limit) {
    throw new PolicyError(errnoAt, `must be an integer from 0 to ${limit - 1}`);
  }
}

function object(value: unknown, pointer: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PolicyError(pointer, "must be an object");
  }
  return value as Record<string, unknown>;
}

/** Go reads null as absent, and engines written in Go send it. */
function array(value: unknown, pointer: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new PolicyError(pointer, "must be an array");
  return value;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : `a ${typeof value}`;
}
