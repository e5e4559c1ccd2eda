/** Descriptors and memory files. @module */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  O_CLOEXEC,
  O_RDONLY,
  POLLIN,
  S_IFMT,
  S_IFREG,
  STATX_BASIC_STATS,
} from "./generated/constants.ts";
import { SyscallError, type SyscallErrorContext } from "../errors.ts";
import { ERRNO } from "./generated/errno.ts";
import { cString, errnoInfo, isErrno, syscall, trySyscall, type Word } from "./libc.ts";

/** close(2). Like Go and crun we do not care how it ends: the descriptor is gone in any case. */
export function close(fd: number): void {
  trySyscall("close", [fd]);
}

/** openat2(2). @returns a descriptor */
export function openat2(
  dirfd: number,
  path: string,
  how: { readonly flags: number; readonly mode?: number; readonly resolve?: number },
): number {
  const name = cString(path);
  const struct = new BigUint64Array([BigInt(how.flags), BigInt(how.mode ?? 0), BigInt(how.resolve ?? 0)]);
  const bytes = new Uint8Array(struct.buffer);
  return syscall("openat2", [dirfd, name, bytes, bytes.length], { path });
}

/** unistd.h */
const F_OK = 0;

/** Whether `path` leads to something. Deno's own calls throw if not, which takes as long as ten of them. */
export function exists(path: string): boolean {
  const result = trySyscall("faccessat", [AT_FDCWD, cString(path), F_OK]);
  if (result < 0 && result !== -ERRNO.ENOENT) {
    throw new SyscallError("faccessat", errnoInfo(-result), { path });
  }
  return result === 0;
}

/**
 * Opens for reading what `found`, an O_PATH descriptor, refers to, if that is a regular file. Nothing else of an image is
 * ever opened: a device may act on that alone, as a watchdog does.
 *
 * @returns a descriptor; nothing if it is another kind of file
 */
export function openRegular(found: number): number | undefined {
  if ((fstat(found).mode & S_IFMT) !== S_IFREG) return undefined;
  // By the descriptor: a name could lead to another file by now.
  return openat2(AT_FDCWD, `/proc/self/fd/${found}`, { flags: O_RDONLY | O_CLOEXEC });
}

/** read(2) until it has something, EINTR aside. @returns the bytes; none at the end of the file */
export function read(fd: number, count: number): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(count);
  for (;;) {
    const result = trySyscall("read", [fd, buffer, count]);
    if (result >= 0) return buffer.subarray(0, result);
    if (result !== -ERRNO.EINTR) throw new SyscallError("read", errnoInfo(-result));
  }
}

/** Whether there is something to read, or an end, within `milliseconds`; 0 to look only. */
export function isReadable(fd: number, milliseconds: number): boolean {
  const pollfd = new Uint8Array(8);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  const time = new BigInt64Array([
    BigInt(Math.floor(milliseconds / 1000)),
    BigInt(milliseconds % 1000) * 1_000_000n,
  ]);
  for (;;) {
    // The kernel leaves in `time` what is left of it.
    const result = trySyscall("ppoll", [pollfd, 1, new Uint8Array(time.buffer), 0, 0]);
    if (result >= 0) return result === 1;
    if (result !== -ERRNO.EINTR) throw new SyscallError("ppoll", errnoInfo(-result));
  }
}

/** write(2) of all `bytes`. */
export function write(fd: number, bytes: Uint8Array<ArrayBuffer>, context: SyscallErrorContext = {}): void {
  for (let done = 0; done < bytes.length;) {
    done += syscall("write", [fd, bytes.subarray(done), bytes.length - done], context);
  }
}

/** pread64(2) of `count` bytes at `offset`. Beyond the end of the file they are 0. */
export function pread(fd: number, count: number, offset: number): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(count);
  syscall("pread64", [fd, buffer, count, offset]);
  return buffer;
}

/** pwrite64(2) of all `bytes` at `offset`. */
export function pwrite(fd: number, bytes: Uint8Array<ArrayBuffer>, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    done += syscall("pwrite64", [fd, bytes.subarray(done), bytes.length - done, offset + done]);
  }
}

/**
 * memfd_create(2). Nobody can write to it once it is {@linkcode seal}ed.
 *
 * @param executable may be refused with EACCES: sysctl vm.memfd_noexec, memfd_create(2)
 */
export function memfdCreate(name: string, executable = false): number {
  const bytes = cString(name);
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  try {
    return syscall("memfd_create", [bytes, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL)], {
      path: name,
    });
  } catch (error) {
    // Both flags are of Linux 6.3; before that every memfd is executable.
    if (!isErrno(error, "EINVAL")) throw error;
    return syscall("memfd_create", [bytes, flags], { path: name });
  }
}

/** Takes the right to write, to grow, to shrink and to unseal from everybody, ourselves included. */
export function seal(fd: number): void {
  fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/** fcntl(2) */
export function fcntl(fd: number, command: number, argument: Word = 0): number {
  return syscall("fcntl", [fd, command, argument]);
}

/** The same open file under a number of at least `least`, close-on-exec. */
export function duplicate(fd: number, least: number): number {
  return fcntl(fd, F_DUPFD_CLOEXEC, least);
}

/** ioctl(2) on a structure, which is read and written in place. */
export function ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | number): number {
  return syscall("ioctl", [fd, request, typeof argument === "number" ? argument : argument]);
}

/** What statx(2) says of an open file. */
export interface FileStatus {
  /** Type and permissions: st_mode of stat(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a device node. */
  readonly major: number;
  readonly minor: number;
}

/** sizeof(struct statx) */
const STATX_BYTES = 256;

/** statx(2) of a descriptor, O_PATH ones included. */
export function fstat(fd: number): FileStatus {
  const bytes = new Uint8Array(STATX_BYTES);
  syscall("statx", [fd, cString(""), AT_EMPTY_PATH, STATX_BASIC_STATS, bytes]);
  const view = new DataView(bytes.buffer);
  // Offsets of stx_mode, stx_uid, stx_gid, stx_rdev_major and stx_rdev_minor in linux/stat.h.
  return {
    mode: view.getUint16(0x1c, true),
    uid: view.getUint32(0x14, true),
    gid: view.getUint32(0x18, true),
    major: view.getUint32(0x80, true),
    minor: view.getUint32(0x84, true),
  };
}
