/**
 * What a compiled executable is made of beside the stub: a contract between three programs of machine code and the file
 * that they lie in. `executable.ts` writes that file.
 *
 * ```
 *   file      ELF header, LOADER, loader_<cpu>.S            mapped at IMAGE_ADDRESS, with all that follows
 *             HEAD, supervisor_<cpu>.S with the stub        copied to TEXT_ADDRESS
 *             the program, packed                           unpacked to DATA_ADDRESS
 *             the plan for `hako explain`                   never read at run time
 * ```
 *
 * The supervisor is the process that a caller starts and waits for:
 *
 * ```
 *   compose argv and the environment, name the cgroup after the pid, look for /dev/null among the streams
 *   all signals by default, and blocked
 *   fork: the child runs HEAD.records by the stub
 *   wait for signals: pass them to the container's process, until that has ended
 *   a step has failed: write its text and the errno's, 125 (126 or 127 for execve(2)) is the exit status
 *   run HEAD.cleanup by the stub, whose last record exits with the status
 * ```
 *
 * @module
 */

import { headerBytes } from "./elf_header.ts";

/** Where the file is mapped, and what lies before the loader. */
export const IMAGE_ADDRESS = 0x200000;
export const ELF_BYTES = headerBytes(2);

/** Of the loader, from IMAGE_ADDRESS on: u64 each. */
export const LOADER = {
  /** Address of HEAD and supervisor in the file, and their length. */
  code: ELF_BYTES,
  code_bytes: ELF_BYTES + 8,
  /** Address of the block of LZ4, and the end of it. */
  packed: ELF_BYTES + 16,
  packed_end: ELF_BYTES + 24,
  /** How much memory to make for both. */
  text_bytes: ELF_BYTES + 32,
  data_bytes: ELF_BYTES + 40,
} as const;
export const LOADER_BYTES = 48;

/** Of the supervisor, from TEXT_ADDRESS on: u64 each. */
export const HEAD = {
  /** Address of the first record of the container, and of the first one behind it. */
  records: 0,
  cleanup: 8,
  /** Address of the pointers to `process.args`, NULL at the end, and how many of them stay when others are given. */
  args: 16,
  kept: 24,
  /** The slot that takes the address of argv. */
  argv: 32,
  /** Address of pointers to `NAME=`, NULL at the end, and where in the environment the pointers to what is found go. */
  pass: 40,
  environment: 48,
  /** Address of the addresses that have eight bytes for the pid, 0 at the end. */
  names: 56,
  /** The slot with the pid of the container's process; 0 if it is the supervisor's own child. */
  forked: 64,
  /** The slot that takes the exit status. */
  status: 72,
  /** Three slots: descriptors 0, 1, 2 where they are the host's /dev/null, -1 where not. */
  nulls: 80,
  /** Address of a string for each errno from 0 on. */
  texts: 104,
  /** Sets of signals: all, those that the supervisor waits for, none. The last is a struct sigaction as well. */
  all: 112,
  signals: 120,
  zeros: 128,
  /** Address of the environment, and the slot that takes it. */
  env: 160,
  envp: 168,
} as const;
export const HEAD_BYTES = 176;

/** The last text is for any errno from here on. */
export const MAX_ERRNO = 134;
