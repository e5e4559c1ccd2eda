// @ts-nocheck: AssemblyScript, which asc checks
/**
 * The instructions of classic BPF that programs are made of. The kernel's emulator, which finds the calls that are
 * always allowed so that they need not run the filter, knows these and no others (seccomp_is_const_allow, Linux 5.11).
 *
 * @see linux/bpf_common.h, linux/filter.h
 */

/** BPF_LD | BPF_W | BPF_ABS: loads a word of seccomp_data into the accumulator, A. */
export const LOAD: u32 = 0x20;
/** BPF_RET | BPF_K */
export const RETURN: u32 = 0x06;
/** BPF_ALU | BPF_AND | BPF_K */
export const AND: u32 = 0x54;
/** BPF_JMP | BPF_JA */
export const JUMP: u32 = 0x05;
/** BPF_JMP | BPF_JEQ | BPF_K: A == k */
export const EQUAL: u32 = 0x15;
/** BPF_JMP | BPF_JGT | BPF_K: A > k, unsigned as all comparisons */
export const GREATER: u32 = 0x25;
/** BPF_JMP | BPF_JGE | BPF_K: A >= k */
export const AT_LEAST: u32 = 0x35;
/** BPF_JMP | BPF_JSET | BPF_K: A & k */
export const ANY_BIT: u32 = 0x45;

/** BPF_MAXINSNS */
export const MAX_INSTRUCTIONS: u32 = 4096;
/** jt and jf have 8 bits. */
export const MAX_DISTANCE: u32 = 255;

/** Offsets in struct seccomp_data. */
export const NUMBER: u32 = 0;
export const ARCHITECTURE: u32 = 4;

export function isTest(code: u32): bool {
  return code == EQUAL || code == GREATER || code == AT_LEAST || code == ANY_BIT;
}
