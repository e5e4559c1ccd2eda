/**
 * The part of `@std/assert` that the tests use, with its signatures. JSR cannot be reached everywhere this is built;
 * where it can, `deno.json` needs one line changed to use the real one.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";

/** What every assertion here throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

// deno-lint-ignore no-explicit-any -- as in @std/assert: any class, whatever its constructor takes
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Asserts that `condition` holds, unless so throws `problem`, with the caller's own words behind it. */
function check(condition: boolean, problem: string, message?: string): asserts condition {
  if (!condition) throw new AssertionError(message === undefined ? problem : `${problem}: ${message}`);
}

export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export function assertFalse(condition: unknown, message = ""): asserts condition is false {
  if (condition) throw new AssertionError(message);
}

export function fail(message?: string): never {
  throw new AssertionError(message === undefined ? "Failed assertion." : `Failed assertion: ${message}`);
}

export function unreachable(message?: string): never {
  throw new AssertionError(message ?? "Unreachable.");
}

/** Runs one of node's assertions for its verdict: undefined, or the difference in words. */
function difference(compare: () => void): string | undefined {
  try {
    compare();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  const problem = difference(() =>
    // Long texts as lists of lines, so that the difference is shown line by line.
    typeof actual === "string" && typeof expected === "string" && /\n/.test(actual + expected)
      ? nodeAssert.deepEqual(actual.split("\n"), expected.split("\n"))
      : nodeAssert.deepEqual(actual, expected)
  );
  check(problem === undefined, problem ?? "", message);
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  const problem = difference(() => nodeAssert.notDeepEqual(actual, expected));
  check(problem === undefined, problem ?? "", message);
}

export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  check(Object.is(actual, expected), `${inspect(actual)} is not ${inspect(expected)}`, message);
}

export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  check(!Object.is(actual, expected), `Both are ${inspect(actual)}`, message);
}

export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  check(actual !== undefined && actual !== null, `${actual} is neither a value nor an object`, message);
}

export function assertInstanceOf<T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any -- as ErrorClass
  type: abstract new (...args: any[]) => T,
  message?: string,
): asserts actual is T {
  check(actual instanceof type, `${inspect(actual)} is not a ${type.name}`, message);
}

export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  check(actual.includes(expected), `${inspect(actual)} does not contain ${inspect(expected)}`, message);
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  check(expected.test(actual), `${inspect(actual)} does not match ${expected}`, message);
}

export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  check(!expected.test(actual), `${inspect(actual)} matches ${expected}`, message);
}

export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void {
  const has = (wanted: T) => Array.from(actual).some((value) => isDeepStrictEqual(value, wanted));
  const missing = Array.from(expected).filter((wanted) => !has(wanted));
  check(missing.length === 0, `${inspect(actual)} does not contain ${inspect(missing)}`, message);
}

export function assertGreater<T>(actual: T, limit: T, message?: string): void {
  check(actual > limit, `${inspect(actual)} is not greater than ${inspect(limit)}`, message);
}

export function assertGreaterOrEqual<T>(actual: T, limit: T, message?: string): void {
  check(actual >= limit, `${inspect(actual)} is less than ${inspect(limit)}`, message);
}

export function assertLess<T>(actual: T, limit: T, message?: string): void {
  check(actual < limit, `${inspect(actual)} is not less than ${inspect(limit)}`, message);
}

export function assertLessOrEqual<T>(actual: T, limit: T, message?: string): void {
  check(actual <= limit, `${inspect(actual)} is greater than ${inspect(limit)}`, message);
}

export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string | RegExp,
  message?: string,
): asserts error is E {
  check(error instanceof Error, `${inspect(error)} is not an Error`, message);
  const wanted = errorClass === undefined || error instanceof errorClass;
  check(wanted, `Expected ${errorClass?.name}, got ${inspect(error)}`, message);
  if (typeof includes === "string") assertStringIncludes(error.message, includes, message);
  if (includes instanceof RegExp) assertMatch(error.message, includes, message);
}

export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  includes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClass?: ErrorClass<Error> | string,
  includes?: string,
  message?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    if (typeof errorClass === "function") assertIsError(error, errorClass, includes, message);
    return error;
  }
  check(false, "Expected the function to throw", typeof errorClass === "string" ? errorClass : message);
}

export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  includes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<Error> | string,
  includes?: string,
  message?: string,
): Promise<unknown> {
  try {
    await fn();
  } catch (error) {
    if (typeof errorClass === "function") assertIsError(error, errorClass, includes, message);
    return error;
  }
  check(false, "Expected the function to reject", typeof errorClass === "string" ? errorClass : message);
}
