/** Files, as tests look at them and make them. @module */
import { AT_FDCWD } from "../../runtime/linux/generated/constants.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";

/** Whether anything is at `path`, a link that leads nowhere included. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** mknod(2) of a file that all may read and write: `type` is S_IFIFO and so on. */
export function mknod(path: string, type: number, device = 0): void {
  syscall("mknodat", [AT_FDCWD, cString(path), type | 0o666, device], { path });
}
