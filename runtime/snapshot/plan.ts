/**
 * The plan by which a snapshot starts: memory, descriptors and signals as its process had them.
 *
 * @module
 */
import {
  AF_UNIX,
  AT_FDCWD,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  F_GETFD,
  MADV_POPULATE_WRITE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_NORESERVE,
  MAP_PRIVATE,
  O_CLOEXEC,
  O_NONBLOCK,
  PROT_NONE,
  SIGCHLD,
  SOCK_STREAM,
} from "../linux/generated/constants.ts";
import type { ErrnoName } from "../linux/generated/errno.ts";
import type { SyscallName } from "../linux/generated/syscalls.ts";
import { KERNEL_ACTION_BYTES, KERNEL_SIGSET_BYTES } from "../linux/processes.ts";
import type { OwnState } from "../linux/standstill.ts";
import {
  type Arg,
  attempt,
  type Node,
  type Plan,
  type Reason,
  slot,
  type SlotName,
  type Step,
  step,
} from "../plan/node.ts";
import type { Descriptor, Watched } from "./descriptors.ts";
import type { Area } from "./memory.ts";

/** Contents that the executable has at `offset`. */
export interface Piece extends Area {
  readonly offset: number;
}

/** What a snapshot is made of, beside the contents of its memory. */
export interface Snapshot {
  readonly pieces: readonly Piece[];
  readonly empty: readonly Area[];
  /** What every start writes to: it is copied at once, which takes half the time of a page fault each. */
  readonly written: readonly { readonly start: number; readonly end: number }[];
  readonly descriptors: readonly Descriptor[];
  readonly state: OwnState;
  /** Where the signal mask of the process belongs: the caller's stays as it is. */
  readonly mask: number;
  /** Where `$first` and `$second`, the ends of a socketpair(2), lie: four bytes each. */
  readonly pair: number;
  /** The program that does the same without a snapshot. */
  readonly otherwise: string;
}

/** A call, and with which errnos the snapshot cannot start here. */
type Tried = readonly [Step, readonly ErrnoName[]];

const MEMORY: readonly ErrnoName[] = ["EEXIST", "ENOMEM", "EINVAL", "EACCES", "EPERM", "EAGAIN"];
const FILES: readonly ErrnoName[] = ["ENOENT", "EMFILE", "ENFILE", "EACCES", "EPERM", "ELOOP"];
const DESCRIPTORS: readonly ErrnoName[] = ["EBADF", "EMFILE", "ENFILE", "ENOMEM", "EINVAL", "EPERM"];
const SIGNALS: readonly ErrnoName[] = ["EPERM", "EACCES", "ENOSYS"];

/** Makes calls for one reason, which may fail with `errnos`. */
function trying(label: string, errnos: readonly ErrnoName[]) {
  return (call: SyscallName, args: readonly Arg[], save?: SlotName): Tried => [
    step({ label, pointer: "runtime" }, call, args, save),
    errnos,
  ];
}

/**
 * The last step of a start that succeeds is rt_sigreturn(2). If one fails, where the kernel has put something in the way, or
 * a limit is too low, the program that needs no snapshot is executed with the same arguments.
 */
export function planResume(snapshot: Snapshot): Plan {
  const tried = [...standardStreams(), ...memory(snapshot), ...descriptors(snapshot), ...signals(snapshot)];
  // Each in the success of the one before, so that all failures go on behind all of them.
  const resumed = tried.reduceRight<readonly Node[]>(
    (then, [step, on]) => [attempt(step, on, { then })],
    [resume()],
  );
  return [...unlessTaken(snapshot.descriptors, resumed), ...startOtherwise(snapshot.otherwise)];
}

/**
 * Goes on with `then` if none of `descriptors` is one of the caller's: what `--preserve-fds` or a path below /proc/self/fd
 * means, a dup3(2) would close.
 */
function unlessTaken(descriptors: readonly Descriptor[], then: readonly Node[]): readonly Node[] {
  const reason: Reason = { label: "leave the caller its descriptors", pointer: "runtime" };
  return descriptors.reduceRight(
    (otherwise, { fd }) => [attempt(step(reason, "fcntl", [fd, F_GETFD]), ["EBADF"], { otherwise })],
    then,
  );
}

/**
 * Whoever has closed one of these has the next file that is opened in its place, as standard input or for messages of
 * errors. The start of Deno opens /dev/null there.
 */
function standardStreams(): Tried[] {
  const call = trying("look for the standard streams", ["EBADF"]);
  return [0, 1, 2].map((fd) => call("fcntl", [fd, F_GETFD]));
}

