/**
 * Whether others than root and we could have written to a file, or could put another one into a directory in the place of
 * what is root's or ours: there the sticky bit keeps them from it, inode(7).
 *
 * @module
 */
export function isForeign({ uid, mode, isDirectory }: Deno.FileInfo): boolean {
  if (uid !== 0 && uid !== Deno.uid()) return true;
  return (mode! & 0o022) !== 0 && !(isDirectory && (mode! & 0o1000) !== 0);
}
