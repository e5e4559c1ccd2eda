/**
 * Writes `generated/` from the kernel's and glibc's headers: system call numbers, errnos, constants and their names.
 *
 * `deno task gen` writes, `deno task gen --check` compares and exits with 1 on a difference. Needs gcc,
 * aarch64-linux-gnu-gcc, linux-libc-dev, linux-libc-dev-arm64-cross and libc6-dev-arm64-cross.
 *
 * No header is parsed for values: the compiler is asked, as the kernel's own asm-offsets does, so expressions, enums and
 * `sizeof` come out right for a CPU that is not ours.
 *
 * @module
 */

type Cpu = "x86_64" | "aarch64";
const COMPILERS: Readonly<Record<Cpu, string>> = { x86_64: "gcc", aarch64: "aarch64-linux-gnu-gcc" };

/** Two translation units: the kernel's sigset_t, termios and mount flags cannot be included beside glibc's. */
const HEADERS = {
  kernel: [
    "asm/ioctls.h",
    "asm/poll.h",
    "asm/signal.h",
    "asm/termbits.h",
    "asm/unistd.h",
    "linux/bpf.h",
    "linux/capability.h",
    "linux/close_range.h",
    "linux/errno.h",
    "linux/fcntl.h",
    "linux/fs.h",
    "linux/if_addr.h",
    "linux/if_link.h",
    "linux/ioprio.h",
    "linux/kcmp.h",
    "linux/keyctl.h",
    "linux/loop.h",
    "linux/magic.h",
    "linux/memfd.h",
    "linux/mempolicy.h",
    "linux/mman.h",
    "linux/mount.h",
    "linux/netlink.h",
    "linux/nsfs.h",
    "linux/openat2.h",
    "linux/personality.h",
    "linux/prctl.h",
    "linux/ptrace.h",
    "linux/resource.h",
    "linux/rtnetlink.h",
    "linux/sched.h",
    "linux/seccomp.h",
    "linux/serial.h",
    "linux/sockios.h",
    "linux/stat.h",
    "linux/version.h",
    "linux/wait.h",
  ],
  libc: [
    "linux/if.h",
    "sched.h",
    "signal.h",
    "spawn.h",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/mount.h",
    "sys/socket.h",
  ],
} as const;
type Unit = keyof typeof HEADERS;

/** The calls that the init, the runtime and its tests may make. */
const SYSCALL_LIST = `
  accept4 access add_key arch_prctl bind bpf brk capget capset chdir chmod chown chroot clock_getres clock_gettime
  clock_nanosleep clone clone3 close close_range connect copy_file_range dup dup2 dup3 epoll_create1
  epoll_ctl epoll_pwait eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate
  fchdir fchmod fchmodat fchown fchownat fcntl fgetxattr flock fork fsconfig fsetxattr fsmount fsopen
  fspick fstat fstatfs fsync ftruncate futex get_robust_list getcpu getcwd getdents64 getegid geteuid getgid getgroups getpgid
  getpid getppid getpriority getrandom getresgid getresuid getsid getsockopt gettid gettimeofday getuid getxattr
  inotify_add_watch inotify_init1 ioctl ioprio_get ioprio_set kcmp keyctl kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown link linkat listen lseek lsetxattr madvise mbind
  memfd_create mincore mkdir mkdirat mknod mknodat mlock mlockall mmap mount mount_setattr move_mount
  mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msync munmap
  name_to_handle_at nanosleep newfstatat open open_by_handle_at open_tree openat openat2 pause personality
  pidfd_getfd pidfd_open pidfd_send_signal pipe2 pivot_root poll ppoll prctl pread64 prlimit64
  process_vm_readv process_vm_writev pselect6 ptrace pwrite64 quotactl read readlink readlinkat readv
  recvfrom recvmsg removexattr rename renameat2 request_key rmdir rt_sigaction rt_sigprocmask rt_sigreturn
  rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp sendfile sendmsg
  sendto set_mempolicy set_mempolicy_home_node set_robust_list set_tid_address setdomainname setfsgid
  setfsuid setgid setgroups sethostname setns setpgid setpriority setregid setresgid setresuid setreuid
  setrlimit setsid setsockopt settimeofday setuid setxattr shutdown sigaltstack signalfd4 socket socketpair splice stat
  statfs statx symlink symlinkat sync syncfs sysinfo syslog tgkill time timerfd_create timerfd_settime tkill
  truncate umask umount2 uname unlink unlinkat unshare utimensat vfork wait4 waitid write writev`.trim()
  .split(/\s+/);

