/**
 * Files and directories that are there for a while, named after us and not at random: the numbers that Deno makes at random
 * are the same in all processes of one snapshot.
 *
 * @module
 */

/** A new directory in `parent`. @returns its path */
export function makeDirectory(parent: string, prefix: string): string {
  return makeNew(`${parent}/${prefix}`, (path) => Deno.mkdirSync(path, { mode: 0o700 }));
}

/** A new file in `parent` that only its owner may read and write. @returns its path */
export function makeFile(parent: string, prefix: string): string {
  return makeNew(`${parent}/${prefix}`, (path) => {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
  });
}

function makeNew(prefix: string, make: (path: string) => void): string {
  for (let count = 0;; count++) {
    const path = `${prefix}${Deno.pid}-${count}`;
    try {
      make(path);
      return path;
    } catch (error) {
      // Another one of ours, or somebody's who had our pid: in another pid namespace, or before.
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
