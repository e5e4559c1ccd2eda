/**
 * Bytes between our standard streams and a container's terminal.
 *
 * @module
 */
import { POLLIN } from "../linux/generated/constants.ts";
import { read, write } from "../linux/files.ts";
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
  // Not awaited: it sits in a read of stdin when all else is over, and ends with us.
  void copy(0, master);
  const done = copy(master, 1);
  return { drain: () => Promise.race([done, quiet(master)]) };
}

async function copy(from: number, to: number): Promise<void> {
  try {
    for (;;) {
      await readable(from);
      const bytes = read(from, CHUNK_BYTES);
      if (bytes.length === 0) return;
      write(to, bytes);
    }
  } catch (error) {
    // EIO is how a master says that all its slaves are closed (pty(7)), and how a terminal says that it hung up. The rest
    // is about a stream of ours that nobody reads or writes any more.
    if (!isErrno(error, "EIO", "EPIPE", "EBADF", "EAGAIN")) throw error;
  }
}

/** Until nothing has come for a while. */
async function quiet(fd: number): Promise<void> {
  while (await readable(fd, QUIET_MILLISECONDS));
}

/** poll(2) on another thread, so that signals are served meanwhile. @returns false after `milliseconds` */
async function readable(fd: number, milliseconds?: number): Promise<boolean> {
  const pollfd = new Uint8Array(8);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  const timeout = new BigInt64Array([0n, BigInt(milliseconds ?? 0) * 1_000_000n]);
  const forEver = milliseconds === undefined;
  const result = await syscallOnThread("ppoll", [
    pollfd,
    1,
    forEver ? 0 : new Uint8Array(timeout.buffer),
    0,
    0,
  ]);
  return result !== 0;
}
