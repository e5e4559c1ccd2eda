/**
 * A root filesystem made of the host's own programs, read-only: a container without an image.
 *
 * @module
 */
import type { Mount } from "../spec/config.ts";

/** What a program needs to run: a directory is bound, a link (as /bin is one to usr/bin) is made again. */
const SHARED = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc"];

/** Where programs expect to write: empty, and gone with the container. */
const SCRATCH: Readonly<Record<string, string>> = { tmp: "1777", run: "755", root: "700" };

/** Places for the usual mounts. */
const EMPTY = ["proc", "sys", "dev"];

/**
 * Makes the skeleton of a root filesystem: directories and links, and no file.
 *
 * @param rootfs the directory to make it in, which is made if it is missing
 * @returns the mounts that fill it
 */
export function makeHostRootfs(rootfs: string): Mount[] {
  const mounts: Mount[] = [];
  for (const name of [...EMPTY, ...Object.keys(SCRATCH)]) {
    Deno.mkdirSync(`${rootfs}/${name}`, { recursive: true });
  }
  for (const name of SHARED) {
    const info = lstat(`/${name}`);
    if (info?.isSymlink) link(Deno.readLinkSync(`/${name}`), `${rootfs}/${name}`);
    else if (info?.isDirectory) {
      Deno.mkdirSync(`${rootfs}/${name}`, { recursive: true });
      mounts.push({
        destination: `/${name}`,
        type: "bind",
        source: `/${name}`,
        options: ["rbind", "rro", "rnosuid", "rnodev"],
      });
    }
  }
  for (const [name, mode] of Object.entries(SCRATCH)) {
    mounts.push({
      destination: `/${name}`,
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "nodev", `mode=${mode}`, "size=65536k"],
    });
  }
  return mounts;
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function link(target: string, path: string): void {
  if (lstat(path) === undefined) Deno.symlinkSync(target, path);
}
