/** seccomp(2) @module */
import { SECCOMP_SET_MODE_FILTER } from "./generated/constants.ts";
import { ERRNO } from "./generated/errno.ts";
import { trySyscall } from "./libc.ts";

/** Whether the kernel knows all of these SECCOMP_FILTER_FLAG_*, and takes them together. Nothing is loaded. */
export function knowsFilterFlags(flags: number): boolean {
  // The flags are looked at first, and then the program, which is not there.
  return trySyscall("seccomp", [SECCOMP_SET_MODE_FILTER, flags, 0]) === -ERRNO.EFAULT;
}
