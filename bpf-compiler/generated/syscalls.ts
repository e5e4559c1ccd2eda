// Written by bpf-compiler/generate.ts from Linux 7.2.13 uapi headers. Do not edit.
// deno-fmt-ignore-file

/** Every name that some ABI has, by the numbers of x86_64 and then those of the others. */
export const NAMES: string =
  "read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction " +
  "rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access pipe select sched_yield mremap " +
  "msync mincore madvise shmget shmat shmctl dup dup2 pause nanosleep getitimer alarm setitimer getpid " +
  "sendfile socket connect accept sendto recvfrom sendmsg recvmsg shutdown bind listen getsockname " +
  "getpeername socketpair setsockopt getsockopt clone fork vfork execve exit wait4 kill uname semget " +
  "semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl flock fsync fdatasync truncate ftruncate " +
  "getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink readlink chmod fchmod chown " +
  "fchown lchown umask gettimeofday getrlimit getrusage sysinfo times ptrace getuid syslog getgid setuid " +
  "setgid geteuid getegid setpgid getppid getpgrp setsid setreuid setregid getgroups setgroups setresuid " +
  "getresuid setresgid getresgid getpgid setfsuid setfsgid getsid capget capset rt_sigpending " +
  "rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime mknod uselib personality ustat statfs " +
  "fstatfs sysfs getpriority setpriority sched_setparam sched_getparam sched_setscheduler " +
  "sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval mlock munlock " +
  "mlockall munlockall vhangup modify_ldt pivot_root _sysctl prctl arch_prctl adjtimex setrlimit chroot " +
  "sync acct settimeofday mount umount2 swapon swapoff reboot sethostname setdomainname iopl ioperm " +
  "create_module init_module delete_module get_kernel_syms query_module quotactl nfsservctl getpmsg " +
  "putpmsg afs_syscall tuxcall security gettid readahead setxattr lsetxattr fsetxattr getxattr lgetxattr " +
  "fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr tkill time futex " +
  "sched_setaffinity sched_getaffinity set_thread_area io_setup io_destroy io_getevents io_submit " +
  "io_cancel get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old remap_file_pages " +
  "getdents64 set_tid_address restart_syscall semtimedop fadvise64 timer_create timer_settime " +
  "timer_gettime timer_getoverrun timer_delete clock_settime clock_gettime clock_getres clock_nanosleep " +
  "exit_group epoll_wait epoll_ctl tgkill utimes vserver mbind set_mempolicy get_mempolicy mq_open " +
  "mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr kexec_load waitid add_key request_key " +
  "keyctl ioprio_set ioprio_get inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat " +
  "mkdirat mknodat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat " +
  "faccessat pselect6 ppoll unshare set_robust_list get_robust_list splice tee sync_file_range vmsplice " +
  "move_pages utimensat epoll_pwait signalfd timerfd_create eventfd fallocate timerfd_settime " +
  "timerfd_gettime accept4 signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev " +
  "rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at " +
  "open_by_handle_at clock_adjtime syncfs sendmmsg setns getcpu process_vm_readv process_vm_writev kcmp " +
  "finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create kexec_file_load bpf " +
  "execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc " +
  "pkey_free statx io_pgetevents rseq uretprobe uprobe pidfd_send_signal io_uring_setup io_uring_enter " +
  "io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 close_range " +
  "openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd " +
  "landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret process_mrelease " +
  "futex_waitv set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait " +
  "futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal " +
  "setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr listns " +
  "rseq_slice_yield waitpid break oldstat umount stime oldfstat stty gtty nice ftime prof signal lock " +
  "mpx ulimit oldolduname sigaction sgetmask ssetmask sigsuspend sigpending oldlstat readdir profil " +
  "socketcall olduname idle vm86old ipc sigreturn sigprocmask bdflush _llseek _newselect vm86 ugetrlimit " +
  "mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 lchown32 getuid32 getgid32 geteuid32 getegid32 " +
  "setreuid32 setregid32 getgroups32 setgroups32 fchown32 setresuid32 getresuid32 setresgid32 " +
  "getresgid32 chown32 setuid32 setgid32 setfsuid32 setfsgid32 fcntl64 sendfile64 statfs64 fstatfs64 " +
  "fadvise64_64 fstatat64 clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 " +
  "clock_nanosleep_time64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 " +
  "utimensat_time64 pselect6_time64 ppoll_time64 io_pgetevents_time64 recvmmsg_time64 " +
  "mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64 rt_sigtimedwait_time64 futex_time64 " +
  "sched_rr_get_interval_time64 arm_fadvise64_64 pciconfig_iobase pciconfig_read pciconfig_write send " +
  "recv arm_sync_file_range breakpoint cacheflush usr26 usr32 set_tls get_tls riscv_hwprobe " +
  "riscv_flush_icache timerfd s390_runtime_instr s390_pci_mmio_write s390_pci_mmio_read " +
  "s390_guarded_storage s390_sthyi multiplexer swapcontext rtas sys_debug_setcontext spu_run spu_create " +
  "sync_file_range2 subpage_prot switch_endian syscall cachectl sysmips";

