/**
 * The standard streams of a container that is saved. They are its caller's, and will be those of whoever restores it.
 *
 * @module
 */
import { StateError } from "../../errors.ts";

/** The file beside the images that names them, as runc and crun write it for pipes. */
const FILE = "descriptors.json";

/**
 * What CRIU calls the streams of `pid` that come from outside: a pipe by its link in /proc, a terminal by its device, any
 * other file by its mount and its inode. "" for those that are closed or the container's own.
 *
 * @param mountinfo the text of /proc/PID/mountinfo
 * @see criu(8), "--external"
 */
export function outsideStreams(pid: number, mountinfo: string): string[] {
  const mounts = new Set(mountinfo.split("\n").map((line) => line.split(" ", 1)[0]));
  return [0, 1, 2].map((stream) => {
    const path = `/proc/${pid}/fd/${stream}`;
    try {
      const link = Deno.readLinkSync(path);
      if (!link.startsWith("/")) return link;
      const mount = /^mnt_id:\s*(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/fdinfo/${stream}`))?.[1];
      if (mount === undefined || mounts.has(mount)) return "";
      const { dev, rdev, ino } = Deno.statSync(path);
      const hex = (number: number | null) => number?.toString(16);
      return /^\/dev\/(pts\/|tty)/.test(link)
        ? `tty[${hex(rdev)}:${hex(dev)}]`
        : `file[${hex(Number(mount))}:${hex(ino)}]`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return ""; // The program has closed it.
      throw error;
    }
  });
}

/** Those of {@linkcode outsideStreams} that CRIU is to be told of when it saves: pipes it takes as they are. */
export function isExternal(stream: string): boolean {
  return /^(tty|file)\[/.test(stream);
}

export function writeStreams(images: string, streams: readonly string[]): void {
  Deno.writeTextFileSync(`${images}/${FILE}`, JSON.stringify(streams), { mode: 0o600 });
}

/**
 * The streams that are to be replaced by ours, with our descriptors.
 *
 * @throws {StateError} if no container was saved in `images`
 */
export function readStreams(id: string, images: string): { readonly key: string; readonly fd: number }[] {
  const path = `${images}/${FILE}`;
  let streams: unknown;
  try {
    streams = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new StateError(id, `no checkpoint in ${images}: open ${path}: no such file or directory`);
    }
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!Array.isArray(streams)) throw new StateError(id, `the checkpoint in ${images} is damaged: ${path}`);
  return streams.slice(0, 3).flatMap((key: unknown, fd) =>
    typeof key === "string" && (isExternal(key) || key.startsWith("pipe:")) ? [{ key, fd }] : []
  );
}