/** One heading of constants.ts. */
interface Group {
  readonly names: RegExp;
  /** 8, 10 or 16, as the header and the manual write them. */
  readonly radix: number;
  readonly unit?: Unit;
}

const GROUPS: Readonly<Record<string, Group>> = {
  "mount(2)": {
    names:
      /^MS_(?!ASYNC|INVALIDATE|SYNC$|MGC_MSK|RMT_MASK|VERBOSE|KERNMOUNT|SUBMOUNT|NOREMOTELOCK|NOSEC|BORN|ACTIVE|NOUSER)/,
    radix: 16,
  },
  "msync(2)": { names: /^MS_(ASYNC|INVALIDATE|SYNC)$/, radix: 10 },
  "umount2(2)": { names: /^(MNT_(FORCE|DETACH|EXPIRE)|UMOUNT_NOFOLLOW)$/, radix: 10, unit: "libc" },
  "mount_setattr(2)": { names: /^MOUNT_ATTR_(?!SIZE)/, radix: 16 },
  "open_tree(2), move_mount(2)": { names: /^(OPEN_TREE|MOVE_MOUNT)_(?!_MASK)/, radix: 16 },
  "fsopen(2), fsmount(2), fspick(2)": { names: /^(FSOPEN|FSMOUNT|FSPICK)_/, radix: 16 },
  "fsconfig(2)": { names: /^FSCONFIG_/, radix: 10 },
  "open(2)": { names: /^O_(?!NDELAY)/, radix: 8 },
  "openat2(2)": { names: /^RESOLVE_/, radix: 16 },
  "The *at(2) calls": { names: /^AT_(?!STATX_SYNC_TYPE)/, radix: 16 },
  "inode(7)": { names: /^S_I/, radix: 8 },
  "statx(2)": { names: /^STATX_(?!_)/, radix: 16 },
  "rename(2)": { names: /^RENAME_/, radix: 10 },
  "fcntl(2), flock(2)": {
    names:
      /^(F_(DUPFD(_CLOEXEC)?|[GS]ETF[DL]|(OFD_)?(GETLK|SETLKW?)|(RD|WR|UN)LCK|ADD_SEALS|GET_SEALS|SEAL_\w+)|FD_CLOEXEC|LOCK_(SH|EX|NB|UN))$/,
    radix: 10,
  },
  "netlink(7), rtnetlink(7)": {
    names:
      /^(NETLINK_ROUTE|NLM_F_(REQUEST|ACK|DUMP|CREATE|EXCL)|NLMSG_(ERROR|DONE)|RTM_(NEW|GET)(LINK|ADDR)|IFLA_(IFNAME|NET_NS_FD)|IFA_(ADDRESS|LOCAL|BROADCAST|FLAGS)|IFA_F_PERMANENT|RT_SCOPE_UNIVERSE)$/,
    radix: 10,
  },
  "memfd_create(2)": { names: /^MFD_(?!HUGE_)/, radix: 16 },
  "close_range(2)": { names: /^CLOSE_RANGE_/, radix: 16 },
  "clone(2), unshare(2), setns(2)": { names: /^(CLONE_(?!ARGS)|CSIGNAL$)/, radix: 16 },
  "waitid(2), wait4(2)": {
    names: /^(P_(ALL|PID|PGID|PIDFD)|W(NOHANG|UNTRACED|STOPPED|EXITED|CONTINUED|NOWAIT)|__W(ALL|CLONE))$/,
    radix: 16,
  },
  "prctl(2)": {
    names:
      /^PR_([GS]ET_(CHILD_SUBREAPER|DUMPABLE|KEEPCAPS|NAME|NO_NEW_PRIVS|PDEATHSIG|SECCOMP|SECUREBITS|THP_DISABLE)|SET_MM(_EXE_FILE|_MAP)?|CAPBSET_\w+|CAP_AMBIENT\w*)$/,
    radix: 10,
  },
  "ptrace(2)": {
    names: /^PTRACE_(SEIZE|INTERRUPT|DETACH|GETREGSET|CONT|O_TRACEEXIT|SECCOMP_GET_FILTER)$/,
    radix: 16,
  },
  "capabilities(7)": { names: /^CAP_(?!LAST|OPT|TO_|VALID)/, radix: 10 },
  "capset(2)": { names: /^_LINUX_CAPABILITY_VERSION_3$/, radix: 16 },
  "keyctl(2)": { names: /^(KEYCTL_(?!CAPS|MOVE_EXCL|PKEY|SUPPORTS|KDF)|KEY_SPEC_)/, radix: 10 },
  "setrlimit(2)": { names: /^RLIMIT_/, radix: 10 },
  "sched_setattr(2), sched_setscheduler(2)": {
    names: /^SCHED_(?!FLAG_(ALL|KEEP_ALL|UTIL_CLAMP$)|ATTR)/,
    radix: 10,
  },
  "sched(7)": { names: /^SCHED_OTHER$/, radix: 10, unit: "libc" },
  "ioprio_set(2)": { names: /^IOPRIO_(CLASS_(NONE|RT|BE|IDLE|SHIFT)|WHO_\w+)$/, radix: 10 },
  "set_mempolicy(2)": { names: /^MPOL_(?!MF_|MAX|F_(MOF|MORON|SHARED))/, radix: 10 },
  "personality(2)": { names: /^(PER_LINUX|PER_LINUX32|ADDR_NO_RANDOMIZE)$/, radix: 16 },
  "signal(7)": { names: /^SIG(?!RT|STKSZ|UNUSED|CLD|IOT|POLL)[A-Z]+[12]?$/, radix: 10, unit: "libc" },
  "mmap(2)": { names: /^(PROT_(READ|WRITE|EXEC|NONE)$|MAP_(?!HUGE_|TYPE|UNINITIALIZED|32BIT))/, radix: 16 },
  "madvise(2)": { names: /^MADV_POPULATE_WRITE$/, radix: 10 },
  "epoll(7)": { names: /^EPOLL_(CTL_ADD|CLOEXEC)$/, radix: 8, unit: "libc" },
  "eventfd(2)": { names: /^EFD_(CLOEXEC|NONBLOCK|SEMAPHORE)$/, radix: 8, unit: "libc" },
  "kcmp(2)": { names: /^KCMP_FILE$/, radix: 10 },
  "ioctl_tty(2)": {
    names: /^(TIOC(SCTTY|NOTTY|[GS]WINSZ|[GS]PGRP|GSID|GPTN|SPTLCK|GPTPEER|STI)|TC[GS]ETS|ONLCR|OPOST)$/,
    radix: 16,
  },
  "netdevice(7)": { names: /^SIOC[GS]IFFLAGS$/, radix: 16 },
  "Flags of netdevice(7)": { names: /^IFF_(UP|LOOPBACK|RUNNING)$/, radix: 16, unit: "libc" },
  "loop(4)": { names: /^(LOOP_(CONFIGURE|CTL_ADD)|LO_FLAGS_(READ_ONLY|AUTOCLEAR))$/, radix: 16 },
  "ioctl_ns(2)": { names: /^NS_GET_/, radix: 16 },
  "socket(2)": {
    names: /^(AF_(UNIX|INET|INET6|NETLINK|VSOCK)|SOCK_(STREAM|DGRAM|RAW|SEQPACKET|CLOEXEC|NONBLOCK))$/,
    radix: 10,
    unit: "libc",
  },
  "unix(7)": {
    names:
      /^(SOL_SOCKET|SO_(PASSCRED|PEERCRED|RCVBUF|SNDBUF|SNDTIMEO)|SCM_(RIGHTS|CREDENTIALS)|MSG_(CMSG_CLOEXEC|CTRUNC|DONTWAIT|NOSIGNAL|PEEK)|SHUT_RDWR)$/,
    radix: 10,
    unit: "libc",
  },
  "poll(2)": { names: /^POLL(IN|OUT|ERR|HUP|NVAL|PRI)$/, radix: 16 },
  "seccomp(2)": { names: /^SECCOMP_(?!IOC)/, radix: 16 },
  "bpf(2)": {
    names:
      /^BPF_(PROG_(LOAD|ATTACH|DETACH|QUERY|GET_FD_BY_ID|TYPE_CGROUP_DEVICE)|CGROUP_DEVICE|F_ALLOW_MULTI|F_REPLACE)$/,
    radix: 10,
  },
  "posix_spawn(3)": { names: /^POSIX_SPAWN_(?!START)/, radix: 16, unit: "libc" },
  "statfs(2)": {
    names:
      /^((BTRFS|CGROUP2?|DEVPTS|FUSE|OVERLAYFS|PROC)_SUPER|ANON_INODE_FS|BPF_FS|NSFS|PIPEFS|RAMFS|SECURITYFS|SELINUX|SOCKFS|SYSFS|TMPFS|TRACEFS|DEBUGFS)_MAGIC$/,
    radix: 16,
  },
};

