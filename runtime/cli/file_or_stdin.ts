import { UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";

/** The text of a file that an argument names, or of stdin if that is "-". @throws {UsageError} if it cannot be read */
export function readFileOrStdin(file: string): string {
  try {
    return Deno.readTextFileSync(file === "-" ? "/dev/stdin" : file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`);
  }
}