/** The kernel in which a call appeared first. What is missing is older than 3.0, or not known. */
export const SINCE: Readonly<Record<string, string>> = {
  "3.0":
    "sendmmsg setns",
  "3.2":
    "process_vm_readv process_vm_writev",
  "3.5":
    "kcmp",
  "3.8":
    "finit_module",
  "3.14":
    "sched_setattr sched_getattr",
  "3.15":
    "renameat2",
  "3.17":
    "seccomp getrandom memfd_create kexec_file_load",
  "3.18":
    "bpf",
  "3.19":
    "execveat",
  "4.3":
    "userfaultfd membarrier",
  "4.4":
    "mlock2",
  "4.5":
    "copy_file_range",
  "4.6":
    "preadv2 pwritev2",
  "4.9":
    "pkey_mprotect pkey_alloc pkey_free",
  "4.11":
    "statx",
  "4.18":
    "io_pgetevents rseq",
  "6.11":
    "uretprobe",
  "6.18":
    "uprobe",
  "5.1":
    "pidfd_send_signal io_uring_setup io_uring_enter io_uring_register clock_gettime64 clock_settime64 " +
    "clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64 timer_settime64 " +
    "timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64 " +
    "io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64 " +
    "rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64",
  "5.2":
    "open_tree move_mount fsopen fsconfig fsmount fspick",
  "5.3":
    "pidfd_open clone3",
  "5.9":
    "close_range",
  "5.6":
    "openat2 pidfd_getfd",
  "5.8":
    "faccessat2",
  "5.10":
    "process_madvise",
  "5.11":
    "epoll_pwait2",
  "5.12":
    "mount_setattr",
  "5.14":
    "quotactl_fd memfd_secret",
  "5.13":
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
  "5.15":
    "process_mrelease",
  "5.16":
    "futex_waitv",
  "5.17":
    "set_mempolicy_home_node",
  "6.5":
    "cachestat",
  "6.6":
    "fchmodat2 map_shadow_stack",
  "6.7":
    "futex_wake futex_wait futex_requeue",
  "6.8":
    "statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules",
  "6.10":
    "mseal",
  "6.13":
    "setxattrat getxattrat listxattrat removexattrat",
  "6.15":
    "open_tree_attr",
  "6.17":
    "file_getattr file_setattr",
  "6.4":
    "riscv_hwprobe",
};