/** What the headers above lack. Every row says where it is from. */
const BY_HAND: readonly (readonly [name: string, value: string, source: string])[] = [
  ["MOVE_MOUNT_BENEATH", "0x200", "linux/mount.h since 6.5"],
  ["MFD_NOEXEC_SEAL", "0x8", "linux/memfd.h since 6.3"],
  ["MFD_EXEC", "0x10", "linux/memfd.h since 6.3: without it vm.memfd_noexec=1 takes the x bit away"],
  ["F_SEAL_EXEC", "0x20", "linux/fcntl.h since 6.3"],
  ["MPOL_WEIGHTED_INTERLEAVE", "6", "linux/mempolicy.h since 6.9"],
  ["SCHED_ISO", "4", "Reserved by linux/sched.h, named by OCI"],
  ["KEY_USR_SEARCH", "0x80000", "include/linux/key.h, not exported: keyctl_setperm(3)"],
  ["KEY_OTH_SEARCH", "0x8", "include/linux/key.h"],
  ["SIGRTMIN", "34", "signal(7): glibc keeps 32 and 33 for itself"],
  ["SIGRTMAX", "64", "signal(7)"],
  ["MQUEUE_MAGIC", "0x19800202", "ipc/mqueue.c, not exported"],
];

/**
 * Tables for printing a call's arguments. A set of bits lists names of several bits before single bits, so that a
 * reader can take bits away from the first match to the last. An enum holds each value once.
 */
