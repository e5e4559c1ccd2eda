/** Who else could have written to a file. @module */
import { StateError } from "../errors.ts";

/**
 * Whether others than root and we could have written to a file, or could put another one into a directory in the place of
 * what is root's or ours: there the sticky bit keeps them from it, inode(7).
 */
export function isForeign({ uid, mode, isDirectory }: Deno.FileInfo): boolean {
  if (uid !== 0 && uid !== Deno.uid()) return true;
  return (mode! & 0o022) !== 0 && !(isDirectory && (mode! & 0o1000) !== 0);
}

/**
 * Root runs no program that another user owns, or a directory above it: whoever can replace it has the rights of whoever
 * runs it. Where `/` is not root's, root is that of a user namespace, and sees the host's root as nobody.
 *
 * @param program an absolute path
 * @throws {StateError}
 */
export function refuseForeign(program: string): void {
  if (Deno.uid() !== 0 || Deno.statSync("/").uid !== 0) return;
  for (let path = program; path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
    if (ownerOf(path) === 0) continue;
    const why = "is not root's: whose it is could replace the program (docs/security.md)";
    throw new StateError("", `${path} ${why}`);
  }
}

/** Root's, for what is not there. */
function ownerOf(path: string): number | null {
  try {
    return Deno.statSync(path).uid;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
