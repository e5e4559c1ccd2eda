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
import type { OwnState } from "../linux/standstill.ts";
import { type Arg, attempt, type Node, type Plan, type Reason, slot, type Step, step } from "../plan/node.ts";
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
  const reason: Reason = { label: "look for the standard streams", pointer: "runtime" };
  return [0, 1, 2].map((fd) => [step(reason, "fcntl", [fd, F_GETFD]), ["EBADF"]]);
}

function memory({ pieces, empty, written }: Snapshot): Tried[] {
  const reason: Reason = { label: "give the process its memory", pointer: "runtime" };
  // The kernel has put little where it likes. The new vDSO nobody needs, but the new stack has our arguments.
  const map = ({ start, end, protection }: Area, flags: number, file: Arg, offset: number): Tried => {
    const fixed = protection === PROT_NONE ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return [step(reason, "mmap", [start, end - start, protection, flags | fixed, file, offset]), MEMORY];
  };
  return [
    [step(reason, "openat", [AT_FDCWD, "/proc/self/exe", O_CLOEXEC, 0], "$file"), FILES],
    ...pieces.map((piece) => map(piece, MAP_PRIVATE, slot("$file"), piece.offset)),
    [step(reason, "close", [slot("$file")]), DESCRIPTORS],
    ...empty.map((area) => map(area, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
    ...written.map(({ start, end }): Tried => [
      step(reason, "madvise", [start, end - start, MADV_POPULATE_WRITE]),
      MEMORY,
    ]),
  ];
}

function descriptors({ descriptors, pair }: Snapshot): Tried[] {
  const reason: Reason = { label: "open its descriptors", pointer: "runtime" };
  const call = (...args: Parameters<typeof step> extends [Reason, ...infer Rest] ? Rest : never): Tried => [
    step(reason, ...args),
    DESCRIPTORS,
  ];
  const moved = (name: `$${string}`, { fd, flags }: Descriptor) => [
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
            // As are SOCK_CLOEXEC and SOCK_NONBLOCK.
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

/** asm/signal.h, and sizeof(sigset_t) and a struct sigaction of the kernel: SIG_DFL. */
const SIG_BLOCK = 0;
const SIGSET_BYTES = 8;
const DEFAULT_ACTION = new Uint8Array(32);

function signals({ state, mask }: Snapshot): Tried[] {
  const reason: Reason = { label: "handle signals as it does", pointer: "runtime" };
  const { address, bytes } = state.robustList;
  return [
    // Callers that ignore it hand that on, and then no child is left for waitid(2). The script's shell does the same.
    [step(reason, "rt_sigaction", [SIGCHLD, DEFAULT_ACTION, null, SIGSET_BYTES]), SIGNALS],
    ...state.signalActions.map(({ signal, action }): Tried => [
      step(reason, "rt_sigaction", [signal, Uint8Array.fromHex(action), null, SIGSET_BYTES]),
      SIGNALS,
    ]),
    [step(reason, "rt_sigprocmask", [SIG_BLOCK, null, mask, SIGSET_BYTES]), SIGNALS],
    [step(reason, "set_robust_list", [address, bytes]), SIGNALS],
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