/** The calls of each ABI by number: see encode() in the generator. */
export const CALLS: Readonly<Record<string, string>> = {
  x86_64:
    "*9d 2f,0 *1b",
  x86:
    "0,63 0,-4g 0,-4 0,-1m *3 0,al 0,-8d *2 0,-t 0,k 0,3c 0,-1x 0,-18 0,3 0,83 *1 0,-ak 0,u 0,3h 0,66 " +
    "0,-7w 0,-4 0,7y 0,-81 0,-1t 0,9s 0,-9x 0,2p 0,76 *1 0,-ac 0,ab *1 0,-6h 0,-2t 0,j *2 0,-1h 0,-b 0,25 " +
    "0,86 0,-ao 0,2l 0,-3 0,83 0,-82 *1 0,1i 0,2 0,6e 0,-am 0,1j 0,91 0,-82 0,81 *1 0,-8i 0,1t 0,-q 0,-2w " +
    "0,24 *2 0,80 *2 0,-83 *1 0,81 *1 0,-6k 0,-b 0,-1s *1 0,-3 0,1v 0,-1e *1 0,-2m 0,1s 0,8t 0,-8u 0,18 " +
    "0,w 0,1 0,6l 0,-b3 0,1 0,1s *1 0,d 0,1 0,1a *1 0,7e 0,-7k *1 0,y 0,6j 0,-8j 0,-1u 0,-3 0,-x 0,1 0,-2 " +
    "0,b8 0,-6n 0,-k 0,75 *1 0,-9s 0,2y 0,-1y 0,8p 0,-9g 0,9f 0,-9z 0,36 0,-31 0,2i 0,4 0,-46 0,b8 0,-6q " +
    "*3 0,1 0,-1n 0,-15 0,9a 0,-7q 0,-5 0,1b 0,-1q *1 0,85 0,-9g 0,9f 0,-9m 0,-1c 0,-8 *1 0,2v 0,-1e 0,28 " +
    "0,-8 *3 0,-b *3 0,-3e 0,3d *2 0,-36 0,-b 0,2j *1 0,8c 0,-6q 0,-4s 0,4s 0,-1q *1 0,10 0,-3z 0,-3 *1 " +
    "0,34 *3 0,-36 *1 0,21 0,-e 0,19 *1 0,4 0,-2k 0,3w *1 0,-3h 0,a1 *p 0,-83 0,-3l *1 0,58 0,6c 2,-79 *e " +
    "0,6u 0,-6u *3 0,5 0,-6 *4 0,a 1,9 0,-k *1 0,j 0,-2 0,-h 0,1 0,3 *8 0,61 *1 0,-60 *1 0,5y 0,-5z *1 0,1 " +
    "0,-2 0,1 *7 1,0 *d 0,59 0,-59 *c 0,1 0,-2 0,1 *1 0,t 0,-t 0,-2 0,1 *5 0,1 *j 0,1 *9 0,1 *1 0,-7u 0,b " +
    "0,-5 0,-8 0,7 0,6l 0,-6i 0,-2 0,-4 *1 0,-9 0,1 0,-2 0,1 *1 0,7m *9 0,-4v 0,4u *1 6,-7j 0,1 0,-12 0,1 " +
    "0,-2 0,10 *4 0,ak *b 1,0 *7 0,-3r *1b",
  x32:
    "*d 1,1 2,2 *1 2,2 *n 3,3 *5 2,2 *2 1,1 *14 1,1 *o 3,3 1,1 *1 1,1 *k 1,1 *g 1,1 *1 2,2 1,1 *n 2,2 *1 " +
    "1,1 1,1 *1 2,2 *5 1,1 *c 1,1 *6 1,1 2,2 *o 2,2 *2 2,2 *e 3,3 1,1 *6 1,1 *1 2,2 *9 1,1 *3 2,2 *7 2f,0 " +
    "*1b 14,-ac 0,1 *1 0,2 *1 0,o *2 0,b 0,15 0,p *2 0,1 0,2i 0,l 0,1 *1 0,p *1 0,3 *1 0,f *2 0,1 0,7 0,2 " +
    "*1 0,-76 *1 0,46 0,2 0,34 0,4 *1",
  aarch64:
    "0,5q *1 0,1 *1 0,-3 0,-l *b 0,-3d 0,3o 0,25 *1 0,-1n 0,1b 0,-6y 0,77 0,-65 0,65 0,-15 *1 0,-6o 0,6i " +
    "*1 0,-50 0,55 0,-2 0,4 0,2 0,-2 0,-2 0,-2r 0,-2 0,-b 0,o 0,-18 *1 0,-1r *1 0,5r 0,-h 0,-5a *1 0,27 " +
    "0,-1z 0,4w 0,-9 0,-4o 0,4j 0,-73 0,45 0,3v 0,-37 0,11 0,-5u 0,-9 *1 0,h *1 0,-4 *1 0,7o *1 0,-75 0,6d " +
    "*1 0,h 0,-c 0,-4 *1 0,-a 0,-6 0,-76 0,4c 0,-2h *1 0,5l 0,5 0,2 *1 0,-8 0,-3a 0,-13 *1 0,8 0,-24 0,4q " +
    "0,f 0,-u 0,1h 0,-1z 0,1y *1 0,-6o *1 0,1 0,5r 0,-20 *1 0,19 0,1 *1 0,-3 0,2 *4 0,-3k 0,-3 0,14 0,1 *1 " +
    "0,-3 0,1n *1 0,-51 0,3d *2 0,1y 0,-4e 0,3t 0,x 0,-2w 0,-2 0,-3a *1 0,34 *2 0,-37 0,3h 0,-2 0,s 0,-1k " +
    "0,-9 0,6 0,-9 0,b *3 0,1 *1 0,-o 0,8 0,b 0,2 0,-d 0,2 *1 0,-1i 0,2y *1 0,-23 0,1q 0,-1r 0,-4 0,1p " +
    "0,47 0,-5y 0,1v 0,-6 0,-3d 0,1y 0,-9 0,4 0,-4 0,3 0,25 0,-2g 0,3w *5 0,-4y 0,2 0,-2 0,-2 0,-6 0,1 " +
    "0,49 0,-4c 0,-11 0,1 0,-2 0,10 0,-r 0,b 0,-5 *1 0,-8 0,-2 0,8 *1 0,-9 *1 0,8 *1 0,-8 0,-3 *1 0,3v " +
    "0,-4w 0,-2 0,d 0,66 *2 0,-5f 0,2 0,-1f 0,5v 0,-1j *1 0,-4f 0,f 0,3e *3 0,-3i *1 0,57 0,k 0,1 0,-2 0,h " +
    "0,m 0,h *1 0,-b 0,a g,-6n 0,6o 0,-3 *1 0,1 *3 0,1 0,-2 0,2 *9 0,1 *d 0,-f 3l,g *1b",
  arm:
    "0,63 0,-4g 0,-4 0,-1m *3 1,29 *2 0,-t 0,k 1,1g 0,-18 0,3 2,-2f 0,u 0,3h 1,-1p 0,-4 1,-2 2,-1w 3,-e " +
    "0,ab 1,-6g 0,-2t 0,j *2 0,-1h 0,-b 0,25 1,-2h 0,2l 0,-3 1,2 *1 0,1i 0,2 1,-47 0,1j 1,10 2,-f 0,1t " +
    "0,-q 0,-2w 0,24 *2 0,80 2,-81 *1 0,81 *1 0,-6k 0,-b 1,-1r 0,-3 0,1v 0,-1e *1 1,-t 1,0 0,18 0,w 0,1 " +
    "2,-4f 0,1s *1 0,d 0,1 0,1a *1 1,-5 *1 2,-10 0,-1u 0,-3 0,-x 0,1 0,-2 2,43 2,-2l 0,2y 0,-1y 1,-q 0,9f " +
    "0,-9z 0,36 0,-31 1,2n 0,-46 0,b8 1,-6p *1 1,2 0,-1n 0,-15 0,9a 0,-7q 0,-5 1,-e *1 0,85 0,-9g 0,9f " +
    "0,-9m 0,-1c 0,-8 *1 0,2v 0,-1e 0,28 0,-8 *3 0,-b *3 0,-3e 0,3d *2 0,-36 0,-b 0,2j *1 2,-34 0,4s 0,-1q " +
    "*1 0,10 0,-3z 0,-3 *1 0,34 *3 0,-36 *1 0,21 0,-e 0,19 *1 0,4 0,-2k 2,h 0,a1 *p 0,-6d 0,-1r 0,-3l *1 " +
    "0,bl 2,-79 *e 0,6u 0,-6u *2 0,1 *4 0,k 0,-k *1 0,j 0,-2 0,-h 2,1 0,3 *8 0,61 *1 0,-60 *1 0,6k *3 " +
    "0,-6k *5 0,1 0,-5r 0,7 0,-8 0,7 0,-8 0,7 *2 0,bq 0,-c1 0,c0 0,-c1 0,2 0,5 *1 0,-a *1 0,h 0,-2 0,1 0,2 " +
    "*1 0,-3 0,2 0,-16 0,10 0,-13 0,1 0,60 *2 0,-v 0,f 0,e *4 0,-j 0,1 0,-2 0,i *4 0,59 0,-59 *c 0,5m " +
    "0,-5n 0,1 *1 0,t 0,-t 0,-10 0,x 0,1 *5 0,1 *a 0,-c 0,b *8 0,1 *9 0,1 *b 0,1 0,-2 0,-26 0,1r 1,3n *b " +
    "1,0 *7 0,-3r *m 1,1 *n l25l,2m *5",
  riscv64:
    "0,5q *1 0,1 *1 0,-3 0,-l *b 0,-3d 0,3o 0,25 *1 0,-1n 0,1b 0,-6y 0,77 0,-65 0,65 0,-15 *1 0,-6o 0,6i " +
    "*1 0,-50 0,55 0,-2 0,4 0,2 0,-2 1,-2s 0,-2 0,-b 0,o 0,-18 *1 0,-1r *1 0,5r 0,-h 0,-5a *1 0,27 0,-1z " +
    "0,4w 0,-9 0,-4o 0,4j 0,-73 0,45 0,3v 0,-37 0,11 0,-5u 0,-9 *1 0,h *1 0,-4 *1 0,7o *1 0,-75 0,6d *1 " +
    "0,h 0,-c 0,-4 *1 0,-a 0,-6 0,-76 0,4c 0,-2h *1 0,5l 0,5 0,2 *1 0,-8 0,-3a 0,-13 *1 0,8 0,-24 0,4q 0,f " +
    "0,-u 0,1h 0,-1z 0,1y *1 0,-6o *1 0,1 0,5r 0,-20 *1 0,19 0,1 *1 0,-3 0,2 *4 0,-3k 0,-3 0,14 0,1 *1 " +
    "0,-3 0,1n *1 0,-51 0,3d *2 0,1y 0,-4e 0,3t 0,x 0,-2w 0,-2 0,-3a *1 0,34 *2 0,-37 0,3h 0,-2 0,s 0,-1k " +
    "0,-9 0,6 0,-9 0,b *3 0,1 *1 0,-o 0,8 0,b 0,2 0,-d 0,2 *1 0,-1i 0,2y *1 0,-23 0,1q 0,-1r 0,-4 0,1p " +
    "0,47 0,-5y 0,1v 0,-6 0,-3d 0,1y 0,-9 0,4 0,-4 0,3 0,25 0,-2g 0,3w *5 0,-4y 0,2 0,-2 0,-2 0,-6 0,1 " +
    "0,49 0,-4c 0,-11 0,1 0,-2 0,10 0,-r 0,b 0,-5 *1 0,-8 0,-2 0,8 *1 0,-9 *1 0,8 *1 0,-8 0,-3 *1 0,3v " +
    "0,-4w 0,-2 0,d 0,66 *2 0,-5f 0,2 0,-1f 0,5v 0,-1j *1 0,-4f 0,f 0,3e *3 0,-3i *1 0,57 0,k 0,1 0,-2 0,h " +
    "0,m 0,h *1 0,-b 0,a e,55 *1 0,-bu 0,6o 0,-3 *1 0,1 *3 0,1 0,-2 0,2 *9 0,1 *d 0,-f 3l,g *1b",
  loongarch64:
    "0,5q *1 0,1 *1 0,-3 0,-l *b 0,-3d 0,3o 0,25 *1 0,-1n 0,1b 0,-6y 0,77 0,-65 0,65 0,-15 *1 0,-6o 0,6i " +
    "*1 0,-50 0,55 0,-2 0,4 0,2 0,-2 1,-2s 0,-2 0,-b 0,o 0,-18 *1 0,-1r *1 0,5r 0,-h 0,-5a *1 0,27 0,-1z " +
    "0,4w 0,-9 0,-4o 0,4j 0,-73 0,45 0,3v 0,-37 0,11 0,-5u 0,-9 *1 0,h *1 0,-4 *1 0,7o *1 0,-75 0,6d *1 " +
    "0,h 0,-c 0,-4 *1 0,-a 0,-6 0,-76 0,4c 0,-2h *1 0,5l 0,5 0,2 *1 0,-8 0,-3a 0,-13 *1 0,8 0,-24 0,4q 0,f " +
    "0,-u 0,1h 0,-1z 0,1y *1 0,-6o *1 0,1 0,5r 0,-20 *1 0,19 0,1 *1 0,-3 0,2 *4 0,-3k 0,-3 0,14 0,1 *1 " +
    "0,-3 0,1n *1 0,-51 0,3d *2 0,1y 0,-4e 0,3t 0,x 0,-2w 0,-2 0,-3a *1 0,34 *2 0,-37 0,3h 0,-2 0,s 0,-1k " +
    "0,-9 0,6 0,-9 0,b *3 0,1 *1 0,-o 0,8 0,b 0,2 0,-d 0,2 *1 0,-1i 0,2y *1 2,-22 0,-4 0,1p 0,47 0,-5y " +
    "0,1v 0,-6 0,-3d 0,1y 0,-9 0,4 0,-4 0,3 0,25 0,-2g 0,3w *5 0,-4y 0,2 0,-2 0,-2 0,-6 0,1 0,49 0,-4c " +
    "0,-11 0,1 0,-2 0,10 0,-r 0,b 0,-5 *1 0,-8 0,-2 0,8 *1 0,-9 *1 0,8 *1 0,-8 0,-3 *1 0,3v 0,-4w 0,-2 0,d " +
    "0,66 *2 0,-5f 0,2 0,-1f 0,5v 0,-1j *1 0,-4f 0,f 0,3e *3 0,-3i *1 0,57 0,k 0,1 0,-2 0,h 0,m 0,h *1 " +
    "0,-b 0,a g,-6n 0,6o 0,-3 *1 0,1 *3 0,1 0,-2 0,2 *9 0,1 *d 0,-f 3l,g *1b",
  s390x:
    "1,1o 0,-4 0,-1m *3 0,5z 0,-3r *2 0,-t 0,k 1,1g 0,-18 3,-2b 0,u 0,3h 0,66 3,-80 0,-1t 1,-4 0,2p 2,-34 " +
    "0,ab 1,-6g 0,-2t 0,j *2 0,-1h 0,-b 0,25 1,-2h 2,an 2,-6i 0,2 1,-47 0,1j 1,10 2,-f 0,1t 0,-q 0,-2w " +
    "0,24 *2 0,80 4,2 *1 0,-6k 0,-b 1,-1r 0,-3 0,1v 3,-25 1,0 0,18 0,w 0,1 0,6l 0,-b3 0,1 0,1s *1 0,d 1,1c " +
    "*1 1,-5 *1 1,7i 0,-8j 0,-1u 0,-3 0,-x 0,1 0,-2 1,5q 0,-1o 0,75 1,-9r 0,2y 0,-1y 0,8p 0,-9g 0,9f 0,-9z " +
    "0,36 0,-31 1,2n 0,-46 0,b8 0,-6q *3 0,1 0,-1n 0,-15 0,9a 0,-7q 0,-5 0,1b 3,-2y 0,-1k 0,1d 0,-1c 0,-8 " +
    "*1 0,2v 0,-1e 0,28 0,-8 *3 0,-b *3 0,-3e 0,3d *2 0,-36 0,-b 3,48 0,-4s 0,4s 2,-o 0,-3z 0,-3 *1 0,34 " +
    "*3 0,-36 *1 1,1o 0,19 *1 0,4 0,-2k 0,3w *1 0,-3h 0,12 6,-4 0,7 0,1 0,2 *1 0,4 *3 0,-o 0,n *3 0,-t 0,c " +
    "*1 0,f *1 0,v 0,-3l *1 0,58 1,-v 1,0 *b 0,-e 0,d 0,1 *2 0,t 1,-t *4 0,k 0,-j 0,j 0,-2 0,-f 0,2 *9 " +
    "2,61 *1 0,-6i 0,k 0,1 0,-2 0,1 *6 0,1 *2 0,-4 0,3 *o 0,1 0,-2 0,1 *1 0,t 0,-t 0,-1b 0,1d 0,-6 0,1 " +
    "0,5o 0,-5o 0,-2 0,2 *1 0,1 *1 0,3 0,-2 0,-2 0,-2 0,3 *3 0,1 *6 0,1 0,1 *1 0,4w 0,-4x *7 0,1 0,4n *1 " +
    "0,-4p *2 0,-q 0,7 0,-7f 0,b 0,-5 0,-8 0,7 0,6l 0,-6i 0,-2 0,-4 *1 0,-9 0,1 0,-2 0,1 *1 0,7o *3 0,4i " +
    "0,-4g 0,4f 0,-4t 0,c *1 0,-6 *2 5,-34 0,-4d 0,1 0,-12 0,1 0,-2 0,10 *4 l,7d *1b",
  ppc64:
    "0,63 0,-4g 0,-4 0,-1m *3 0,al 0,-8d *2 0,-t 0,k 0,3c 0,-1x 0,-18 0,3 0,83 *1 0,-ak 0,u 0,3h 0,66 " +
    "0,-7w 0,-4 0,7y 0,-81 0,-1t 0,9s 0,-9x 0,2p 0,76 *1 0,-ac 0,ab *1 0,-6h 0,-2t 0,j *2 0,-1h 0,-b 0,25 " +
    "0,86 0,-ao 0,2l 0,-3 0,83 0,-82 *1 0,1i 0,2 0,6e 0,-am 0,1j 0,91 0,-82 0,81 *1 0,-8i 0,1t 0,-q 0,-2w " +
    "0,24 *2 0,80 *2 0,-83 *1 0,81 *1 0,-6k 0,-b 0,-1s *1 0,-3 0,1v 0,-1e *1 0,-2m 0,1s 0,8t 0,-8u 0,18 " +
    "0,w 0,1 0,6l 0,-b3 0,1 0,1s *1 0,d 0,1 0,1a *1 0,7e 0,-7k *1 0,y 0,6j 0,-8j 0,-1u 0,-3 0,-x 0,1 0,-2 " +
    "0,b8 0,-6n 0,-k 0,75 0,7 0,-9z 0,2y 0,-1y 0,8p 0,-9g 0,9f 0,-9z 0,36 0,-31 0,2i 0,4 0,-46 0,b8 0,-6q " +
    "*3 0,1 0,-1n 0,-15 0,9a 0,-7q 0,-5 0,1b 0,-1q *1 0,85 0,-9g 0,9f 0,-9m 0,-1c 0,-8 *1 0,2v 0,-1e 0,28 " +
    "0,-8 *3 0,-b *3 0,-3e 0,3d *2 0,-36 0,-b 0,2j *1 0,1n 0,-4s 0,4s 0,-1q *1 0,10 0,-3z 0,-3 *1 0,34 *3 " +
    "0,-36 *1 0,21 0,-e 0,19 *1 0,4 0,-2k 0,3w *1 0,-3h 0,a1 0,-6i 6,7y *1 0,-3 0,j 0,-7p 0,-1r 1,-3k 0,-2 " +
    "0,4e 0,d 0,-d *b 0,2 *2 1,-l 1,l *4 0,7 0,2 0,9 0,-k *1 0,j 0,-2 0,-h 0,5 *8 0,7b 0,-79 *1 0,5w *1 " +
    "1,19 *1 1,-6p 0,-k 0,1 0,-2 0,1 *6 0,1 *2 0,-4 0,3 *4 0,6p *1 0,-6d *2 0,2 *1 0,1 0,-m *c 0,4 0,-2 " +
    "0,5 0,t 0,-t 0,-2 0,1 *2 0,5y 0,-5z 0,5y 0,-5z *1 0,1 *5 0,3 0,-4 *2 0,2 *2 0,-7a 0,7 0,-8 0,7 0,-8 " +
    "0,7 *2 0,bq 0,-c1 0,c0 0,-c1 0,2 0,5 *1 0,-a *1 0,6z 0,-c 0,e *5 0,1 *1 0,1 0,-2 0,1 *5 0,1 *1 0,4y " +
    "0,-4z *1 c,0 *3 0,-9 0,b 0,-3 *1 0,-3 0,4 0,-2 3,-36 0,-4d 0,1 0,-12 0,1 0,-2 0,10 *4 l,7d *m 1,1 *n",
  ppc:
    "0,63 0,-4g 0,-4 0,-1m *3 0,al 0,-8d *2 0,-t 0,k 0,3c 0,-1x 0,-18 0,3 0,83 *1 0,-ak 0,u 0,3h 0,66 " +
    "0,-7w 0,-4 0,7y 0,-81 0,-1t 0,9s 0,-9x 0,2p 0,76 *1 0,-ac 0,ab *1 0,-6h 0,-2t 0,j *2 0,-1h 0,-b 0,25 " +
    "0,86 0,-ao 0,2l 0,-3 0,83 0,-82 *1 0,1i 0,2 0,6e 0,-am 0,1j 0,91 0,-82 0,81 *1 0,-8i 0,1t 0,-q 0,-2w " +
    "0,24 *2 0,80 *2 0,-83 *1 0,81 *1 0,-6k 0,-b 0,-1s *1 0,-3 0,1v 0,-1e *1 0,-2m 0,1s 0,8t 0,-8u 0,18 " +
    "0,w 0,1 0,6l 0,-b3 0,1 0,1s *1 0,d 0,1 0,1a *1 0,7e 0,-7k *1 0,y 0,6j 0,-8j 0,-1u 0,-3 0,-x 0,1 0,-2 " +
    "0,b8 0,-6n 0,-k 0,75 0,7 0,-9z 0,2y 0,-1y 0,8p 0,-9g 0,9f 0,-9z 0,36 0,-31 0,2i 0,4 0,-46 0,b8 0,-6q " +
    "*3 0,1 0,-1n 0,-15 0,9a 0,-7q 0,-5 0,1b 0,-1q *1 0,85 0,-9g 0,9f 0,-9m 0,-1c 0,-8 *1 0,2v 0,-1e 0,28 " +
    "0,-8 *3 0,-b *3 0,-3e 0,3d *2 0,-36 0,-b 0,2j *1 0,1n 0,-4s 0,4s 0,-1q *1 0,10 0,-3z 0,-3 *1 0,34 *3 " +
    "0,-36 *1 0,21 0,-e 0,19 *1 0,4 0,-2k 0,3w *1 0,-3h 0,a1 0,-6i 0,6h *5 0,1b *1 0,-3 0,j 0,-7p 0,-1r " +
    "0,82 0,-bn 0,-2 0,4e 0,d 0,-d *b 0,2 *2 1,-l 0,7a 0,-6q *4 0,7 0,2 0,9 0,-k *1 0,j 0,-2 0,-h 0,5 *8 " +
    "0,7b 0,-79 *1 0,5w *2 0,18 *1 1,-6p 0,-k 0,1 0,-2 0,1 *6 0,1 *2 0,-4 0,3 *4 0,6p *1 0,-6d *2 0,2 *1 " +
    "0,1 0,-m *4 0,59 0,-59 *6 0,4 0,-2 0,5 0,t 0,-t 0,-2 0,1 *2 0,5y 0,-5z 0,5y 0,-5z *1 0,1 *5 0,3 0,-4 " +
    "*2 0,2 *2 0,-7a 0,7 0,-8 0,7 0,-8 0,7 *2 0,bq 0,-c1 0,c0 0,-c1 0,2 0,5 *1 0,-a *1 0,6z 0,-c 0,e *5 " +
    "0,1 *1 0,1 0,-2 0,1 *5 0,1 *1 0,4y 0,-4z *1 c,0 *3 0,-9 0,b 0,-3 *1 0,-3 0,4 0,-2 4,-7i 0,1 0,-12 0,1 " +
    "0,-2 0,10 *4 0,ak *b 1,0 *7 0,-3r *m 1,1 *n",
  mips:
    "334,dy 0,-cb 0,-4 0,-1m *3 0,al 0,-8d *2 0,-t 0,k 0,3c 0,-1x 0,-18 0,3 0,83 1,-aj 0,u 0,3h 0,66 0,-7w " +
    "0,-4 0,7y 0,-81 0,-1t 1,-4 0,2p 0,76 *1 0,-ac 0,ab *1 0,-6h 0,-2t 0,j *2 0,-1h 0,-b 0,25 0,86 0,-ao " +
    "0,2l 0,-3 0,83 0,-82 *1 0,1i 0,2 0,6e 0,-am 0,1j 0,91 0,-82 0,81 1,-8h 0,1t 0,-q 0,-2w 0,24 *2 0,80 " +
    "*2 0,-83 *1 0,81 *1 0,-6k 0,-b 0,-1s *1 0,-3 0,1v 0,-1e *1 1,-t 1,0 0,18 0,w 0,1 0,6l 0,-b3 0,1 0,1s " +
    "*1 0,d 0,1 0,1a *1 0,7e 0,-7k *1 0,y 0,6j 0,-8j 0,-1u 0,-3 0,-x 0,1 0,-2 1,4m 0,-k 0,75 0,7 0,-9z " +
    "0,2y 0,-1y 0,8p 0,-9g 0,9f 0,-9z 0,36 0,-31 0,2i 0,4 0,-46 0,b8 0,-6q *3 0,1 0,-1n 0,-15 0,9a 0,-7q " +
    "0,-5 0,1b 0,-1q *1 0,85 0,-9g 0,9f 0,-9m 0,-1c 0,-8 *1 0,cr 0,m *1 1,-al 0,-1e 0,28 0,-8 *3 0,-b *3 " +
    "0,-3e 0,3d *2 0,-36 0,-b 0,h 0,5 0,-8 0,9 0,-2 0,3 0,-6 0,bu 0,-c1 0,1 0,bw 0,-bz 0,-3 0,9 0,-7 0,-8 " +
    "0,b 0,1r *1 0,1n 0,-4s 0,4s 0,-1q *1 0,10 0,-3z 0,-3 *1 0,34 *3 0,-36 *1 0,21 0,-e 0,19 *1 0,4 0,-2k " +
    "0,3w *1 0,6m *5 0,-7k 0,-3l *1 0,58 0,6c 1,-79 *e 0,6u 0,-6u *2 0,1 *4 0,k 0,-k *1 0,j 0,-2 0,-h 0,1 " +
    "*1 0,1 0,6a *1 0,-6c *8 0,3 *1 0,1 0,1 0,-2 0,1 *5 0,-a 0,a 1,0 *2 0,-1a 0,1b *8 0,59 0,-59 *9 0,2 " +
    "0,1 0,-2 0,1 *1 0,-7 *1 0,-t 0,1q 0,-t 0,-v *1 0,r 0,1 0,5o 0,-5o *1 0,-3 0,3 0,-2 0,2 *9 0,-b 0,a *9 " +
    "0,1 *9 0,1 *b 0,1 0,-2 o,-7i 0,1 0,-12 0,1 0,-2 0,10 *4 0,ak *b 1,0 *7 0,-3r *m 1,1 *n",
  mips64:
    "3uw,0 *e 0,1 *6 0,az 0,-az *c 0,1 0,-2 0,1 *i 0,1 *22 0,1 *i 0,1 *2 0,1 *c 0,2 *9 1,2 *e 1,1 *2 0,7n " +
    "0,m *1 0,-8b *4 0,k 0,-k *1 0,j 0,-2 0,-h 0,-5m 0,5m *c 0,3 *1 0,1 0,1 0,-2 0,1 *5 0,-a 0,a 1,0 *2 " +
    "0,-1a 0,1b *j 0,2 0,1 0,-2 0,1 *1 0,-7 *1 0,-t 0,1q 0,-t 0,-v *1 0,r 0,1 0,5o 0,-5o *1 0,-3 0,3 0,-2 " +
    "0,2 *9 0,-b 0,a *9 0,1 *3 0,-2p 0,2o *5 0,1 *b 0,1 0,-2 2n,3 *m 1,1 *n",
  mips64n32:
    "4mo,0 *e 0,1 *6 0,az 0,-az *c 0,1 0,-2 0,1 *i 0,1 *22 0,1 *i 0,1 *2 0,1 *c 0,2 *9 1,2 *e 1,1 *2 0,7n " +
    "0,m *1 0,-8b *4 0,k 0,-k *1 0,j 0,-2 0,-h 0,-5m 0,by 0,-6d *3 0,6a *1 0,-3 0,-6a *8 0,3 *1 0,1 0,1 " +
    "0,-2 0,1 *5 0,-a 0,a 1,0 *2 0,-1a 0,1b *j 0,2 0,1 0,-2 0,1 *1 0,-7 *1 0,-t 0,1q 0,-t 0,-v *1 0,r 0,1 " +
    "0,5o 0,-5o *1 0,-3 0,3 0,-2 0,2 *9 0,-b 0,a 0,-2b 0,2a *8 0,1 *9 0,1 *b 0,1 0,-2 1y,3a *b 1,0 *7 " +
    "0,-3r *m 1,1 *n",
};
