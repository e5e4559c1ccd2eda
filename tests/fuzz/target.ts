/** What is fuzzed: the shape of a target, and what all of them ask of an outcome. @module */
import { ConfigError, StateError, SyscallError, UsageError } from "../../runtime/errors.ts";
import type { Random } from "./random.ts";

/** Something that reads text which others have written. */
export interface Target {
  /** Texts as the real world has them: the first corpus. */
  readonly seeds: readonly string[];
  /** Another text, made from `input` and parts of the `corpus`. */
  mutate(input: string, corpus: readonly string[], random: Random): string;
  /**
   * Does with `input` what the runtime does, the same each time.
   *
   * @returns what it came to, in words that inputs of one kind have in common
   * @throws one of our errors if the input is wrong, anything else if we are
   */
  run(input: string): readonly string[];
}

/** Whether the error is one that `cli/program.ts` prints as one line: ours, or one of the system's. */
export function isOnPurpose(error: unknown): error is Error {
  const ours = [ConfigError, StateError, SyscallError, UsageError];
  return error instanceof Error && ("code" in error || ours.some((one) => error instanceof one));
}

/** @throws what `target` throws by mistake; @returns what it came to, be it an error on purpose */
export function outcome(target: Target, input: string): readonly string[] {
  try {
    return target.run(input);
  } catch (error) {
    if (!isOnPurpose(error)) throw error;
    if (/[\n\0]/.test(error.message)) throw new Error("the message has more than one line", { cause: error });
    return [`${error.name} ${kindOf(error, input)}`];
  }
}

/** What is ours of it: the beginning of a pointer, as far as nobody else has made up the names, or of a message. */
function kindOf(error: Error, input: string): string {
  if (!(error instanceof ConfigError)) return withoutWords(error.message, input);
  const names = error.pointer.split("/").slice(1, 6).map((name) => name.replace(/^\d+$/, "*"));
  const made = names.findIndex((name) => !/^([A-Za-z]{1,24}|\*)$/.test(name));
  return ["", ...made < 0 ? names : names.slice(0, made)].join("/");
}

/** The first words of `message` that do not come from `input`. */
export function withoutWords(message: string, input: string): string {
  const words = message.slice(0, 200).replace(/\\u[0-9a-f]{4}/g, " ").match(/[a-z]{3,}/g) ?? [];
  return words.filter((word) => !input.includes(word)).slice(0, 3).join(" ");
}

/** Has `Deno.readTextFileSync` find `files` where the runtime looks for files of the kernel's. */
export function reading<T>(files: Readonly<Record<string, string>>, fn: () => T): T {
  const real = Deno.readTextFileSync;
  Deno.readTextFileSync = (path) => Object.hasOwn(files, `${path}`) ? files[`${path}`]! : real(path);
  try {
    return fn();
  } finally {
    Deno.readTextFileSync = real;
  }
}

/** A number that is the same for the same text: what else a case needs of luck comes from it. FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
