/**
 * Staying with a container for as long as its program runs: signals go to it, and its terminal is ours.
 *
 * @module
 */
import {
  SIGALRM,
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGIO,
  SIGPWR,
  SIGQUIT,
  SIGTERM,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGUSR1,
  SIGUSR2,
} from "../linux/generated/constants.ts";
import { isErrno } from "../linux/libc.ts";
import type { ExitStatus } from "../linux/processes.ts";
import { copyWindowSize, isTerminal, makeRaw } from "../linux/terminals.ts";
import type { Container } from "./container.ts";
import { relayTerminal } from "./relay.ts";

/**
 * Signals that are passed on. Not those that the kernel sends for our own faults, nor SIGCHLD and SIGPIPE, which are about
 * us; SIGKILL and SIGSTOP cannot be had, and SIGWINCH is the terminal's.
 */
const FORWARDED = {
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGTERM,
  SIGUSR1,
  SIGUSR2,
  SIGALRM,
  SIGCONT,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGIO,
  SIGPWR,
} as const;

/** Starts `container` and waits for its end. */
export async function runInForeground(container: Container): Promise<ExitStatus> {
  const undo: (() => void)[] = [];
  try {
    // Before the program runs: a signal that arrives with its first instruction is for it already.
    for (const [name, signal] of Object.entries(FORWARDED)) {
      undo.push(listen(name as keyof typeof FORWARDED, () => forward(container, signal)));
    }
    const { terminal } = container;
    if (terminal === undefined) {
      container.start();
      return await container.wait();
    }
    if (isTerminal(0)) {
      undo.push(makeRaw(0));
      copyWindowSize(0, terminal);
      undo.push(listen("SIGWINCH", () => copyWindowSize(0, terminal)));
    }
    container.start();
    const relay = relayTerminal(terminal);
    const status = await container.wait();
    // The last bytes are still in the terminal when the program has gone.
    await relay.drained;
    return status;
  } finally {
    undo.toReversed().forEach((action) => action());
  }
}

function listen(signal: Deno.Signal, handler: () => void): () => void {
  Deno.addSignalListener(signal, handler);
  return () => Deno.removeSignalListener(signal, handler);
}

function forward(container: Container, signal: number): void {
  try {
    container.signal(signal);
  } catch (error) {
    // It has just ended, and `wait` is about to say so.
    if (!isErrno(error, "ESRCH")) throw error;
  }
}
