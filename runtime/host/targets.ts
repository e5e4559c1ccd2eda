/**
 * What the image has at the places where something is to be mounted, and what the host has for it.
 *
 * @module
 */
import type { Pointer } from "../errors.ts";
import { attempt } from "../linux/deno_error.ts";
import type { FileType, Target } from "../plan/host.ts";

/** What path_resolution(7) ends in by what is there. */
const OF_THE_PATH: ReadonlySet<string> = new Set(["EACCES", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOTDIR"]);

/** As many links as the kernel follows in one path: path_resolution(7). */
const MAX_LINKS = 40;

/**
 * Resolves `path` in `rootfs` as openat2(2) with RESOLVE_IN_ROOT does, and beyond it where a link dangles: engines mount on
 * /etc/resolv.conf, which some images have as a link into an empty /run.
 *
 * A hint for the planner, who has each step resolve the path again: an image that changes meanwhile gains nothing.
 */
export function resolveInRoot(rootfs: string, path: string): Target {
  const pending = path.split("/").reverse();
  const resolved: string[] = [];
  /** What is at each of them. */
  const infos: (Deno.FileInfo | undefined)[] = [];
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      resolved.pop();
      infos.pop();
      continue;
    }
    const here = `${rootfs}/${[...resolved, name].join("/")}`;
    // Nothing is beneath what is missing.
    const isBeneath = infos.length === 0 || infos.at(-1) !== undefined;
    const info = isBeneath ? lstat(here) : undefined;
    const to = info?.isSymlink && links++ < MAX_LINKS ? readLink(here) : undefined;
    if (to !== undefined) {
      if (to.startsWith("/")) resolved.length = infos.length = 0;
      pending.push(...to.split("/").reverse());
      continue;
    }
    resolved.push(name);
    infos.push(info);
  }
  const info = infos.length > 0 ? infos.at(-1) : lstat(rootfs);
  const type: FileType = info === undefined ? "missing" : info.isDirectory ? "directory" : "file";
  return {
    path: `/${resolved.join("/")}`,
    type,
    ...(type !== "missing" && info!.mode !== null && { mode: info!.mode & 0o7777 }),
  };
}

/** What `path` leads to. @throws {SyscallError} with `pointer` where the path is not the reason */
export function fileType(path: string, pointer: Pointer): FileType {
  return attempt("stat", { path, pointer }, () => {
    try {
      return Deno.statSync(path).isDirectory ? "directory" : "file";
    } catch (error) {
      // The step that opens it says why it cannot.
      if (isOfThePath(error)) return "missing";
      throw error;
    }
  });
}

function readLink(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    // EINVAL: it was a link a moment ago.
    if (isOfThePath(error) || (error as { code?: string }).code === "EINVAL") return undefined;
    throw error;
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    // The step that opens it will say it.
    if (isOfThePath(error)) return undefined;
    throw error;
  }
}

/** In any other case it may be there, and the tmpfs that is mounted on it is not to have another mode. */
function isOfThePath(error: unknown): boolean {
  return error instanceof Error && "code" in error && OF_THE_PATH.has(`${error.code}`);
}
