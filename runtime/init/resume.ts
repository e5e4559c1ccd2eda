/**
 * How a snapshot starts: a contract between resume_x86_64.S and the executable that it begins. `runtime/snapshot` says what
 * a snapshot is.
 *
 * ```
 *   keep the places of argv and of the environment, for the records
 *   ask the processor what it can: if that is not what the snapshot was made for, go to HEAD.otherwise
 *   go to the first record. The stub runs it and all others, up to an rt_sigreturn(2), which has the registers, the stack
 *   and the signal mask from HEAD.frame, and does not return
 * ```
 *
 * @module
 */

/** Where the kernel maps HEAD, readable and writable. */
export const RESUME_ADDRESS = 0x800000;

/**
 * What the processor is asked by cpuid, as glibc, V8 and Rust's library ask it before they choose among their functions:
 * leaf and subleaf in eax and ecx, and which bits of ebx tell of features (elsewhere it has the number of the core). The
 * answers in ebx, ecx and edx are compared; eax has the model and the stepping.
 *
 * @see Intel's Software Developer's Manual, volume 2, CPUID
 */
export const LEAVES: readonly { readonly leaf: number; readonly subleaf: number; readonly ebx: number }[] = [
  // SSE, AVX, AES and so on; whether the kernel saves their registers.
  { leaf: 1, subleaf: 0, ebx: 0 },
  { leaf: 7, subleaf: 0, ebx: 0xffff_ffff },
  // How much memory the registers in use need: ld.so saves them there.
  { leaf: 0xd, subleaf: 0, ebx: 0xffff_ffff },
  { leaf: 0x8000_0001, subleaf: 0, ebx: 0 },
];
/** Of one question: three words. Of one answer: three words. */
export const QUESTION_BYTES = 12;
export const ANSWER_BYTES = 12;

/** struct rt_sigframe of the kernel for x86-64, from its struct ucontext on: where its members are. */
export const FRAME = {
  flags: 0,
  stack: 16,
  /** r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags: eight bytes each. */
  registers: 40,
  rax: 40 + 13 * 8,
  /** cs, gs, fs and ss: two bytes each. */
  segments: 40 + 18 * 8,
  mask: 40 + 256,
} as const;
const FRAME_BYTES = FRAME.mask + 8;

/** Of the head, from RESUME_ADDRESS on. */
export const HEAD = {
  /** Slots: the addresses of argv and of the environment, and the two descriptors of a socketpair(2), four bytes each. */
  argv: 0,
  envp: 8,
  pair: 16,
  /** What the register fs is to be: the address of the thread's own memory. */
  tls: 24,
  /** Address of the record for another processor. */
  otherwise: 32,
  questions: 40,
  expected: 40 + QUESTION_BYTES * LEAVES.length,
  found: 40 + (QUESTION_BYTES + ANSWER_BYTES) * LEAVES.length,
  frame: 40 + (QUESTION_BYTES + 2 * ANSWER_BYTES) * LEAVES.length,
} as const;
export const HEAD_BYTES = HEAD.frame + FRAME_BYTES;
