/** Processes: making them, waiting for them, signalling them. @module */
import { SyscallError } from "../errors.ts";
import {
  P_PID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
  SIGCHLD,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from "./generated/constants.ts";
import { denoErrno } from "./deno_error.ts";
import { isReadable } from "./files.ts";
import { ERRNO } from "./generated/errno.ts";
import {
  bind,
  cString,
  errnoInfo,
  libc,
  syscall,
  syscallOnThread,
  trySyscall,
  type Word,
  word,
} from "./libc.ts";

/** A child to be. */
export interface SpawnOptions {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Descriptors of ours that the child has under the number given; all others of ours are close-on-exec. */
  readonly fds: readonly { readonly from: number; readonly to: number }[];
  /** Its working directory: ours if absent. */
  readonly cwd?: string;
}

/** sizeof(posix_spawn_file_actions_t) and sizeof(posix_spawnattr_t) in glibc, on both CPUs, with room to spare. */
const FILE_ACTIONS_BYTES = 128;
const ATTRIBUTES_BYTES = 512;
/** sizeof(sigset_t) */
const SIGSET_BYTES = 128;
/** Those of the kernel, on both CPUs: sizeof(sigset_t) and sizeof(struct sigaction), in which SIG_DFL is 0. */
export const KERNEL_SIGSET_BYTES = 8;
export const KERNEL_ACTION_BYTES = 32;
const SIG_IGN = 1n;

/**
 * posix_spawn(3). The child starts with default signal actions and nothing blocked: Deno ignores SIGPIPE, which exec
 * would pass on.
 *
 * @returns its pid
 */
export function posixSpawn({ path, args, env, fds, cwd }: SpawnOptions): number {
  const actions = new Uint8Array(FILE_ACTIONS_BYTES);
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  const pid = new Int32Array(1);
  const argv = stringArray(args);
  const envp = stringArray(env);
  const call = (name: SpawnFunction, ...args: readonly Word[]) => callSpawn(name, args, path);
  keepDeadChildren();

  call("posix_spawn_file_actions_init", actions);
  call("posix_spawnattr_init", attributes);
  try {
    for (const { from, to } of fds) call("posix_spawn_file_actions_adddup2", actions, from, to);
    if (cwd !== undefined) call("posix_spawn_file_actions_addchdir_np", actions, cString(cwd));
    call("posix_spawnattr_setsigdefault", attributes, new Uint8Array(SIGSET_BYTES).fill(0xff));
    call("posix_spawnattr_setsigmask", attributes, new Uint8Array(SIGSET_BYTES));
    call("posix_spawnattr_setflags", attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    call("posix_spawn", new Uint8Array(pid.buffer), cString(path), actions, attributes, argv, envp);
  } finally {
    call("posix_spawn_file_actions_destroy", actions);
    call("posix_spawnattr_destroy", attributes);
    held = [];
  }
  return pid[0]!;
}

/** Whoever started us may have had SIGCHLD ignored, and then wait(2) knows of no child that is dead. */
function keepDeadChildren(): void {
  const action = new BigUint64Array(KERNEL_ACTION_BYTES / 8);
  syscall("rt_sigaction", [SIGCHLD, 0, new Uint8Array(action.buffer), KERNEL_SIGSET_BYTES]);
  if (action[0] !== SIG_IGN) return;
  syscall("rt_sigaction", [SIGCHLD, new Uint8Array(KERNEL_ACTION_BYTES), 0, KERNEL_SIGSET_BYTES]);
}

type SpawnFunction = Extract<keyof ReturnType<typeof libc>["symbols"], `posix_spawn${string}`>;

/** These functions return the errno. */
function callSpawn(name: SpawnFunction, args: readonly Word[], path: string): void {
  const parameters = args.map(() => "i64" as const);
  const errno = bind(libc().symbols[name]!, { parameters, result: "i32" }).call(...args.map(word));
  if (errno !== 0) throw new SyscallError(name, errnoInfo(errno), { path });
}

/** Strings that an array of pointers points to, until the spawn is done. */
let held: Uint8Array[] = [];

/** A NULL-terminated array of C strings. */
function stringArray(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  const buffers = strings.map(cString);
  held.push(...buffers);
  return new Uint8Array(new BigUint64Array([...buffers.map(word), 0n]).buffer);
}

/** How a process ended. */
export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

/** The status that a shell gives it: the exit code, or 128 and the signal. */
export function shellStatus(status: ExitStatus): number {
  return status.kind === "exited" ? status.code : 128 + status.signal;
}

/** sizeof(siginfo_t) */
const SIGINFO_BYTES = 128;

/** Waits for a child of ours, which is reaped. */
export function wait(pid: number): ExitStatus {
  return exitStatus(waitId(pid, WEXITED))!;
}

/** waitid(2) for one process; a signal does not end the wait. @returns siginfo_t */
export function waitId(pid: number, options: number): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(SIGINFO_BYTES);
  for (;;) {
    const result = trySyscall("waitid", [P_PID, pid, info, options, 0]);
    if (result === 0) return info;
    if (result !== -ERRNO.EINTR) throw new SyscallError("waitid", errnoInfo(-result));
  }
}

/** Whether a child of ours has ended. It is not reaped. */
export function hasEnded(pid: number): boolean {
  const info = new Uint8Array(SIGINFO_BYTES);
  syscall("waitid", [P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT, 0]);
  return exitStatus(info) !== undefined;
}

/** As {@linkcode wait}, without blocking the thread that signals are handled on. */
export async function waitAsync(pid: number): Promise<ExitStatus> {
  // Only wait there: the errno of another thread is lost. Reap here.
  while (await syscallOnThread("waitid", [P_PID, pid, 0, WEXITED | WNOWAIT, 0]) < 0 && !hasEnded(pid));
  return wait(pid);
}

/** siginfo_t: si_code at 8, si_pid at 16, si_status at 24 (waitid(2)). */
function exitStatus(info: Uint8Array<ArrayBuffer>): ExitStatus | undefined {
  const view = new DataView(info.buffer);
  if (view.getInt32(16, true) === 0) return undefined;
  const status = view.getInt32(24, true);
  const CLD_EXITED = 1;
  return view.getInt32(8, true) === CLD_EXITED
    ? { kind: "exited", code: status }
    : { kind: "signaled", signal: status };
}

/** pidfd_open(2) */
export function pidfdOpen(pid: number): number {
  return syscall("pidfd_open", [pid, 0]);
}

/** pidfd_send_signal(2): cannot hit a process that was given the pid meanwhile. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  syscall("pidfd_send_signal", [pidfd, signal, 0, 0]);
}

/** pidfd_getfd(2). @returns a descriptor of ours for the open file that is `fd` in the process */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return syscall("pidfd_getfd", [pidfd, fd, 0]);
}

/** Whether the process of `pidfd` ends within `milliseconds`; 0 to look only. */
export function endsWithin(pidfd: number, milliseconds: number): boolean {
  return isReadable(pidfd, milliseconds);
}

/** What /proc/PID/stat says of a process that is there: proc_pid_stat(5). */
export interface ProcessStat {
  /** Field 2: the file name of its program, of which the kernel keeps 15 bytes. */
  readonly name: string;
  /** "R", "S", "Z", ... */
  readonly state: string;
  /** The pid of its parent; 0 if we cannot see that. */
  readonly parent: number;
  /** It has begun to end, or has ended: PF_EXITING of field 9, in the kernel's include/linux/sched.h. */
  readonly exiting: boolean;
  /** Field 22, in clock ticks since boot. */
  readonly startTime: number;
}

/** @returns undefined if there is no such process */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    // ESRCH: it ended between open(2) and read(2). Any other error is no reason to take a process for dead.
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (denoErrno(error) === ERRNO.ESRCH) return undefined;
    throw error;
  }
  // The name may contain anything, ")" included.
  const end = text.lastIndexOf(")");
  const fields = text.slice(end + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, end),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    exiting: (Number(fields[6]) & 0x4) !== 0,
    startTime: Number(fields[19]),
  };
}
