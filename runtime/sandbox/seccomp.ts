import type { Seccomp } from "../spec/config.ts";

/** What a program has no use for and what holes in the kernel have been found by: namespaces, mounts, modules, tracing, ... */
const FORBIDDEN = [
  "acct add_key bpf chroot clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen",
  "fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl",
  "lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl",
  "open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace quotactl",
  "quotactl_fd reboot request_key set_mempolicy setdomainname sethostname setns settimeofday swapoff swapon syslog",
  "umount umount2 unshare userfaultfd vhangup vm86 vm86old",
].join(" ").split(" ");

/** CLONE_NEWNS, CLONE_NEWCGROUP, ..., CLONE_NEWNET and CLONE_NEWTIME: clone(2). */
const NAMESPACES = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80];

/** The filter of a sandbox. A list of what is forbidden: it is behind namespaces, a user without rights and cgroups. */
export function sandboxFilter(): Seccomp {
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      { names: FORBIDDEN, action: "SCMP_ACT_ERRNO", errnoRet: 1 },
      // A filter cannot look at its arguments; C libraries fall back to clone(2).
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ...NAMESPACES.map((flag) => ({
        names: ["clone"],
        action: "SCMP_ACT_ERRNO" as const,
        errnoRet: 1,
        args: [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" as const }],
      })),
    ],
  };
}
