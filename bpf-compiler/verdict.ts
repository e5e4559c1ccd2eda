/**
 * What a filter returns: an action in the upper half, its datum in the lower.
 *
 * @see seccomp(2), linux/seccomp.h
 * @module
 */

import type { Action } from "./policy.ts";

const SECCOMP_RET_DATA = 0xffff;

/** SECCOMP_RET_*. */
export const RETURNS: Readonly<Record<Action, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

export const ALLOW: number = RETURNS.SCMP_ACT_ALLOW;

/** For a call whose ABI the filter does not know: libseccomp's SCMP_FLTATR_ACT_BADARCH, which no runtime changes. */
export const BAD_ARCHITECTURE: number = RETURNS.SCMP_ACT_KILL_THREAD;

const EPERM = 1;
const ENOSYS = 38;
export const UNKNOWN_CALL: number = RETURNS.SCMP_ACT_ERRNO | ENOSYS;

export const takesErrno = (action: Action): boolean =>
  action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";

/** An errno where none belongs is ignored, as by runc. */
export function verdictOf(action: Action, errno: number = EPERM): number {
  return takesErrno(action) ? (RETURNS[action] | errno) >>> 0 : RETURNS[action];
}

/** How much a verdict allows, as the kernel orders those of several filters: KILL_PROCESS is negative, ALLOW highest. */
export const permissiveness = (verdict: number): number => verdict | 0;

/** "ERRNO(38)" */
export function verdictText(verdict: number): string {
  const action = (verdict & ~SECCOMP_RET_DATA) >>> 0;
  const name = (Object.keys(RETURNS) as Action[]).findLast((name) => RETURNS[name] === action);
  // The kernel treats what it does not know as KILL_PROCESS.
  if (name === undefined) return `0x${verdict.toString(16)}`;
  const short = name.slice("SCMP_ACT_".length);
  return takesErrno(name) ? `${short}(${verdict & SECCOMP_RET_DATA})` : short;
}
