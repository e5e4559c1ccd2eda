/**
 * Reads and validates config.json and its parts.
 *
 * A value that is returned has the type it is declared to have: the checks cover every member that is typed. It is the
 * given or parsed value itself, in which `null` and empty strings in optional members were replaced by `undefined` and a
 * missing user by root.
 *
 * @module
 */

import { ConfigError, type Pointer } from "../errors.ts";
import type { Check, Fault } from "./check.ts";
import { checkConfig, checkMounts, type Config, type Mount } from "./config.ts";
import { explainSyntaxError, parseExact } from "./json.ts";
import { checkProcess, type Process } from "./process.ts";
import { checkResources, type Resources } from "./resources.ts";

/**
 * The config that the text of a config.json describes.
 *
 * @throws {ConfigError} at the first fault
 */
export function parseConfig(text: string): Config {
  return parse(text, checkConfig, "");
}

/** The same for a value that is parsed already. Integers beyond 2^53 - 1 must be `bigint`. */
export function validateConfig(value: unknown): Config {
  return validate(value, checkConfig, "");
}

/** The process that the text of a file for `exec --process` describes; faults are shown as in config.json. */
export function parseProcess(text: string): Process {
  return parse(text, checkProcess, "/process");
}

/** The same for a value that is parsed already. */
export function validateProcess(value: unknown): Process {
  return validate(value, checkProcess, "/process");
}

/** The limits that the text of a file for `update --resources` describes; faults are shown as in config.json. */
export function parseResources(text: string): Resources {
  return parse(text, checkResources, "/linux/resources");
}

/** The same for a value that is parsed already. */
export function validateResources(value: unknown): Resources {
  return validate(value, checkResources, "/linux/resources");
}

/** The mounts that the text of a file for `mounts` describes; faults are shown as in config.json. */
export function parseMounts(text: string): Mount[] {
  return parse(text, checkMounts, "/mounts");
}

function parse<T>(text: string, check: Check, pointer: Pointer): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(pointer, `must be JSON: ${explainSyntaxError(text, error as SyntaxError)}`);
  }
  const fault = check(value);
  // Few configs have integers beyond 2^53: the slow way to read them is taken when the first one is met.
  if (fault?.inexact) return validate(parseExact(text), check, pointer);
  return accept(value, fault, pointer);
}

function validate<T>(value: unknown, check: Check, pointer: Pointer): T {
  return accept(value, check(value), pointer);
}

function accept<T>(value: unknown, fault: Fault | undefined, pointer: Pointer): T {
  if (fault !== undefined) throw new ConfigError(pointer + fault.pointer, fault.problem);
  return value as T;
}
