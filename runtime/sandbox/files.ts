/** Files of a sandbox, which its processes may have turned to anything: every path is resolved beneath its root. @module */
import { SyscallError } from "../errors.ts";
import { openContainerRoot } from "../container/late_facts.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_IN_ROOT,
  S_IFMT,
  S_IFREG,
} from "../linux/generated/constants.ts";
import { ERRNO } from "../linux/generated/errno.ts";
import { close, fstat, openat2, read, write } from "../linux/files.ts";
import { errnoInfo, syscall } from "../linux/libc.ts";

/** Replaces a file's bytes. A new one belongs to `owner`. */
export function writeInRoot(
  pid: number,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  { mode, owner }: { readonly mode: number; readonly owner: number },
): void {
  withFile(pid, path, O_WRONLY | O_CREAT | O_TRUNC, mode, (fd) => {
    syscall("fchown", [fd, owner, owner], { path });
    write(fd, bytes, { path });
  });
}

/** @param limit more bytes are EFBIG: a sandbox must not fill our memory */
export function readInRoot(pid: number, path: string, limit: number): Uint8Array<ArrayBuffer> {
  return withFile(pid, path, O_RDONLY, 0, (fd) => {
    const chunks: Uint8Array[] = [];
    for (let total = 0;;) {
      const chunk = read(fd, 65536);
      if (chunk.length === 0) return concat(chunks, total);
      chunks.push(chunk);
      total += chunk.length;
      if (total > limit) throw new SyscallError("read", errnoInfo(ERRNO.EFBIG), { path });
    }
  });
}

function concat(chunks: readonly Uint8Array[], total: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Opened without waiting, for it may be a FIFO, and not used unless it is an ordinary file. */
function withFile<T>(pid: number, path: string, flags: number, mode: number, use: (fd: number) => T): T {
  const root = openContainerRoot(pid);
  try {
    const how = { flags: flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode, resolve: RESOLVE_IN_ROOT };
    const fd = openat2(root, path, how);
    try {
      if ((fstat(fd).mode & S_IFMT) !== S_IFREG) {
        throw new SyscallError("open", errnoInfo(ERRNO.EACCES), { path });
      }
      return use(fd);
    } finally {
      close(fd);
    }
  } finally {
    close(root);
  }
}
