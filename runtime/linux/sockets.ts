/** Unix sockets. @module */
import {
  AF_UNIX,
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  SCM_RIGHTS,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./generated/constants.ts";
import { SyscallError } from "../errors.ts";
import { close, openat2, write } from "./files.ts";
import { ERRNO } from "./generated/errno.ts";
import { errnoInfo, syscall, word } from "./libc.ts";

/** sizeof(sun_path) */
const PATH_BYTES = 108;

/** A socket that is bound to `path`, which must not exist, and takes connections. */
export function listenUnix(path: string): number {
  return withSocket(path, (fd, address) => {
    syscall("bind", [fd, address, address.length], { path });
    syscall("listen", [fd, 2], { path });
  });
}

/**
 * A connection to the socket at `path`.
 *
 * @param seconds how long to wait for room in the listener's queue, and later in the connection: EAGAIN. For ever if absent
 */
export function connectUnix(path: string, seconds?: number): number {
  return withSocket(path, (fd, address) => {
    if (seconds !== undefined) {
      // struct timeval
      const time = words(BigInt(seconds), 0n);
      syscall("setsockopt", [fd, SOL_SOCKET, SO_SNDTIMEO, time, time.length]);
    }
    syscall("connect", [fd, address, address.length], { path });
  });
}

/** A socket for the datagrams that are sent to `path`, which must not exist. */
export function bindDatagrams(path: string): number {
  const bind = (fd: number, address: Uint8Array<ArrayBuffer>) =>
    syscall("bind", [fd, address, address.length], { path });
  return withSocket(path, bind, SOCK_DGRAM);
}

/** A socket whose datagrams go to `path`, or to the abstract name behind "@". */
export function connectDatagrams(path: string): number {
  const connect = (fd: number, address: Uint8Array<ArrayBuffer>) =>
    syscall("connect", [fd, address, address.length], { path });
  return withSocket(path, connect, SOCK_DGRAM);
}

function withSocket(
  path: string,
  use: (fd: number, address: Uint8Array<ArrayBuffer>) => void,
  type: number = SOCK_STREAM,
): number {
  const fd = syscall("socket", [AF_UNIX, type | SOCK_CLOEXEC, 0]);
  let directory: number | undefined;
  try {
    let name = path;
    if (!path.startsWith("@") && new TextEncoder().encode(path).length >= PATH_BYTES) {
      // Longer paths go by a descriptor of their directory: unix(7), BUGS.
      const slash = path.lastIndexOf("/");
      directory = openat2(AT_FDCWD, path.slice(0, slash), { flags: O_PATH | O_DIRECTORY | O_CLOEXEC });
      name = `/proc/self/fd/${directory}/${path.slice(slash + 1)}`;
    }
    const address = socketAddress(name);
    if (address.length > 2 + PATH_BYTES) {
      throw new SyscallError("socket", errnoInfo(ERRNO.ENAMETOOLONG), { path });
    }
    use(fd, address);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  } finally {
    if (directory !== undefined) close(directory);
  }
}

/** struct sockaddr_un. A name behind "@" is in no file system: unix(7), "abstract". */
function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  if (path.startsWith("@")) {
    return new Uint8Array([AF_UNIX, 0, 0, ...new TextEncoder().encode(path.slice(1))]);
  }
  return new Uint8Array([AF_UNIX, 0, ...new TextEncoder().encode(path), 0]);
}

/** Sends `text` and, with its first byte, a descriptor: cmsg(3), SCM_RIGHTS. */
export function sendDescriptor(socket: number, text: string, fd: number): void {
  const data = new TextEncoder().encode(text);
  const vector = words(word(data), BigInt(data.length));
  // struct cmsghdr: length of header and data, level, type; then the data, padded to 8 bytes.
  const control = new Uint8Array(24);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, fd, true);
  // struct msghdr: name and its length, vector and its length, control and its length, flags.
  const header = words(0n, 0n, word(vector), 1n, word(control), BigInt(control.length), 0n);
  // The memory that only addresses point to is named here so that it lives until the call is done.
  const sent = syscall("sendmsg", [socket, header, 0, data, vector, control]);
  write(socket, data.subarray(sent));
}

function words(...values: bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array(values).buffer);
}
