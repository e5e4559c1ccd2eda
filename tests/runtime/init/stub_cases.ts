/**
 * What the stub of every CPU must do, one program each. `stub_test.ts` runs them.
 *
 * Each program begins with {@linkcode prologue}; the numbers below count from the record after it.
 *
 * @module
 */
import { STATUS_ADDRESS } from "../../../runtime/init/record.ts";
import * as c from "../../../runtime/linux/generated/constants.ts";
import type { ErrnoName } from "../../../runtime/linux/generated/errno.ts";
import type { Instruction } from "./stub_program.ts";

/** The status file is this long: slots in its first page, {@linkcode LATE} in its second. */
export const STATUS_BYTES = 8192;
export const LATE_OFFSET = 4096;
export const LATE = "late";

export interface Case {
  readonly name: string;
  readonly program: readonly Instruction[];
  /** Exit code; a name means death by that signal. 0 if absent. */
  readonly exit?: number | Deno.Signal;
  readonly stdout?: string;
  /** status.record at the end */
  readonly last: number;
  /** status.failed and status.errno */
  readonly failed?: readonly [record: number, errno: ErrnoName];
  /** Contents of slots from number 0 on. */
  readonly slots?: readonly bigint[];
  /** Why only the kernel itself can run it. */
  readonly notUnderQemu?: string;
}

/** Maps the status file over the status page, as every plan does first. The first descriptor goes through a slot. */
export function prologue(statusFile: string): Instruction[] {
  return [
    { call: "openat", args: [c.AT_FDCWD, statusFile, c.O_RDWR], save: 0 },
    { call: "dup3", args: [{ slot: 0 }, STATUS_FD, c.O_CLOEXEC] },
    {
      call: "mmap",
      args: [STATUS_ADDRESS, STATUS_BYTES, READ_WRITE, c.MAP_SHARED | c.MAP_FIXED, STATUS_FD, 0],
    },
  ];
}

/** Out of the way of qemu's own. */
const STATUS_FD = 100;
const READ_WRITE = c.PROT_READ | c.PROT_WRITE;
/** Far from everything else of the image. */
const FREE_ADDRESS = 0x10000000;

const QEMU_HAS_NO_SECCOMP = "qemu-user has no seccomp(2)";

function print(text: string, jumps: Partial<Instruction> = {}): Instruction {
  return { call: "write", args: [1, text, text.length], ...jumps };
}

/** Fails with ENOENT. */
function openMissing(rest: Partial<Instruction>): Instruction {
  return { call: "openat", args: [c.AT_FDCWD, "/nonexistent", c.O_PATH], ...rest };
}

/** Installs a filter that answers every call with `action`. */
function refuseAll(action: number): Instruction[] {
  const BPF_RET_K = 0x06;
  const filter = new Uint8Array(8);
  new DataView(filter.buffer).setUint16(0, BPF_RET_K, true);
  new DataView(filter.buffer).setUint32(4, action, true);
  return [
    { call: "prctl", args: [c.PR_SET_NO_NEW_PRIVS, 1] },
    { call: "seccomp", args: [c.SECCOMP_SET_MODE_FILTER, 0, { words: [1, filter] }] },
  ];
}

