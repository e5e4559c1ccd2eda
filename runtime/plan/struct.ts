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
  /** linux/bpf.h: union bpf_attr of BPF_PROG_LOAD and of BPF_PROG_ATTACH, as much of it as we set */
  bpf_attr_load: {
    prog_type: 4,
    insn_cnt: 4,
    insns: "pointer",
    license: "pointer",
    log_level: 4,
    log_size: 4,
  },
  bpf_attr_attach: { target_fd: 4, attach_bpf_fd: 4, attach_type: 4, attach_flags: 4 },
  /** linux/prctl.h: PR_SET_MM_MAP */
  prctl_mm_map: {
    start_code: 8,
    end_code: 8,
    start_data: 8,
    end_data: 8,
    start_brk: 8,
    brk: 8,
    start_stack: 8,
    arg_start: 8,
    arg_end: 8,
    env_start: 8,
    env_end: 8,
    auxv: 8,
    auxv_size: 4,
    exe_fd: 4,
  },
  /** linux/loop.h: LOOP_CONFIGURE of loop(4); its names and keys are left empty. */
  loop_config: {
    fd: 4,
    block_size: 4,
    lo_device: 8,
    lo_inode: 8,
    lo_rdevice: 8,
    lo_offset: 8,
    lo_sizelimit: 8,
    lo_number: 4,
    lo_encrypt_type: 4,
    lo_encrypt_key_size: 4,
    lo_flags: 4,
    _: 240,
  },
  /** linux/time_types.h: nanosleep(2) */
  timespec: { tv_sec: 8, tv_nsec: 8 },
  /** An int by reference, as some ioctl(2)s take it. */
  int: { value: 4 },
} as const satisfies Record<string, Record<string, MemberType>>;

export type StructName = keyof typeof STRUCTS;
