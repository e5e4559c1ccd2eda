/**
 * The kernel structures that steps point to, member by member, in the order and width of the uapi headers.
 *
 * @module
 */

/** Width in bytes of an integer (1, 2, 4, 8) or of an inline byte array; "pointer" for a byte array's address. */
export type MemberType = number | "pointer";

/** Layouts that are the same on every 64-bit little-endian CPU. Padding is a member named `_`. */
export const STRUCTS = {
  /** linux/openat2.h */
  open_how: { flags: 8, mode: 8, resolve: 8 },
  /** linux/mount.h */
  mount_attr: { attr_set: 8, attr_clr: 8, propagation: 8, userns_fd: 8 },
  /** linux/resource.h: prlimit64(2) */
  rlimit64: { rlim_cur: 8, rlim_max: 8 },
  /** linux/capability.h */
  __user_cap_header_struct: { version: 4, pid: 4 },
  /** Two elements: capget(2) since version 3 takes 64 capabilities as two words of 32. */
  __user_cap_data_struct: {
    effective0: 4,
    permitted0: 4,
    inheritable0: 4,
    effective1: 4,
    permitted1: 4,
    inheritable1: 4,
  },
  /** linux/sched/types.h, SCHED_ATTR_SIZE_VER1 */
  sched_attr: {
    size: 4,
    sched_policy: 4,
    sched_flags: 8,
    sched_nice: 4,
    sched_priority: 4,
    sched_runtime: 8,
    sched_deadline: 8,
    sched_period: 8,
    sched_util_min: 4,
    sched_util_max: 4,
  },
  /** asm-generic/termios.h: ioctl_tty(2) */
  winsize: { ws_row: 2, ws_col: 2, ws_xpixel: 2, ws_ypixel: 2 },
  /** linux/if.h: netdevice(7); the union holds the flags here. */
  ifreq: { ifr_name: 16, ifr_flags: 2, _: 22 },
  /** linux/filter.h: seccomp(2) */
  sock_fprog: { len: 2, _: 6, filter: "pointer" },
  /** linux/sched.h, CLONE_ARGS_SIZE_VER2: clone(2) */
  clone_args: {
    flags: 8,
    pidfd: 8,
    child_tid: 8,
    parent_tid: 8,
    exit_signal: 8,
    stack: 8,
    stack_size: 8,
    tls: 8,
    set_tid: 8,
    set_tid_size: 8,
    cgroup: 8,
  },
  /** An int by reference, as some ioctl(2)s take it. */
  int: { value: 4 },
} as const satisfies Record<string, Record<string, MemberType>>;

export type StructName = keyof typeof STRUCTS;
