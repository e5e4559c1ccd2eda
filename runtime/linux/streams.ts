/** Reading and writing on other threads, so that signals and promises are served meanwhile. @module */
import { POLLIN } from "./generated/constants.ts";
import { syscallOnThread } from "./libc.ts";

/**
 * write(2) of all `bytes`. A program that reads nothing must not keep us from reading what it writes: each would wait for
 * the other.
 *
 * @returns false if nobody takes them any more
 */
export async function writeOnThread(fd: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let done = 0; done < bytes.length;) {
    const written = await syscallOnThread("write", [fd, bytes.subarray(done), bytes.length - done]);
    if (written < 0) return false;
    done += written;
  }
  return true;
}

/** poll(2) on another thread, so that signals are served meanwhile. @returns false after `milliseconds` */
export async function readable(fd: number, milliseconds?: number): Promise<boolean> {
  const pollfd = new Uint8Array(8);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  // The kernel leaves in it what remains.
  const timeout = new BigInt64Array([0n, BigInt(milliseconds ?? 0) * 1_000_000n]);
  const limit = milliseconds === undefined ? 0 : new Uint8Array(timeout.buffer);
  for (;;) {
    const result = await syscallOnThread("ppoll", [pollfd, 1, limit, 0, 0]);
    // EINTR: any thread may be the one that takes a signal. There is nothing to read yet, and a read(2) would stop us all.
    if (result >= 0) return result > 0;
  }
}
