/** The options that `create` and `run` share, named as runc's and crun's. @module */

import { readBundle } from "../container/bundle.ts";
import type { Container } from "../container/container.ts";
import { createContainer } from "../container/create.ts";
import { ignoredMembers } from "../container/ignored.ts";
import { hasNotify } from "../container/notify_mount.ts";
import { stateRoot } from "../container/state.ts";
import { UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";
import { exists, fcntl } from "../linux/files.ts";
import { F_GETFD, FD_CLOEXEC } from "../linux/generated/constants.ts";
import { isErrno } from "../linux/libc.ts";
import { log } from "../log.ts";
import type { Process } from "../spec/config.ts";
import type { GlobalOptions } from "./command.ts";
import type { Options, Values } from "./options.ts";

export const bundleOption = {
  type: "text",
  short: "b",
  value: "DIR",
  complete: "directory",
  help: "directory of the bundle (the working directory)",
} as const;

export const createOptions = {
  bundle: bundleOption,
  config: {
    type: "text",
    short: "f",
    value: "FILE",
    complete: "file",
    help: "read FILE instead of the bundle's config.json",
  },
  "console-socket": {
    type: "text",
    value: "SOCKET",
    complete: "file",
    help: "send the terminal's master to the unix socket SOCKET",
  },
  "pidfd-socket": {
    type: "text",
    value: "SOCKET",
    complete: "file",
    help: "send a pidfd of the container's process to the unix socket SOCKET",
  },
  "pid-file": {
    type: "text",
    value: "FILE",
    complete: "file",
    help: "write the pid of the container's process to FILE",
  },
  "no-pivot": { type: "flag", help: "move the root instead of pivot_root(2), for a rootfs on a ramdisk" },
  "no-new-keyring": { type: "flag", help: "leave the container in the caller's session keyring" },
  "preserve-fds": { type: "count", value: "N", help: "pass file descriptors 3 to 3+N-1 to the container" },
} as const satisfies Options;

/** Creates the container that a command line asks for. */
export function createFromOptions(
  id: string,
  { options, global, detach }: {
    readonly options: Values<typeof createOptions>;
    readonly global: GlobalOptions;
    readonly detach: boolean;
  },
): Promise<Container> {
  const bundle = readBundle(options.bundle, options.config);
  checkTerminal(bundle.config.process, options["console-socket"], detach);
  ignoredMembers(bundle.config).forEach((line) => log.warn(line));
  const activated = listenFds();
  const preserved = options["preserve-fds"];
  checkPreserved(3 + activated, preserved);
  return createContainer(bundle.config, {
    id,
    bundle: bundle.path,
    root: stateRoot(global.root),
    // Those of socket activation come first, as runc and crun have it.
    preserveFds: activated + (preserved ?? 0),
    env: activated > 0 ? [`LISTEN_FDS=${activated}`, "LISTEN_PID=1"] : [],
    notify: !!Deno.env.get("NOTIFY_SOCKET"),
    noPivot: options["no-pivot"],
    noNewKeyring: options["no-new-keyring"],
    consoleSocket: options["console-socket"],
    pidfdSocket: options["pidfd-socket"],
    cgroupManager: global["cgroup-manager"] ?? (global["systemd-cgroup"] ? "systemd" : "cgroupfs"),
  });
}

/** How many sockets our caller hands to us from descriptor 3 on: sd_listen_fds(3). */
function listenFds(): number {
  const count = Deno.env.get("LISTEN_FDS");
  if (count === undefined || Deno.env.get("LISTEN_PID") !== `${Deno.pid}`) return 0;
  if (!/^[1-9]\d{0,8}$/.test(count)) throw new UsageError(`LISTEN_FDS must be a number, not "${count}"`);
  return Number(count);
}

/**
 * Checks that our caller has left `count` descriptors open, from `first` on, as runc does.
 *
 * @throws {UsageError} if it has not: the program would miss what its own command line counts on
 */
export function checkPreserved(first: number, count = 0): void {
  for (let index = 0; index < count; index++) {
    if (isInherited(first + index)) continue;
    throw new UsageError(
      `unable to stat preserved-fd ${index} (of ${count}): file descriptor ${first + index} is not open`,
    );
  }
}

/** What our engine opens for itself is close-on-exec; what a caller hands over cannot be. */
function isInherited(fd: number): boolean {
  try {
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) === 0;
  } catch (error) {
    if (isErrno(error, "EBADF")) return false;
    throw error;
  }
}

/**
 * Lets the program of `container`, which is about to be started, tell NOTIFY_SOCKET that it is ready.
 *
 * @returns passes that on, and is done when it has, or when the program has ended
 */
export async function forwardReadiness(container: Container): Promise<() => Promise<void>> {
  const host = Deno.env.get("NOTIFY_SOCKET");
  if (!host || !hasNotify(container.directory)) return () => Promise.resolve();
  const { NotifySocket } = await import("../container/notify.ts");
  const socket = new NotifySocket(container.directory);
  return () =>
    socket.forward(host, container.pid, () => container.status() !== "stopped")
      // What became of the program is not for systemd to decide.
      .catch((error) => log.warn(`cannot tell NOTIFY_SOCKET: ${messageOf(error)}`));
}

/** A terminal needs somebody at its other end, and only then. */
export function checkTerminal(
  process: Process | undefined,
  socket: string | undefined,
  detach: boolean,
): void {
  const terminal = process?.terminal ?? false;
  if (detach && terminal && socket === undefined) {
    throw new UsageError("cannot allocate tty if hako will detach without setting console socket");
  }
  if ((!detach || !terminal) && socket !== undefined) {
    throw new UsageError("cannot use console socket if hako will not detach or allocate tty");
  }
}

/** Whoever waits for the file never sees half of it. What is no file, as /dev/null, stays, which rename(2) would replace. */
export function writePidFile(path: string | undefined, { pid }: { readonly pid: number }): void {
  if (path === undefined) return;
  if (exists(path) && !Deno.statSync(path).isFile) {
    return Deno.writeTextFileSync(path, `${pid}`, { create: false });
  }
  const slash = path.lastIndexOf("/") + 1;
  const temporary = `${path.slice(0, slash)}.${path.slice(slash)}`;
  Deno.writeTextFileSync(temporary, `${pid}`, { mode: 0o644 });
  try {
    Deno.renameSync(temporary, path);
  } catch (error) {
    Deno.removeSync(temporary);
    throw error;
  }
}
