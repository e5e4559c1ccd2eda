/**
 * The seccomp filter of a container: compiled once, and kept for all with the same policy.
 *
 * @module
 */
import { COMPILER } from "../../wasm/fingerprint.ts";
import { ConfigError } from "../errors.ts";
import type { Cpu } from "../linux/generated/syscalls.ts";
import { CPU } from "../linux/libc.ts";
import { log } from "../log.ts";
import type { Filter } from "../plan/seccomp.ts";
import type { Config } from "../spec/config.ts";
import { stringify } from "../spec/json.ts";
import { findCached, keepCached } from "./cache.ts";

/**
 * Compiles `linux.seccomp`, if there is one.
 *
 * @throws {ConfigError} if the policy cannot be compiled
 */
export async function compileFilter({ linux }: Config, cpu: Cpu = CPU): Promise<Filter | undefined> {
  if (linux?.seccomp === undefined) return undefined;
  // What has no say in the program may be another text for each container.
  const { listenerPath: _path, listenerMetadata: _metadata, ...policy } = linux.seccomp;
  const key = `${COMPILER} ${cpu} ${stringify(policy)}`;
  const cached = findCached(key);
  const text = cached ?? await compile(policy, cpu);
  if (cached === undefined) keepCached(key, text);
  const { notes, ...filter }: Compiled = JSON.parse(text);
  for (const note of notes) log.debug(note);
  return fromText(filter);
}

/** A filter as JSON: the program is base64. */
interface FilterText extends Omit<Filter, "program"> {
  readonly program: string;
}

interface Compiled extends FilterText {
  /** What its author should know. */
  readonly notes: readonly string[];
}

/** @returns {@linkcode Compiled} as JSON */
async function compile(policy: unknown, native: Cpu): Promise<string> {
  // A file of its own in dist/: what is in the cache needs nothing of it.
  const { compileSeccomp } = await import("../../wasm/mod.ts");
  try {
    const { program, flags, notifies, diagnostics } = compileSeccomp(policy, { native });
    const notes = diagnostics.map(({ pointer, message }) =>
      `config.json /linux/seccomp${pointer}: ${message}`
    );
    const compiled: Compiled = { program: program.toBase64(), flags, notifies, notes };
    return JSON.stringify(compiled);
  } catch (error) {
    if (!(error instanceof Error && "pointer" in error && "problem" in error)) throw error;
    throw new ConfigError(`/linux/seccomp${error.pointer}`, `${error.problem}`);
  }
}

function fromText(filter: FilterText): Filter {
  return { ...filter, program: Uint8Array.fromBase64(filter.program) };
}

/** What {@linkcode filterFromJson} reads. */
export function filterToJson(filter: Filter): string {
  const text: FilterText = { ...filter, program: filter.program.toBase64() };
  return JSON.stringify(text);
}

export function filterFromJson(text: string): Filter {
  return fromText(JSON.parse(text));
}
