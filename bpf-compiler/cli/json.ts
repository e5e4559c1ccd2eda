/**
 * Policies as JSON text.
 *
 * @module
 */

import { PolicyError } from "../policy.ts";

/**
 * The policy in a file that is one, or a config.json. Integers that a number cannot hold become bigints: a datum has 64
 * bits, and JSON.parse() would round it.
 */
export function parsePolicy(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PolicyError("", `is not JSON: ${error.message}`);
  }
  if (typeof value !== "object" || value === null) throw new PolicyError("", "must be an object");
  const { linux } = value as { linux?: { seccomp?: unknown } };
  if (linux === undefined) return value;
  if (typeof linux?.seccomp !== "object" || linux.seccomp === null) {
    throw new PolicyError("/linux/seccomp", "must be an object");
  }
  return linux.seccomp;
}

function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value;
}
