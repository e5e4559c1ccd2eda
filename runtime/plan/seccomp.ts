/**
 * linux.seccomp, compiled.
 *
 * @see seccomp(2), config-linux.md#seccomp
 * @module
 */
import { SECCOMP_SET_MODE_FILTER } from "../linux/generated/constants.ts";
import { type Node, type Reason, step } from "./node.ts";

/** A program of classic BPF and how it is to be loaded. */
export interface Filter {
  /** An array of struct sock_filter. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  readonly flags: number;
}

/** sizeof(struct sock_filter) */
const INSTRUCTION_BYTES = 8;

/** Loads the filter: all calls from here on are judged by it, our own included. */
export function seccomp(filter: Filter | undefined): Node[] {
  if (filter === undefined) return [];
  const reason: Reason = { label: "load the seccomp filter", pointer: "/linux/seccomp" };
  const { program, flags } = filter;
  return [
    step(reason, "seccomp", [SECCOMP_SET_MODE_FILTER, flags, {
      struct: "sock_fprog",
      members: { len: program.length / INSTRUCTION_BYTES, filter: program },
    }]),
  ];
}
