/**
 * Copies a directory of an image into an empty filesystem. The image may be hostile: no link is followed, no mount is
 * crossed, and what is no file, directory or link is left out.
 *
 * @module
 */
import {
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../linux/generated/constants.ts";
import { close, type FileStatus, fstat, openat2, openRegular, read, write } from "../linux/files.ts";
import { cString, isErrno, syscall } from "../linux/libc.ts";

const INSIDE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

/** As deep as a path can be: PATH_MAX / 2. */
const MAX_DEPTH = 2048;

/** Copies all that is in the directory `from` to the directory `to`, with owners and modes. What is there already stays. */
export function copyTree(from: number, to: number, depth = 0): void {
  if (depth > MAX_DEPTH) return;
  for (const { name } of Deno.readDirSync(`/proc/self/fd/${from}`)) {
    try {
      copyEntry(from, to, name, depth);
    } catch (error) {
      // ELOOP and EXDEV: it was swapped for a link, or is a mount. EEXIST: the target of a later mount was made there.
      // ENOENT: somebody removed it meanwhile.
      if (!isErrno(error, "ELOOP", "EXDEV", "EEXIST", "ENOENT")) throw error;
    }
  }
}

function copyEntry(from: number, to: number, name: string, depth: number): void {
  const source = open(from, name, O_PATH | O_NOFOLLOW);
  try {
    const status = fstat(source);
    switch (status.mode & S_IFMT) {
      case S_IFDIR:
        return copyDirectory({ from, to, name, status }, depth);
      case S_IFREG:
        return copyFile({ from, to, name, status }, source);
      case S_IFLNK:
        return copyLink({ from, to, name, status }, source);
    }
  } finally {
    close(source);
  }
}

interface Entry {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly status: FileStatus;
}

function copyDirectory({ from, to, name, status }: Entry, depth: number): void {
  try {
    syscall("mkdirat", [to, cString(name), 0o700], { path: name });
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
  withOpen(
    () => open(from, name, O_RDONLY | O_DIRECTORY),
    (source) =>
      withOpen(() => open(to, name, O_RDONLY | O_DIRECTORY), (target) => {
        copyTree(source, target, depth + 1);
        setOwnerAndMode(target, status);
      }),
  );
}

function copyFile({ to, name, status }: Entry, found: number): void {
  withOpen(() => openRegular(found)!, (source) => {
    withOpen(() => open(to, name, O_WRONLY | O_CREAT | O_EXCL, 0o600), (target) => {
      for (;;) {
        const bytes = read(source, 65536);
        if (bytes.length === 0) break;
        write(target, bytes, { path: name });
      }
      setOwnerAndMode(target, status);
    });
  });
}

function copyLink({ to, name, status }: Entry, source: number): void {
  const buffer = new Uint8Array(4096);
  const length = syscall("readlinkat", [source, cString(""), buffer, buffer.length - 1], { path: name });
  const target = buffer.slice(0, length + 1);
  syscall("symlinkat", [target, to, cString(name)], { path: name });
  syscall("fchownat", [to, cString(name), status.uid, status.gid, AT_SYMLINK_NOFOLLOW], { path: name });
}

function setOwnerAndMode(fd: number, { uid, gid, mode }: FileStatus): void {
  syscall("fchown", [fd, uid, gid]);
  syscall("fchmod", [fd, mode & 0o7777]);
}

function open(directory: number, name: string, flags: number, mode = 0): number {
  return openat2(directory, name, { flags: flags | O_CLOEXEC, mode, resolve: INSIDE });
}

function withOpen(open: () => number, use: (fd: number) => void): void {
  const fd = open();
  try {
    use(fd);
  } finally {
    close(fd);
  }
}
