/** The errors of Deno's own file functions, which have their errno only in the text: `No such file ... (os error 2): open '/x'`. @module */
import { SyscallError, type SyscallErrorContext } from "../errors.ts";
import { errnoInfo } from "./libc.ts";

/** The errno of an error of Deno's. */
export function denoErrno(error: unknown): number | undefined {
  const number = error instanceof Error ? /\(os error (\d+)\)/.exec(error.message)?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Calls Deno. @throws {SyscallError} of `call` where it fails */
export function attempt<T>(call: string, context: SyscallErrorContext, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    const number = denoErrno(error);
    if (number === undefined) throw error;
    throw new SyscallError(call, errnoInfo(number), context);
  }
}

/** What `error` says; one of Deno's in the words of all others: `open /x: no such file or directory (ENOENT)`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  const number = denoErrno(error);
  if (number === undefined) return error.message;
  const { text, name } = errnoInfo(number);
  const [, what = ""] = /\(os error \d+\)(?:: (.*))?$/s.exec(error.message) ?? [];
  const call = what.replace(/^(read|write)file\b/, "$1").replace(/ '(.*)' -> '(.*)'$/s, " $1 to $2").replace(
    / '(.*)'$/s,
    " $1",
  );
  return `${call === "" ? "" : `${call}: `}${text} (${name})`;
}