function memory({ pieces, empty, written }: Snapshot): Tried[] {
  const label = "give the process its memory";
  const call = trying(label, MEMORY);
  // Addresses that are only taken may be those of the new vDSO, which nobody needs. The new stack has our arguments.
  const map = ({ start, end, protection }: Area, flags: number, file: Arg, offset: number) => {
    const fixed = protection === PROT_NONE ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return call("mmap", [start, end - start, protection, flags | fixed, file, offset]);
  };
  return [
    trying(label, FILES)("openat", [AT_FDCWD, "/proc/self/exe", O_CLOEXEC, 0], "$file"),
    ...pieces.map((piece) => map(piece, MAP_PRIVATE, slot("$file"), piece.offset)),
    trying(label, DESCRIPTORS)("close", [slot("$file")]),
    ...empty.map((area) => map(area, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
    ...written.map(({ start, end }) => call("madvise", [start, end - start, MADV_POPULATE_WRITE])),
  ];
}

function descriptors({ descriptors, pair }: Snapshot): Tried[] {
  const call = trying("open its descriptors", DESCRIPTORS);
  const moved = (name: SlotName, { fd, flags }: Descriptor) => [
    call("dup3", [slot(name), fd, flags & O_CLOEXEC]),
    call("close", [slot(name)]),
  ];
  const opened = descriptors.flatMap((descriptor): Tried[] => {
    switch (descriptor.kind) {
      case "copy":
        return [call("dup3", [descriptor.of, descriptor.fd, descriptor.flags & O_CLOEXEC])];
      case "eventfd":
        // EFD_CLOEXEC and EFD_NONBLOCK are O_CLOEXEC and O_NONBLOCK.
        return [
          call("eventfd2", [descriptor.count, descriptor.flags & (O_CLOEXEC | O_NONBLOCK)], "$opened"),
          ...moved("$opened", descriptor),
        ];
      case "epoll":
        return [call("epoll_create1", [EPOLL_CLOEXEC], "$opened"), ...moved("$opened", descriptor)];
      case "socket":
        return descriptor.isFirst
          ? [
            // So are SOCK_CLOEXEC and SOCK_NONBLOCK.
            call("socketpair", [
              AF_UNIX,
              SOCK_STREAM | descriptor.flags & (O_CLOEXEC | O_NONBLOCK),
              0,
              pair,
            ]),
            ...moved("$first", descriptor),
          ]
          : moved("$second", descriptor);
    }
  });
  const watched = descriptors.flatMap((descriptor) =>
    descriptor.kind === "epoll" ? descriptor.watched.map((one) => ({ epoll: descriptor.fd, ...one })) : []
  );
  return [
    ...opened,
    ...watched.map((one) => call("epoll_ctl", [one.epoll, EPOLL_CTL_ADD, one.fd, epollEvent(one)])),
  ];
}

/** struct epoll_event, which is packed on x86-64. */
function epollEvent({ events, data }: Watched): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(12));
  bytes.setUint32(0, events, true);
  bytes.setBigUint64(4, data, true);
  return new Uint8Array(bytes.buffer);
}

/** asm/signal.h */
const SIG_BLOCK = 0;
/** SIG_DFL, without flags. */
const DEFAULT_ACTION = new Uint8Array(KERNEL_ACTION_BYTES);

function signals({ state, mask }: Snapshot): Tried[] {
  const call = trying("handle signals as it does", SIGNALS);
  const handle = (signal: number, action: Uint8Array) =>
    call("rt_sigaction", [signal, action, null, KERNEL_SIGSET_BYTES]);
  const { address, bytes } = state.robustList;
  return [
    // Callers that ignore it hand that on, and then no child is left for waitid(2). The script's shell does the same.
    handle(SIGCHLD, DEFAULT_ACTION),
    ...state.signalActions.map(({ signal, action }) => handle(signal, Uint8Array.fromHex(action))),
    call("rt_sigprocmask", [SIG_BLOCK, null, mask, KERNEL_SIGSET_BYTES]),
    call("set_robust_list", [address, bytes]),
  ];
}

function resume(): Step {
  return step({ label: "go on where it stood still", pointer: "runtime" }, "rt_sigreturn", []);
}

function startOtherwise(path: string): Node[] {
  const reason: Reason = { label: "start without a snapshot", pointer: "runtime" };
  const text = `hako: cannot execute ${path}\n`;
  const failed = [
    step(reason, "write", [2, text, new TextEncoder().encode(text).length]),
    step(reason, "exit_group", [1]),
  ];
  const execve = step(reason, "execve", [path, slot("$argv"), slot("$envp")]);
  return [
    attempt(execve, ["ENOENT", "EACCES", "ENOEXEC", "ENOMEM", "EPERM", "E2BIG"], { otherwise: failed }),
  ];
}

/** The step of {@linkcode planResume} that starts the other program. */
export function isOtherwise({ call }: Step): boolean {
  return call === "execve";
}
