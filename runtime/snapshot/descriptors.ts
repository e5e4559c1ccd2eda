/**
 * The descriptors that a process has opened for itself.
 *
 * @see proc_pid_fd(5), proc_pid_fdinfo(5)
 * @module
 */
import { isSameFile } from "../linux/ptrace.ts";

/** One of them, and how another process has the same. */
export type Descriptor =
  & {
    readonly fd: number;
    /** O_CLOEXEC and O_NONBLOCK. */
    readonly flags: number;
  }
  & (
    | { readonly kind: "copy"; readonly of: number }
    | { readonly kind: "eventfd"; readonly count: number }
    | { readonly kind: "epoll"; readonly watched: readonly Watched[] }
    /** An end of a socketpair(2), and whether it is the first of both. */
    | { readonly kind: "socket"; readonly isFirst: boolean }
  );

/** What an epoll(7) instance waits for. */
export interface Watched {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

/**
 * Those of `pid` from `first` on.
 *
 * @throws {Error} if another process cannot have the same
 */
export function readDescriptors(pid: number, first: number): Descriptor[] {
  const fds = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name))
    .filter((fd) => fd <= 2 || fd >= first).sort((a, b) => a - b);
  let sockets = 0;
  return fds.filter((fd) => fd >= first).map((fd): Descriptor => {
    const target = Deno.readLinkSync(`/proc/${pid}/fd/${fd}`);
    const info = Deno.readTextFileSync(`/proc/${pid}/fdinfo/${fd}`);
    const flags = parseInt(/^flags:\s+(\w+)/m.exec(info)![1]!, 8);
    const of = fds.find((other) => other < fd && isSameFile(pid, other, fd));
    if (of !== undefined) return { fd, flags, kind: "copy", of };
    if (target === "anon_inode:[eventfd]") {
      return { fd, flags, kind: "eventfd", count: parseInt(/^eventfd-count:\s+(\w+)/m.exec(info)![1]!, 16) };
    }
    if (target === "anon_inode:[eventpoll]") return { fd, flags, kind: "epoll", watched: watchedBy(info) };
    // Of one pair, by which Deno hears of its signals.
    if (target.startsWith("socket:") && sockets < 2) {
      return { fd, flags, kind: "socket", isFirst: sockets++ === 0 };
    }
    throw new Error(`a process that has ${target} open cannot be kept`);
  });
}

function watchedBy(info: string): Watched[] {
  return [...info.matchAll(/^tfd:\s+(\d+) events:\s+(\w+) data:\s+(\w+)/gm)].map(([, fd, events, data]) => ({
    fd: Number(fd),
    events: parseInt(events!, 16),
    data: BigInt(`0x${data}`),
  }));
}
