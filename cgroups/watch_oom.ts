/** Tells when processes are killed for want of memory. Not for the path of a command that only starts or stops something. @module */
import { close, openat2, read } from "../runtime/linux/files.ts";
import { AT_FDCWD, O_CLOEXEC } from "../runtime/linux/generated/constants.ts";
import { syscall } from "../runtime/linux/libc.ts";
import { readable } from "../runtime/linux/streams.ts";
import type { Cgroup } from "./cgroup.ts";
import { Directory } from "./directory.ts";
import { parsePairs } from "./stats.ts";

/** Yields when the memory limit of the cgroup was hit and a process killed. Ends with the cgroup, or with its last process. */
export async function* watchOom({ paths }: Cgroup): AsyncGenerator<void> {
  if (paths.memory !== undefined) yield* watchV1(new Directory(paths.memory));
  else if (paths[""] !== undefined) yield* watchV2(new Directory(paths[""]));
}

/** eventfd(2): a number of 64 bits. */
const COUNTER_BYTES = 8;

/**
 * An eventfd that the kernel adds 1 to at every OOM, and once more when the cgroup is removed.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html#oom-control
 */
async function* watchV1(directory: Directory): AsyncGenerator<void> {
  const event = syscall("eventfd2", [0, O_CLOEXEC]);
  try {
    const control = openat2(AT_FDCWD, `${directory.path}/memory.oom_control`, { flags: O_CLOEXEC });
    try {
      directory.write("cgroup.event_control", `${event} ${control}`);
    } finally {
      close(control);
    }
    for (;;) {
      await readable(event);
      read(event, COUNTER_BYTES);
      if (directory.tryRead("memory.oom_control") === undefined) return;
      yield;
    }
  } finally {
    close(event);
  }
}

/** inotify(7): the kernel reports a change of memory.events, and of cgroup.events when the last process is gone. */
async function* watchV2(directory: Directory): AsyncGenerator<void> {
  const kills = () => Number(parsePairs(directory.tryRead("memory.events") ?? "").oom_kill ?? 0);
  const populated = () => parsePairs(directory.tryRead("cgroup.events") ?? "").populated === "1";
  using watcher = Deno.watchFs(["cgroup.events", "memory.events"].map((file) => `${directory.path}/${file}`));
  let before = kills();
  // What ended before we watched is not reported.
  if (!populated()) return;
  for await (const _ of watcher) {
    const now = kills();
    if (now > before) yield;
    before = now;
    if (!populated()) return;
  }
}
