/**
 * Staying with a container for as long as its program runs: signals go to it, and its terminal is ours.
 *
 * A runtime that is killed leaves the program running, and `delete --force` removes it.
 *
 * @module
 */
import { StateError } from "../errors.ts";
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
import { messageOf } from "../linux/deno_error.ts";
import { isErrno } from "../linux/libc.ts";
import type { ExitStatus } from "../linux/processes.ts";
import { copyWindowSize, isTerminal, makeRaw } from "../linux/terminals.ts";
import { log } from "../log.ts";
import { relayTerminal } from "./relay.ts";

/**
 * Signals that are passed on. Not those that the kernel sends for our own faults, nor SIGCHLD and SIGPIPE, which are about
 * us; SIGKILL and SIGSTOP cannot be had, and SIGWINCH is the terminal's.
 */
export const FORWARDED = {
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

/** The first process of a container, or a later one, before it is started. */
export interface Startable {
  readonly terminal: number | undefined;
  start(): void;
  signal(signal: number): void;
  wait(): Promise<ExitStatus>;
}

/** Our caller's attention, for one process. */
export interface Foreground {
  /** Starts a process and waits for its end. */
  run(process: Startable): Promise<ExitStatus>;
}

/**
 * Catches the signals that are for the program, from now until we exit. One that came while the container is made or
 * deleted would stop that half-way; it waits for the program, or is lost with it.
 */
export function takeForeground(): Foreground {
  let send: ((signal: number) => void) | undefined;
  const early: number[] = [];
  for (const [name, signal] of Object.entries(FORWARDED)) {
    Deno.addSignalListener(name as keyof typeof FORWARDED, () => {
      if (send === undefined) early.push(signal);
      else send(signal);
    });
  }
  return {
    run: (process) =>
      runOnStreams(process, () => {
        send = (signal) => forward(process, signal);
        early.forEach(send);
      }),
  };
}

async function runOnStreams(process: Startable, started: () => void): Promise<ExitStatus> {
  const undo: (() => void)[] = [];
  try {
    const { terminal } = process;
    if (terminal === undefined) {
      process.start();
      started();
      return await process.wait();
    }
    if (isTerminal(0)) {
      undo.push(makeRaw(0));
      copyWindowSize(0, terminal);
      undo.push(listen("SIGWINCH", () => orWarn("pass on its size", () => copyWindowSize(0, terminal))));
    }
    process.start();
    started();
    const relay = relayTerminal(terminal);
    const status = await Promise.race([process.wait(), relay.failed]);
    // The last bytes are still in the terminal when the program has gone.
    await relay.drain();
    return status;
  } finally {
    undo.toReversed().forEach((action) => action());
  }
}

function listen(signal: Deno.Signal, handler: () => void): () => void {
  Deno.addSignalListener(signal, handler);
  return () => Deno.removeSignalListener(signal, handler);
}

function forward(process: Startable, signal: number): void {
  orWarn(`pass on signal ${signal}`, () => {
    try {
      process.signal(signal);
    } catch (error) {
      // It has just ended, and `wait` is about to say so.
      if (!isErrno(error, "ESRCH") && !(error instanceof StateError)) throw error;
    }
  });
}

/** For listeners: nobody catches what is thrown there, which would be the end of us, and not of the program. */
function orWarn(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    log.warn(`cannot ${what}: ${messageOf(error)}`);
  }
}
