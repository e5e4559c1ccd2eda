/**
 * The seccomp filter of a container.
 *
 * @module
 */
import { compileSeccomp } from "../../wasm/mod.ts";
import { ConfigError } from "../errors.ts";
import { CPU } from "../linux/libc.ts";
import { log } from "../log.ts";
import type { Filter } from "../plan/seccomp.ts";
import type { Config } from "../spec/config.ts";

/**
 * Compiles `linux.seccomp`, if there is one.
 *
 * @throws {ConfigError} if the policy cannot be compiled
 */
export function compileFilter({ linux }: Config): Filter | undefined {
  if (linux?.seccomp === undefined) return undefined;
  const { program, flags, notifies, diagnostics } = compile(linux.seccomp);
  if (notifies) {
    throw new ConfigError(
      "/linux/seccomp",
      "SCMP_ACT_NOTIFY is not supported: its listener would get no descriptor",
    );
  }
  for (const { pointer, message } of diagnostics) {
    log.debug(`config.json /linux/seccomp${pointer}: ${message}`);
  }
  return { program, flags };
}

function compile(policy: unknown) {
  try {
    return compileSeccomp(policy, { native: CPU });
  } catch (error) {
    if (!(error instanceof Error && "pointer" in error && "problem" in error)) throw error;
    throw new ConfigError(`/linux/seccomp${error.pointer}`, `${error.problem}`);
  }
}
