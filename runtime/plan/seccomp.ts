/**
 * linux.seccomp, compiled.
 *
 * @see seccomp(2), seccomp_unotify(2), config-linux.md#seccomp
 * @module
 */
import {
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
  SECCOMP_SET_MODE_FILTER,
} from "../linux/generated/constants.ts";
import { barrier, type Node, type Reason, step } from "./node.ts";

/** A program of classic BPF and how it is to be loaded. */
export interface Filter {
  /** An array of struct sock_filter. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_*, as the config has them. */
  readonly flags: number;
  /** It has calls wait for the answer of a listener: SCMP_ACT_NOTIFY. */
  readonly notifies: boolean;
}

/** sizeof(struct sock_filter) */
const INSTRUCTION_BYTES = 8;

/**
 * Loads the filter: all calls from here on are judged by it, our own included.
 *
 * If it has a listener, that is `$listener`, and the runtime takes it before anything else is done: the next call may
 * already have to be answered. The barrier's own write(2) must not be, so the compiler refuses SCMP_ACT_NOTIFY for it.
 */
export function seccomp(filter: Filter | undefined): Node[] {
  if (filter === undefined) return [];
  const reason: Reason = { label: "load the seccomp filter", pointer: "/linux/seccomp" };
  const { program, notifies } = filter;
  const struct = "sock_fprog";
  const members = { len: program.length / INSTRUCTION_BYTES, filter: program };
  const args = [SECCOMP_SET_MODE_FILTER, loadFlags(filter), { struct, members }] as const;
  if (!notifies) return [step(reason, "seccomp", args)];
  return [
    // Close-on-exec, without being asked for.
    step(reason, "seccomp", args, "$listener"),
    barrier("listener", "the runtime gives the filter's listener to who answers it"),
  ];
}

function loadFlags({ flags, notifies }: Filter): number {
  // Without a listener the kernel has no use for this one and fails with EINVAL. libseccomp leaves it out, too.
  if (!notifies) return flags & ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  // The result cannot be both a descriptor and the thread that TSYNC has failed for: that has to be ESRCH.
  const tsync = flags & SECCOMP_FILTER_FLAG_TSYNC ? SECCOMP_FILTER_FLAG_TSYNC_ESRCH : 0;
  return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER | tsync;
}
