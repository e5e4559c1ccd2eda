/** Looking into another process. @see ptrace(2), kcmp(2) @module */
import {
  __WALL,
  KCMP_FILE,
  PTRACE_CONT,
  PTRACE_DETACH,
  PTRACE_GETREGSET,
  PTRACE_INTERRUPT,
  PTRACE_O_TRACEEXIT,
  PTRACE_SEIZE,
  SIGCONT,
  SIGSTOP,
  SIGTRAP,
  WEXITED,
  WUNTRACED,
} from "./generated/constants.ts";
import { address, syscall, trySyscall } from "./libc.ts";
import { waitId } from "./processes.ts";

const STOPPED = WUNTRACED | WEXITED | __WALL;
/** siginfo_t.si_status */
const SI_STATUS = 24;
/** linux/ptrace.h */
const PTRACE_EVENT_EXIT = 6;
/** linux/elf.h */
const NT_PRSTATUS = 1;

/**
 * Does `action` while `pid`, a thread, stands still, in a system call if it was in one.
 *
 * @throws {SyscallError} ESRCH if there is no such process, EPERM if it is not ours to trace
 */
export function whileStopped<T>(pid: number, action: () => T): T {
  const path = `/proc/${pid}`;
  syscall("ptrace", [PTRACE_SEIZE, pid, 0, 0], { path });
  try {
    syscall("ptrace", [PTRACE_INTERRUPT, pid, 0, 0], { path });
    waitId(pid, STOPPED);
    return action();
  } finally {
    trySyscall("ptrace", [PTRACE_DETACH, pid, 0, 0]);
  }
}

/** As struct user_regs_struct of x86-64 has them. */
const REGISTERS = [
  ...["r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"],
  ...["orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"],
] as const;
export type Registers = Readonly<Record<typeof REGISTERS[number], bigint>>;

/** The general registers of a thread that is stopped. */
export function readRegisters(tid: number): Registers {
  const values = new BigUint64Array(REGISTERS.length);
  const iovec = new BigUint64Array([address(new Uint8Array(values.buffer)), BigInt(values.byteLength)]);
  syscall("ptrace", [PTRACE_GETREGSET, tid, NT_PRSTATUS, new Uint8Array(iovec.buffer)]);
  return Object.fromEntries(REGISTERS.map((name, index) => [name, values[index]!])) as Registers;
}

/**
 * Lets `pid`, a child of ours that stops itself (SIGSTOP) or has done so, run until it is about to end, and does `action`
 * then.
 */
export function beforeExit<T>(pid: number, action: () => T): T {
  syscall("ptrace", [PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT]);
  try {
    syscall("kill", [pid, SIGCONT]);
    // Other stops are those of signals, which it gets but for its own SIGSTOP: abort(3) tries for ever to end by one.
    for (;;) {
      const status = new DataView(waitId(pid, STOPPED).buffer).getInt32(SI_STATUS, true);
      if (status === (SIGTRAP | PTRACE_EVENT_EXIT << 8)) return action();
      syscall("ptrace", [PTRACE_CONT, pid, 0, status < 0x80 && status !== SIGSTOP ? status : 0]);
    }
  } finally {
    trySyscall("ptrace", [PTRACE_DETACH, pid, 0, 0]);
  }
}

/** Whether two descriptors of a process are one open file. */
export function isSameFile(pid: number, first: number, second: number): boolean {
  return syscall("kcmp", [pid, pid, KCMP_FILE, first, second]) === 0;
}
