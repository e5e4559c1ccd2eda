/**
 * Bytes between our standard streams and a container's terminal.
 *
 * @module
 */
import { POLLIN } from "../linux/generated/constants.ts";
import { read } from "../linux/files.ts";
import { isErrno, syscallOnThread } from "../linux/libc.ts";

export interface Relay {
  /**
   * Waits until all that was written to the terminal has been written to stdout. Not until all have closed it: a process
   * that the program left behind may keep it for ever.
   */
  drain(): Promise<void>;
}

const CHUNK_BYTES = 65536;
const QUIET_MILLISECONDS = 50;

/** Copies stdin to the terminal and the terminal to stdout, until the terminal's last user has closed it. */
export function relayTerminal(master: number): Relay {
  // Not awaited: it sits in a poll of stdin when all else is over, and ends with us.
  void copy(0, master);
  let writing: Promise<unknown> = Promise.resolve();
  const done = copy(master, 1, (write) => writing = write);
  const quiet = async () => {
    // Until nothing has come for a while.
    while (await readable(master, QUIET_MILLISECONDS)) await writing;
  };
  return { drain: () => Promise.race([done, quiet()]) };
}

/** @param started is told of every write */
async function copy(from: number, to: number, started?: (write: Promise<boolean>) => void): Promise<void> {
  try {
    while (await readable(from)) {
      const bytes = read(from, CHUNK_BYTES);
      if (bytes.length === 0) return;
      const write = writeOnThread(to, bytes);
      started?.(write);
      if (!await write) return;
    }
  } catch (error) {
    // EIO is how a master says that all its slaves are closed (pty(7)), and how a terminal says that it hung up. The rest
    // is about a stream of ours that nobody reads or writes any more.
    if (!isErrno(error, "EIO", "EPIPE", "EBADF", "EAGAIN")) throw error;
  }
}

/**
 * write(2) of all `bytes`. A program that reads nothing must not keep us from reading what it writes: each would wait for
 * the other.
 *
 * @returns false if nobody takes them any more
 */
async function writeOnThread(fd: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let done = 0; done < bytes.length;) {
    const written = await syscallOnThread("write", [fd, bytes.subarray(done), bytes.length - done]);
    if (written < 0) return false;
    done += written;
  }
  return true;
}

/** poll(2) on another thread, so that signals are served meanwhile. @returns false after `milliseconds` */
async function readable(fd: number, milliseconds?: number): Promise<boolean> {
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
