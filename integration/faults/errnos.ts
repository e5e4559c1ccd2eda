/**
 * How calls can fail, by their man pages. Left out are EFAULT, ENOSYS and what only a wrong argument gives, unless a kernel
 * or a filesystem gives the same errno for other reasons; and a close(2) that fails has closed all the same.
 *
 * @module
 */
import type { ErrnoName } from "../../runtime/linux/generated/errno.ts";
import type { SyscallName } from "../../runtime/linux/generated/syscalls.ts";

type Errnos = readonly ErrnoName[];

/** What path_resolution(7) alone can end in. */
const PATH: Errnos = ["EACCES", "ELOOP", "ENOENT", "ENOMEM", "ENOTDIR", "ENAMETOOLONG"];
/** What a new entry of a directory can end in. */
const ENTRY: Errnos = [...PATH, "EDQUOT", "EEXIST", "ENOSPC", "EPERM", "EROFS"];
const OPEN: Errnos = [
  ...PATH,
  "EAGAIN",
  "EBUSY",
  "EINTR",
  "EMFILE",
  "ENFILE",
  "ENODEV",
  "ENXIO",
  "EPERM",
  "EROFS",
];
const NAMESPACE: Errnos = ["EINVAL", "ENOMEM", "ENOSPC", "EPERM", "EUSERS"];
const CLONE: Errnos = ["EAGAIN", "EBUSY", "ENOMEM", "ENOSPC", "EPERM", "EINVAL", "EOPNOTSUPP"];
const SOCKET: Errnos = ["ECONNABORTED", "EINTR", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM"];
const CREDENTIALS: Errnos = ["EAGAIN", "EINVAL", "EPERM"];
const ATTRIBUTE: Errnos = ["EIO", "EPERM", "EROFS"];

/** How a system call of a plan or of the runtime can fail; one not told of here as by a seccomp filter of the caller's. */
export function errnosOf(call: SyscallName): Errnos {
  return SYSCALL_ERRNOS[call] ?? ["EPERM", "EINVAL", "ENOMEM"];
}

const SYSCALL_ERRNOS: Readonly<Partial<Record<SyscallName, Errnos>>> = {
  accept4: SOCKET,
  bind: ["EACCES", "EADDRINUSE", "ENOENT", "ENOMEM", "ENOSPC", "EROFS"],
  capset: ["EPERM", "EINVAL"],
  chdir: [...PATH, "EIO"],
  chroot: [...PATH, "EIO", "EPERM"],
  clone: CLONE,
  clone3: [...CLONE, "EACCES"],
  close: ["EINTR", "EIO"],
  close_range: ["EMFILE", "ENOMEM", "EINVAL"],
  connect: ["EACCES", "EAGAIN", "ECONNREFUSED", "EINTR", "ENOENT"],
  dup3: ["EBUSY", "EINTR", "EMFILE", "EBADF"],
  execve: [...PATH, "E2BIG", "EAGAIN", "EINVAL", "EIO", "EISDIR", "ENFILE", "ENOEXEC", "EPERM", "ETXTBSY"],
  fchdir: ["EACCES", "EBADF", "ENOTDIR"],
  fchmod: ATTRIBUTE,
  fchown: ATTRIBUTE,
  fchownat: [...ATTRIBUTE, ...PATH],
  fcntl: ["EMFILE", "EINVAL", "EPERM"],
  flock: ["EINTR", "ENOLCK"],
  fsconfig: ["EACCES", "EBUSY", "EINVAL", "ENODEV", "ENOMEM", "ENOSPC", "EPERM", "EROFS"],
  fsmount: ["EBUSY", "EMFILE", "EINVAL", "ENFILE", "ENOMEM", "ENOSPC", "EPERM"],
  fsopen: ["EMFILE", "ENFILE", "ENODEV", "ENOMEM", "EPERM"],
  ftruncate: ["EINTR", "EFBIG", "EIO", "EPERM", "ENOSPC"],
  ioctl: ["EINVAL", "EIO", "ENOTTY", "EPERM", "ENODEV"],
  ioprio_set: ["EINVAL", "EPERM", "ESRCH"],
  keyctl: ["EACCES", "EDQUOT", "ENOMEM", "EPERM", "EOPNOTSUPP"],
  // ESRCH: it has ended, and only its parent can say so.
  kill: ["EPERM"],
  listen: ["EADDRINUSE", "EOPNOTSUPP"],
  // EINVAL: a kernel before 6.3, which does not know MFD_EXEC.
  memfd_create: ["EINVAL", "EMFILE", "ENFILE", "ENOMEM", "EACCES"],
  mkdirat: [...ENTRY, "EMLINK"],
  mknodat: ENTRY,
  mmap: ["EACCES", "EAGAIN", "EBADF", "ENODEV", "ENOMEM", "EPERM"],
  mount: [...PATH, "EBUSY", "EINVAL", "EMFILE", "ENODEV", "EPERM", "EROFS"],
  mount_setattr: [...PATH, "EBADF", "EBUSY", "EINVAL", "EPERM"],
  move_mount: [...PATH, "EBUSY", "EINVAL", "ENOSPC", "EPERM"],
  open_tree: [...PATH, "EINVAL", "EMFILE", "ENFILE", "ENOSPC", "EPERM"],
  openat: OPEN,
  openat2: [...OPEN, "EXDEV", "E2BIG", "EINVAL"],
  personality: ["EINVAL"],
  pipe2: ["EMFILE", "ENFILE"],
  eventfd2: ["EMFILE", "ENFILE", "ENODEV", "ENOMEM"],
  pidfd_getfd: ["EBADF", "EMFILE", "ENFILE", "EPERM", "ESRCH"],
  pidfd_open: ["EMFILE", "ENFILE", "ENODEV", "ENOMEM", "ESRCH", "EINVAL"],
  pidfd_send_signal: ["EPERM", "ESRCH"],
  pivot_root: ["EBUSY", "EINVAL", "ENOTDIR", "EPERM"],
  ppoll: ["EINTR", "ENOMEM"],
  prctl: ["EACCES", "EBUSY", "EINVAL", "EPERM"],
  pread64: ["EIO", "EINTR", "EISDIR"],
  prlimit64: ["EINVAL", "EPERM", "ESRCH"],
  pwrite64: ["EDQUOT", "EFBIG", "EINTR", "EIO", "ENOSPC"],
  read: ["EINTR", "EIO", "ECONNRESET"],
  readlinkat: [...PATH, "EINVAL", "EIO"],
  sched_setattr: ["E2BIG", "EBUSY", "EINVAL", "EPERM", "ESRCH"],
  sched_setaffinity: ["EINVAL", "EPERM", "ESRCH"],
  seccomp: ["EACCES", "EBUSY", "EINVAL", "ENOMEM", "ESRCH"],
  sendmsg: ["ECONNRESET", "EINTR", "ENOBUFS", "ENOMEM", "EPIPE", "ETOOMANYREFS"],
  set_mempolicy: ["EINVAL", "ENOMEM"],
  setdomainname: ["EINVAL", "EPERM"],
  setgroups: ["EINVAL", "ENOMEM", "EPERM"],
  sethostname: ["EINVAL", "EPERM"],
  setns: [...NAMESPACE, "EBADF", "ESRCH"],
  setresgid: CREDENTIALS,
  setresuid: CREDENTIALS,
  setsid: ["EPERM"],
  socket: ["EACCES", "EAFNOSUPPORT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"],
  statx: [...PATH, "EIO"],
  symlinkat: [...ENTRY, "EIO"],
  // By a filter of the caller's only: it cannot fail.
  umask: ["EPERM"],
  umount2: ["EAGAIN", "EBUSY", "EINVAL", "ENOENT", "EPERM"],
  unlinkat: [...PATH, "EBUSY", "EIO", "EISDIR", "EPERM", "EROFS"],
  unshare: NAMESPACE,
  waitid: ["EINTR"],
  // EPIPE: the init is no more, and is killed by cases of their own.
  write: ["EAGAIN", "EDQUOT", "EINTR", "EINVAL", "EIO", "ENOSPC", "EPERM"],
};

/** What the functions of posix_spawn(3) return. */
export const SPAWN_ERRNOS: Readonly<Record<string, Errnos>> = {
  posix_spawn: [...PATH, "EAGAIN", "ENOEXEC", "EPERM"],
  posix_spawn_file_actions_init: ["ENOMEM"],
  posix_spawn_file_actions_adddup2: ["EBADF", "ENOMEM"],
  posix_spawn_file_actions_addchdir_np: ["ENOMEM"],
  posix_spawnattr_init: ["ENOMEM"],
};

const READ: Errnos = ["EACCES", "EIO", "EMFILE", "ENFILE", "ENOENT", "ENOMEM"];
const CREATE: Errnos = ["EACCES", "EDQUOT", "EIO", "EMFILE", "ENOENT", "ENOMEM", "ENOSPC", "EROFS"];

/** Deno's own functions: those of the system calls that they make. */
export const DENO_ERRNOS = {
  chmodSync: ["EIO", "ENOENT", "EPERM", "EROFS"],
  chownSync: ["EIO", "ENOENT", "EPERM", "EROFS"],
  cwd: ["EACCES", "ENOENT", "ENOMEM"],
  lstatSync: ["EACCES", "EIO", "ELOOP", "ENOMEM"],
  makeTempDirSync: CREATE,
  mkdirSync: CREATE,
  openSync: CREATE,
  readDirSync: READ,
  readFileSync: READ,
  readLinkSync: ["EACCES", "EIO", "ENOENT"],
  readTextFileSync: READ,
  realPathSync: ["EACCES", "EIO", "ELOOP", "ENOENT"],
  removeSync: ["EACCES", "EBUSY", "EIO", "EPERM", "EROFS"],
  renameSync: ["EACCES", "EDQUOT", "EIO", "ENOSPC", "EROFS"],
  statSync: ["EACCES", "EIO", "ELOOP", "ENOENT", "ENOMEM"],
  symlinkSync: CREATE,
  watchFs: ["EACCES", "EMFILE", "ENFILE", "ENOENT", "ENOMEM", "ENOSPC"],
  writeFileSync: CREATE,
  writeTextFileSync: CREATE,
} as const satisfies Readonly<Record<string, Errnos>>;
