/** Pairs of sockets that keep messages apart: unix(7), SOCK_SEQPACKET. @module */
import { SyscallError } from "../errors.ts";
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from "./generated/constants.ts";
import { ERRNO } from "./generated/errno.ts";
import { errnoInfo, syscall, trySyscall, word } from "./libc.ts";

/** socketpair(2). Both ends are close-on-exec. */
export function packetPair(): [number, number] {
  const fds = new Int32Array(2);
  syscall("socketpair", [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, new Uint8Array(fds.buffer)]);
  return [fds[0]!, fds[1]!];
}

export interface Packet {
  /** None at the end of the connection. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The descriptor that came with it, close-on-exec. */
  readonly fd?: number;
}

/** recvmsg(2) of one message of at most `count` bytes, with at most one descriptor. */
export function receivePacket(socket: number, count: number): Packet {
  const data = new Uint8Array(count);
  const vector = new Uint8Array(new BigUint64Array([word(data), BigInt(count)]).buffer);
  // struct cmsghdr and one descriptor, padded: cmsg(3).
  const control = new Uint8Array(24);
  // struct msghdr: name and its length, vector and its length, control and its length, flags.
  const header = new BigUint64Array([0n, 0n, word(vector), 1n, word(control), BigInt(control.length), 0n]);
  const bytes = new Uint8Array(header.buffer);
  for (;;) {
    // The memory that only addresses point to is named here so that it lives until the call is done.
    const result = trySyscall("recvmsg", [socket, bytes, MSG_CMSG_CLOEXEC, data, vector, control]);
    if (result === -ERRNO.EINTR) continue;
    // Who was at the other end has not read what we sent.
    if (result === -ERRNO.ECONNRESET) return { bytes: data.subarray(0, 0) };
    if (result < 0) throw new SyscallError("recvmsg", errnoInfo(-result));
    const view = new DataView(control.buffer);
    const isDescriptor = header[5]! > 0n && view.getInt32(8, true) === SOL_SOCKET &&
      view.getInt32(12, true) === SCM_RIGHTS;
    return { bytes: data.subarray(0, result), ...(isDescriptor && { fd: view.getInt32(16, true) }) };
  }
}