export const CASES: readonly Case[] = [
  {
    name: "runs records in order and ends at offset 0",
    program: [print("one "), print("two ", { next: 0 }), print("never")],
    stdout: "one two ",
    last: 1,
  },
  {
    name: "ends at offset 0 after a result of 0",
    program: [print("", { zero: 0 }), print("never")],
    last: 0,
  },
  {
    name: "ends with exit code 0 at offset 0 after a tolerated errno",
    program: [openMissing({ errnos: ["ENOENT"], caught: 0 }), print("never")],
    last: 0,
  },
  {
    name: "passes six arguments",
    program: [
      {
        call: "mmap",
        args: [FREE_ADDRESS, 4096, c.PROT_READ, c.MAP_PRIVATE | c.MAP_FIXED, STATUS_FD, LATE_OFFSET],
      },
      { call: "write", args: [1, FREE_ADDRESS, LATE.length], next: 0 },
    ],
    stdout: LATE,
    last: 1,
  },
  {
    name: "keeps a result for later arguments, in the shared file too",
    program: [
      { call: "dup3", args: [1, 77, 0], save: 1 },
      { call: "write", args: [{ slot: 1 }, "seventy-seven", 13], save: 2, next: 0 },
    ],
    stdout: "seventy-seven",
    last: 1,
    slots: [0n, 77n, 13n],
  },
  {
    name: "keeps the negative result of a tolerated step",
    program: [openMissing({ errnos: ["ENOENT"], caught: 1, save: 0 }), print("on", { next: 0 })],
    stdout: "on",
    last: 1,
    slots: [0xffff_ffff_ffff_fffen],
  },
  {
    name: "takes the branch of a tolerated errno",
    program: [
      openMissing({ errnos: ["ENOENT"], caught: 2 }),
      print("then", { next: 0 }),
      print("otherwise", { next: 0 }),
    ],
    stdout: "otherwise",
    last: 2,
  },
  {
    name: "does not take it without an errno",
    program: [
      { call: "openat", args: [c.AT_FDCWD, "/", c.O_PATH], errnos: ["ENOENT"], caught: 2 },
      print("then", { next: 0 }),
      print("otherwise", { next: 0 }),
    ],
    stdout: "then",
    last: 1,
  },
  {
    name: "finds the first of six errnos",
    program: [
      openMissing({ errnos: ["ENOENT", "EPERM", "EACCES", "EBUSY", "EEXIST", "EINVAL"], caught: 1 }),
      print("found", { next: 0 }),
    ],
    stdout: "found",
    last: 1,
  },
  {
    name: "finds the last of six errnos",
    program: [
      openMissing({ errnos: ["EPERM", "EACCES", "EBUSY", "EEXIST", "EINVAL", "ENOENT"], caught: 1 }),
      print("found", { next: 0 }),
    ],
    stdout: "found",
    last: 1,
  },
  {
    name: "fails after six other errnos",
    program: [
      print("before "),
      openMissing({ errnos: ["EPERM", "EACCES", "EBUSY", "EEXIST", "EINVAL", "ENOTDIR"], caught: 1 }),
      print("never"),
    ],
    exit: 1,
    stdout: "before ",
    last: 1,
    failed: [1, "ENOENT"],
  },
  {
    name: "fails after an errno when none is listed",
    program: [print(""), { call: "close", args: [999] }, print("never")],
    exit: 1,
    last: 1,
    failed: [1, "EBADF"],
  },
  {
    name: "tells 0 from a positive result",
    program: [
      print("", { zero: 2, next: 1 }),
      print("positive ", { next: 0 }),
      print("zero ", { zero: 2, next: 1 }),
      print("positive ", { next: 0 }),
      print("never"),
    ],
    stdout: "zero positive ",
    last: 3,
  },
  {
    // /proc/PID/mem is the one file whose offsets, and so whose results of lseek(2), reach up there.
    name: "takes no result below -4095 for an errno",
    program: [
      { call: "openat", args: [c.AT_FDCWD, "/proc/self/mem", c.O_RDONLY], save: 1 },
      { call: "lseek", args: [{ slot: 1 }, -4096, 0], save: 0, zero: 0 },
      print("address", { next: 0 }),
    ],
    stdout: "address",
    last: 2,
    slots: [0xffff_ffff_ffff_f000n],
  },
  {
    name: "skips forward",
    program: [
      print("a", { next: 3 }),
      print("never"),
      print("never"),
      print("b", { next: 2 }),
      print("never"),
      print("c", { next: 0 }),
    ],
    stdout: "abc",
    last: 5,
  },
  {
    name: "ends the parent of a fork and goes on with the child",
    program: [
      { call: "clone", args: [c.SIGCHLD], next: 0, zero: 1 },
      print("child", { next: 0 }),
    ],
    stdout: "child",
    last: 1,
  },
  {
    // `save` cannot do it: the child saves its own result, 0, in the same place of the shared file, as a rule later.
    name: "keeps the child's pid by CLONE_PARENT_SETTID",
    program: [
      { call: "clone", args: [c.SIGCHLD | c.CLONE_PARENT_SETTID, 0, { addressOf: 1 }], next: 0, zero: 1 },
      { call: "getpid", save: 2 },
      // Fails unless both are the same process.
      { call: "tgkill", args: [{ slot: 1 }, { slot: 2 }, 0] },
      print("child", { next: 0 }),
    ],
    stdout: "child",
    last: 3,
  },
  {
    name: "reports a child's failure although its parent ended well",
    program: [
      { call: "clone", args: [c.SIGCHLD], next: 0, zero: 1 },
      openMissing({}),
    ],
    last: 1,
    failed: [1, "ENOENT"],
  },
  {
    name: "names the record that SIGKILL ended",
    program: [
      { call: "getpid", save: 0 },
      { call: "kill", args: [{ slot: 0 }, c.SIGKILL] },
      print("never"),
    ],
    exit: "SIGKILL",
    last: 1,
  },
  {
    name: "names the record that a filter killed",
    program: [...refuseAll(c.SECCOMP_RET_KILL_PROCESS), { call: "getpid" }],
    exit: "SIGSYS",
    last: 2,
    notUnderQemu: QEMU_HAS_NO_SECCOMP,
  },
  {
    name: "reports an errno under a filter that refuses every call, exit_group(2) too",
    program: [...refuseAll(c.SECCOMP_RET_ERRNO | 1), { call: "getpid" }],
    exit: "SIGILL",
    last: 2,
    failed: [2, "EPERM"],
    notUnderQemu: QEMU_HAS_NO_SECCOMP,
  },
  {
    name: "ends in execve(2)",
    program: [
      print("exec "),
      {
        call: "execve",
        args: ["/bin/sh", { words: ["sh", "-c", "echo $WORD", 0] }, { words: ["WORD=done", 0] }],
      },
    ],
    stdout: "exec done\n",
    last: 1,
  },
];
