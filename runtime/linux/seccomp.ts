/** Seccomp filters: seccomp(2) @module */
import { SyscallError } from "../errors.ts";
import { PTRACE_SECCOMP_GET_FILTER, SECCOMP_SET_MODE_FILTER } from "./generated/constants.ts";
import { ERRNO } from "./generated/errno.ts";
import { errnoInfo, trySyscall } from "./libc.ts";
import { whileStopped } from "./ptrace.ts";

/** Whether the kernel knows all of these SECCOMP_FILTER_FLAG_*, and takes them together. Nothing is loaded. */
export function knowsFilterFlags(flags: number): boolean {
  // The flags are looked at first, and then the program, which is not there.
  return trySyscall("seccomp", [SECCOMP_SET_MODE_FILTER, flags, 0]) === -ERRNO.EFAULT;
}

/** sizeof(struct sock_filter) */
const INSTRUCTION_BYTES = 8;
/**
 * A filter of a live process, which is stopped for a moment.
 *
 * Needs CAP_SYS_ADMIN, and a kernel with CONFIG_CHECKPOINT_RESTORE.
 *
 * @param index 0 is the one that was loaded last
 * @returns its program, an array of struct sock_filter; undefined if there are no more filters than `index`
 * @throws {SyscallError} ESRCH if there is no such process, EPERM if it is not ours to trace
 */
export function readFilter(pid: number, index: number): Uint8Array<ArrayBuffer> | undefined {
  return whileStopped(pid, () => {
    const read = (buffer: Uint8Array<ArrayBuffer> | 0) =>
      trySyscall("ptrace", [PTRACE_SECCOMP_GET_FILTER, pid, index, buffer]);
    const count = read(0);
    // EINVAL: it has no filter at all.
    if (count === -ERRNO.ENOENT || count === -ERRNO.EINVAL) return undefined;
    const program = new Uint8Array(Math.max(0, count) * INSTRUCTION_BYTES);
    const result = count < 0 ? count : read(program);
    if (result < 0) throw new SyscallError("ptrace", errnoInfo(-result), { path: `/proc/${pid}` });
    return program;
  });
}
