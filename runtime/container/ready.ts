/**
 * What the runtime does at the barrier `ready`, of a container's first process or of a later one.
 *
 * @module
 */
import type { Init } from "../init/init.ts";
import { TIOCGPTN } from "../linux/generated/constants.ts";
import { close, ioctl } from "../linux/files.ts";
import { pidfdGetfd } from "../linux/processes.ts";
import { connectUnix, sendDescriptor } from "../linux/sockets.ts";
import { lacksHome } from "../plan/execute.ts";
import type { Process } from "../spec/config.ts";
import { findExecutable, findHome, openContainerRoot } from "./late_facts.ts";

/**
 * Tells the init where its executable is, and its HOME if nobody else does.
 *
 * @param first the container's first process, for a further one
 */
export function writeLateFacts(process: Process, init: Init, first?: number): void {
  const root = openContainerRoot(init.pid, first);
  try {
    init.writeLate("executable", findExecutable(root, process));
    if (lacksHome(process.env)) init.writeLate("HOME", `HOME=${findHome(root, process)}`);
  } finally {
    close(root);
  }
}

/** @returns the master, once it has shown that it is one: the image may have put something else in its place */
export function takeTerminal(init: Init): number {
  const master = pidfdGetfd(init.pidfd, init.slot("$master"));
  try {
    ioctl(master, TIOCGPTN, new Uint8Array(4));
    return master;
  } catch (error) {
    close(master);
    throw error;
  }
}

/** Sends the master to who asked for it, and keeps it otherwise. */
export function giveTerminal(master: number, socket: string | undefined): number | undefined {
  if (socket === undefined) return master;
  try {
    send(socket, "/dev/ptmx", master);
  } finally {
    close(master);
  }
}

/** Whoever is to take a descriptor may not be there at all, but for its socket. */
const SEND_SECONDS = 10;

/** Sends a descriptor to a Unix socket, as `--console-socket` and `--pidfd-socket` have it. */
export function send(path: string, text: string, fd: number): void {
  const socket = connectUnix(path, SEND_SECONDS);
  try {
    sendDescriptor(socket, text, fd);
  } finally {
    close(socket);
  }
}
