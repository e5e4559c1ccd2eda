/**
 * What the status page says of an init that has ended.
 *
 * @module
 */
import { askedFor, StateError, SyscallError } from "../errors.ts";
import { close, isReadable, read, write } from "../linux/files.ts";
import { errnoInfo, isErrno } from "../linux/libc.ts";
import { endsWithin, readStat } from "../linux/processes.ts";
import { connectUnix } from "../linux/sockets.ts";
import { briefCall } from "../plan/brief.ts";
import type { SlotName, Step } from "../plan/node.ts";
import type { Program } from "./encode.ts";
import { DATA_ADDRESS, RECORD_BYTES, STATUS } from "./record.ts";

/** What the first page holds, addresses turned to indexes of records. */
export interface Report {
  /** The record that ran last. */
  readonly record: number;
  /** The record that failed, and why. */
  readonly failed?: { readonly record: number; readonly errno: number };
}

export function readReport(page: Uint8Array<ArrayBuffer>): Report {
  const view = new DataView(page.buffer);
  const word = (offset: number) => Number(view.getBigUint64(offset, true));
  const recordAt = (address: number) => (address - DATA_ADDRESS) / RECORD_BYTES;
  const failed = word(STATUS.failed);
  return {
    record: recordAt(word(STATUS.record)),
    ...(failed !== 0 && { failed: { record: recordAt(failed), errno: word(STATUS.errno) } }),
  };
}

/** The result of a step that the init of `program` has run; 0 if it has not. */
export function readSlot(
  page: Uint8Array<ArrayBuffer>,
  { slots }: Pick<Program, "slots">,
  name: SlotName,
): number {
  const offset = slots.get(name);
  return offset === undefined ? 0 : Number(new DataView(page.buffer).getBigInt64(offset, true));
}

/** Whether the init has become the program: its last record, execve(2), ran and did not fail. See {@linkcode diedInExecve}. */
export function hasExecuted({ record, failed }: Report, records: number): boolean {
  return failed === undefined && record === records - 1;
}

/**
 * Whether an init whose connection has ended was killed in execve(2): by a seccomp filter, for want of memory. The page
 * says the same of one that has become the program.
 *
 * execve(2) gives a process its new name just behind the end of the connection, and does not let it die before. So one that
 * dies with the name of the init has not got to its program. It keeps the name until it is reaped: then nobody can tell.
 *
 * @param name what {@linkcode readStat} says of the init before
 * @see begin_new_exec() in the kernel's fs/exec.c
 */
export function diedInExecve(pid: number, name: string): boolean {
  const stat = readStat(pid);
  // The kernel reads the name first: that of one whose program has run meanwhile is another one by now.
  return stat !== undefined && stat.exiting && stat.name === name && readStat(pid)?.name === name;
}

/** Why an init did not become the program: the step that failed, or that it met its `fate` in. */
export function failure(
  id: string,
  { record, failed }: Report,
  { steps }: Pick<Program, "steps">,
  fate = "was killed",
): SyscallError | StateError {
  const step: Step = steps[failed?.record ?? record] ?? steps[0]!;
  const { call, label, pointer } = step;
  const detail = briefCall(step);
  return failed === undefined
    ? new StateError(id, `${label}: ${detail}: the init ${fate}${askedFor(pointer)}`)
    : new SyscallError(call, errnoInfo(failed.errno), { label, detail, pointer });
}

/** Lets an init that waits at a barrier go on. One that was killed there does not hear it. */
export function tell(socket: number): void {
  try {
    write(socket, new Uint8Array(1));
  } catch (error) {
    if (!isErrno(error, "EPIPE", "ECONNRESET")) throw error;
  }
}

/** How long an init is waited for until it is looked at, and again. */
const LOOK_MILLISECONDS = 1000;

/**
 * The next byte from the init, undefined at the end of the connection: ECONNRESET if the init has never accepted it.
 *
 * @param look is called now and then, if it takes long, and may throw
 */
export function hear(socket: number, look?: () => void): number | undefined {
  while (look !== undefined && !isReadable(socket, LOOK_MILLISECONDS)) look();
  try {
    return read(socket, 1)[0];
  } catch (error) {
    if (!isErrno(error, "ECONNRESET")) throw error;
  }
}

/**
 * Waits until the init whose runtime has died has ended too: at its next barrier, which is not `start`.
 *
 * @returns false if it has not within `milliseconds`
 */
export function waitForEnd(directory: string, milliseconds: number): boolean {
  let socket: number;
  try {
    socket = connectUnix(`${directory}/socket`);
  } catch (error) {
    // Nobody listens any more, or has ever.
    if (isErrno(error, "ECONNREFUSED", "ENOENT")) return true;
    throw error;
  }
  try {
    // Only the kernel answers, when it closes the init's side.
    return endsWithin(socket, milliseconds);
  } finally {
    close(socket);
  }
}

/** Lets the init that waits at the barrier `start` go on, and waits until it has become the program, or has ended. */
export function release(directory: string, atListener?: () => void): void {
  const socket = connectUnix(`${directory}/socket`);
  try {
    awaitExecution(socket, atListener);
  } finally {
    close(socket);
  }
}

/**
 * Waits for the end of the connection: execve(2) closes it, or the init is gone.
 *
 * @param atListener what to do at the barrier `listener`, the only one that may still come
 * @param look as {@linkcode hear} has it
 */
export function awaitExecution(
  socket: number,
  atListener: () => void = () => {},
  look?: () => void,
): void {
  while (hear(socket, look) !== undefined) {
    atListener();
    tell(socket);
  }
}