const FLAG_GROUPS: Readonly<Record<string, { readonly names: RegExp; readonly kind: "bits" | "enum" }>> = {
  "MS_": { names: /^MS_(?!MGC|ASYNC|INVALIDATE|SYNC$)/, kind: "bits" },
  "MNT_": { names: /^(MNT_|UMOUNT_)/, kind: "bits" },
  "MOUNT_ATTR_": { names: /^MOUNT_ATTR_(?!RELATIME|_ATIME)/, kind: "bits" },
  "OPEN_TREE_": {
    names: /^(OPEN_TREE_|AT_(EMPTY_PATH|NO_AUTOMOUNT|RECURSIVE|SYMLINK_NOFOLLOW)$)/,
    kind: "bits",
  },
  "MOVE_MOUNT_": { names: /^MOVE_MOUNT_/, kind: "bits" },
  "FSOPEN_": { names: /^FSOPEN_/, kind: "bits" },
  "FSMOUNT_": { names: /^FSMOUNT_/, kind: "bits" },
  "FSPICK_": { names: /^FSPICK_/, kind: "bits" },
  "FSCONFIG_": { names: /^FSCONFIG_/, kind: "enum" },
  "O_": { names: /^O_(?!ACCMODE)/, kind: "bits" },
  "RESOLVE_": { names: /^RESOLVE_/, kind: "bits" },
  "AT_FDCWD": { names: /^AT_FDCWD$/, kind: "enum" },
  "AT_": { names: /^AT_(SYMLINK_NOFOLLOW|SYMLINK_FOLLOW|NO_AUTOMOUNT|EMPTY_PATH|RECURSIVE)$/, kind: "bits" },
  // One bit, two meanings: unlinkat(2) and faccessat2(2) have groups of their own.
  "AT_REMOVEDIR": { names: /^AT_REMOVEDIR$/, kind: "bits" },
  "AT_EACCESS": { names: /^AT_(EACCESS|SYMLINK_NOFOLLOW|EMPTY_PATH)$/, kind: "bits" },
  "S_IF": { names: /^S_IF(?!MT)/, kind: "enum" },
  "RENAME_": { names: /^RENAME_/, kind: "bits" },
  "MFD_": { names: /^MFD_/, kind: "bits" },
  "CLOSE_RANGE_": { names: /^CLOSE_RANGE_/, kind: "bits" },
  "CLONE_": { names: /^CLONE_/, kind: "bits" },
  "PR_": { names: /^PR_(?!CAP_AMBIENT_)/, kind: "enum" },
  "PR_CAP_AMBIENT_": { names: /^PR_CAP_AMBIENT_/, kind: "enum" },
  "KEYCTL_": { names: /^KEYCTL_/, kind: "enum" },
  "RLIMIT_": { names: /^RLIMIT_/, kind: "enum" },
  "SCHED_": { names: /^SCHED_(?!FLAG|RESET|NORMAL)/, kind: "enum" },
  "SCHED_FLAG_": { names: /^SCHED_FLAG_/, kind: "bits" },
  "IOPRIO_WHO_": { names: /^IOPRIO_WHO_/, kind: "enum" },
  "MPOL_": { names: /^MPOL_(?!F_)/, kind: "enum" },
  "MPOL_F_": { names: /^MPOL_F_(STATIC|RELATIVE|NUMA)/, kind: "bits" },
  "SIG": { names: /^SIG(?!RT)/, kind: "enum" },
  "PROT_": { names: /^PROT_/, kind: "bits" },
  "MAP_": { names: /^MAP_(?!FILE|ANON$)/, kind: "bits" },
  "TIOC": { names: /^TIOC/, kind: "enum" },
  "SIOC": { names: /^SIOC/, kind: "enum" },
  "LOOP_": { names: /^LOOP_/, kind: "enum" },
  "NS_GET_": { names: /^NS_GET_/, kind: "enum" },
  "SECCOMP_": { names: /^SECCOMP_(SET_MODE|GET)_/, kind: "enum" },
  "SECCOMP_FILTER_FLAG_": { names: /^SECCOMP_FILTER_FLAG_/, kind: "bits" },
};

