/**
 * Bytes between our standard streams and a container's terminal.
 *
 * @module
 */
import { read } from "../linux/files.ts";
import { isErrno } from "../linux/libc.ts";
import { readable, writeOnThread } from "../linux/streams.ts";

export interface Relay {
  /** Rejects when bytes cannot be copied any more, and not since an end has come. */
  readonly failed: Promise<never>;
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
  const { promise: failed, reject } = Promise.withResolvers<never>();
  // Who has seen the end of the program need not look.
  failed.catch(() => {});
  // Not awaited: it sits in a poll of stdin when all else is over, and ends with us.
  copy(0, master).catch(reject);
  let writing: Promise<unknown> = Promise.resolve();
  const done = copy(master, 1, (write) => writing = write);
  done.catch(reject);
  const quiet = async () => {
    // Until nothing has come for a while.
    while (await readable(master, QUIET_MILLISECONDS)) await writing;
  };
  return { failed, drain: () => Promise.race([done, quiet()]) };
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
