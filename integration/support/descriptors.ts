/** The other end of a socket that Hako sends a descriptor to. @module */
import { MSG_CMSG_CLOEXEC } from "../../runtime/linux/generated/constants.ts";
import { syscall, word } from "../../runtime/linux/libc.ts";

/** recvmsg(2) of a text with one descriptor. */
export function receiveDescriptor(connection: number): { readonly text: string; readonly fd: number } {
  const data = new Uint8Array(65536);
  const vector = words(word(data), data.length);
  const control = new Uint8Array(24);
  const header = words(0, 0, word(vector), 1, word(control), control.length, 0);
  const count = syscall("recvmsg", [connection, header, MSG_CMSG_CLOEXEC, data, vector, control]);
  const fd = new DataView(control.buffer).getInt32(16, true);
  return { text: new TextDecoder().decode(data.subarray(0, count)), fd };
}

function words(...values: (number | bigint)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array(values.map(BigInt)).buffer);
}