/** Runs a program over `input`, gives its standard output. */
async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    env: { LC_ALL: "C" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.output();
  await new Blob([input]).stream().pipeTo(child.stdin);
  const { success, stdout } = await output;
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

function includes(unit: Unit): string {
  return ["#define _GNU_SOURCE", ...HEADERS[unit].map((header) => `#include <${header}>`), ""].join("\n");
}

/** Every macro without parameters and every member of an enum. */
async function namesOf(cpu: Cpu, unit: Unit): Promise<string[]> {
  const compiler = COMPILERS[cpu];
  const macros = await run(compiler, ["-dM", "-E", "-x", "c", "-"], includes(unit));
  const text = await run(compiler, ["-E", "-P", "-x", "c", "-"], includes(unit));
  const names = new Set<string>();
  for (const [, name] of macros.matchAll(/^#define (\w+) \S/gm)) names.add(name!);
  for (const [, body] of text.matchAll(/\benum\b[^{};]*\{([^}]*)\}/g)) {
    for (const [, name] of body!.matchAll(/(?:^|,)\s*(\w+)/g)) names.add(name!);
  }
  return [...names];
}

/** The compiler's own value of each name. */
async function evaluate(cpu: Cpu, unit: Unit, names: readonly string[]): Promise<Map<string, number>> {
  const lines = names.map((name) => `asm("@${name} %0" :: "i"((long long)(${name})));`);
  const source = `${includes(unit)}void f(void) {\n${lines.join("\n")}\n}\n`;
  const assembly = await run(COMPILERS[cpu], ["-S", "-o", "-", "-x", "c", "-"], source);
  return new Map(
    [...assembly.matchAll(/@(\w+) \$?(-?\d+)/g)].map(([, name, value]) => [name!, Number(value)]),
  );
}

async function both<T>(ask: (cpu: Cpu) => Promise<T>): Promise<Record<Cpu, T>> {
  return { x86_64: await ask("x86_64"), aarch64: await ask("aarch64") };
}

function literal(value: number, radix: number): string {
  const prefix = radix === 16 ? "0x" : radix === 8 ? "0o" : "";
  // Small negative numbers (AT_FDCWD, KEY_SPEC_*) are descriptors and ids, never bits.
  return value < 0 || value < 8 && radix === 8 ? String(value) : prefix + value.toString(radix);
}

async function syscalls(head: string): Promise<string> {
  const prefix = "__NR_";
  const tables = await both(async (cpu) => {
    const known = new Set(await namesOf(cpu, "kernel"));
    return await evaluate(
      cpu,
      "kernel",
      SYSCALL_LIST.map((name) => prefix + name).filter((name) => known.has(name)),
    );
  });
  const absent = SYSCALL_LIST.filter((name) =>
    !tables.x86_64.has(prefix + name) && !tables.aarch64.has(prefix + name)
  );
  if (absent.length > 0) throw new Error(`system calls that no header has: ${absent.join(" ")}`);
  const table = (cpu: Cpu) =>
    [...tables[cpu]].map(([name, nr]) => `    ${name.slice(prefix.length)}: ${nr},`).join("\n");
  return `${head}
/** Numbers of the system calls that Hako and its init may make. */
export const SYSCALLS = {
  x86_64: {
${table("x86_64")}
  },
  aarch64: {
${table("aarch64")}
  },
} as const;

export type Cpu = keyof typeof SYSCALLS;

/** A system call that every CPU has: a plan says \`mkdirat\`, never \`mkdir\`. */
export type SyscallName = keyof typeof SYSCALLS.x86_64 & keyof typeof SYSCALLS.aarch64;
`;
}

async function errno(head: string): Promise<string> {
  // ECHO* and EXT* are termios(3). One name per number, the one that errno(3) and Go print first.
  const aliases = new Set(["EWOULDBLOCK", "EDEADLOCK", "ENOTSUP"]);
  const names = (await namesOf("x86_64", "kernel")).filter((name) =>
    /^E(?!CHO|XT)[A-Z0-9]+$/.test(name) && !aliases.has(name)
  );
  const tables = await both((cpu) => evaluate(cpu, "kernel", names));
  const entries = [...tables.x86_64].sort(([, a], [, b]) => a - b);
  for (const [name, value] of entries) {
    if (tables.aarch64.get(name) !== value) throw new Error(`${name} differs between the CPUs`);
  }
  const texts = await strerror(entries.map(([, value]) => value));
  return `${head}
/** errno(3) by name. Same on every CPU that Hako knows. */
export const ERRNO = {
${entries.map(([name, value]) => `  ${name}: ${value},`).join("\n")}
} as const;

export type ErrnoName = keyof typeof ERRNO;

/** strerror(3) by number, first letter in lower case as runc prints it. */
export const ERRNO_TEXT: Readonly<Record<number, string>> = {
${entries.map(([, value], index) => `  ${value}: ${JSON.stringify(texts[index])},`).join("\n")}
};
`;
}

async function strerror(numbers: readonly number[]): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  try {
    const program = `${directory}/strerror`;
    const calls = numbers.map((number) => `puts(strerror(${number}));`).join("");
    await run(
      "gcc",
      ["-x", "c", "-", "-o", program],
      `#include <stdio.h>\n#include <string.h>\nint main(void) {${calls}}\n`,
    );
    const lines = (await run(program, [])).trimEnd().split("\n");
    // Go's rule: "RFS specific error" and ".lib section" keep their first letter.
    return lines.map((line) => /^[A-Z][a-z]/.test(line) ? line[0]!.toLowerCase() + line.slice(1) : line);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The text of constants.ts, and the value on x86_64 of everything in it. */
async function constants(head: string): Promise<{ text: string; values: Map<string, number> }> {
  const values = new Map<string, number>();
  const sections: string[] = [];
  const known = {
    kernel: await both((cpu) => namesOf(cpu, "kernel")),
    libc: await both((cpu) => namesOf(cpu, "libc")),
  };
  for (const [title, { names, radix, unit = "kernel" }] of Object.entries(GROUPS)) {
    const onArm = new Set(known[unit].aarch64);
    const chosen = known[unit].x86_64.filter((name) =>
      names.test(name) && onArm.has(name) && !values.has(name)
    );
    if (chosen.length === 0) throw new Error(`${title}: no header has ${names}`);
    const { x86_64, aarch64 } = await both((cpu) => evaluate(cpu, unit, chosen));
    const rows = [...x86_64].map(([name, value]) => [name, value, aarch64.get(name)!] as const);
    rows.sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    sections.push(`// ${title}\n${
      rows.map(([name, x86, arm]) => {
        values.set(name, x86);
        const value = x86 === arm
          ? literal(x86, radix)
          : `ARCH === "aarch64" ? ${literal(arm, radix)} : ${literal(x86, radix)}`;
        return `export const ${name} = ${value};\n`;
      }).join("")
    }`);
  }
  sections.push(`// By hand\n${
    BY_HAND.map(([name, value, source]) => {
      if (values.has(name)) throw new Error(`${name} is in the headers now: drop the row`);
      values.set(name, Number(value));
      return `/** ${source} */\nexport const ${name} = ${value};\n`;
    }).join("")
  }`);
  return { text: `${head}const ARCH = Deno.build.arch;\n\n${sections.join("\n")}`, values };
}

function flags(head: string, values: ReadonlyMap<string, number>): string {
  const bitsIn = (value: number) => value.toString(2).replaceAll("0", "").length;
  const groups = Object.entries(FLAG_GROUPS).map(([group, { names, kind }]) => {
    const rows = [...values].filter(([name]) => names.test(name));
    rows.sort(([, a], [, b]) => kind === "bits" && bitsIn(b) - bitsIn(a) || a - b);
    if (rows.length === 0 || new Set(rows.map(([, value]) => value)).size !== rows.length) {
      throw new Error(`group ${group} is empty or names a value twice: ${JSON.stringify(rows)}`);
    }
    return `  "${group}": [\n${rows.map(([name]) => `    [c.${name}, "${name}"],\n`).join("")}  ],\n`;
  });
  return `${head}import * as c from "./constants.ts";

/** Values and their names, for printing. In a set of bits the names of several bits come before those of one. */
export const FLAGS = {
${groups.join("")}} as const satisfies Record<string, readonly (readonly [value: number, name: string])[]>;

export type FlagGroup = keyof typeof FLAGS;
`;
}

function capabilities(head: string, values: ReadonlyMap<string, number>): string {
  const rows = [...values].filter(([name]) => name.startsWith("CAP_")).sort(([, a], [, b]) => a - b);
  if (rows.some(([, value], index) => value !== index)) throw new Error("the capabilities have gaps");
  return `${head}
/** capabilities(7): each at its number. */
export const CAPABILITIES: readonly string[] = [\n${rows.map(([name]) => `  "${name}",\n`).join("")}];
`;
}

async function main(): Promise<void> {
  const version = await evaluate("x86_64", "kernel", ["LINUX_VERSION_MAJOR", "LINUX_VERSION_PATCHLEVEL"]);
  const glibc = await evaluate("x86_64", "libc", ["__GLIBC__", "__GLIBC_MINOR__"]);
  const head = `// Generated by runtime/linux/generate.ts from the headers of Linux ${
    [...version.values()].join(".")
  } and glibc ${[...glibc.values()].join(".")}; do not edit.\n`;
  const table = await constants(head);
  const files = {
    "syscalls.ts": await syscalls(head),
    "errno.ts": await errno(head),
    "constants.ts": table.text,
    "capabilities.ts": capabilities(head, table.values),
    "flags.ts": flags(head, table.values),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = new URL(`generated/${name}`, import.meta.url);
    if (!Deno.args.includes("--check")) await Deno.writeTextFile(path, text);
    else if (await Deno.readTextFile(path) !== text) {
      console.error(`${path.pathname} is not what the headers give: run \`deno task gen\``);
      Deno.exitCode = 1;
    }
  }
}

await main();
