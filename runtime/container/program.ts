/**
 * Running a program of the host's to its end.
 *
 * @module
 */
import { close, memfdCreate, openat2, pwrite, read } from "../linux/files.ts";
import { trySyscall } from "../linux/libc.ts";
import { endsWithin, type ExitStatus, pidfdOpen, posixSpawn, wait } from "../linux/processes.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDONLY, SIGKILL } from "../linux/generated/constants.ts";

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** The caller's if absent. */
  readonly env?: readonly string[];
  readonly input?: string;
  /** Its working directory: the caller's if absent. */
  readonly cwd?: string;
  /** Seconds until it is killed. */
  readonly timeout?: number;
  /** How much of its output is kept: what fits into a message, if absent. */
  readonly outputBytes?: number;
}

export interface Outcome {
  readonly status: ExitStatus | { readonly kind: "timeout" };
  /** The beginning of what it wrote to stdout and stderr. */
  readonly output: string;
}

/** The standard streams of a program. */
export type Streams = readonly [stdin: number, stdout: number, stderr: number];

/** Where PATH has a program, if it has. */
export function findProgram(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(":");
  return folders.filter((folder) => folder.startsWith("/")).map((folder) => `${folder}/${name}`).find(
    (path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    },
  );
}

/** Runs it in our own namespaces. */
export function runProgram(program: Program): Outcome {
  const { path, args, env, input = "", cwd, timeout, outputBytes } = program;
  return withStreams(input, (stdio) => {
    const pid = posixSpawn({
      path,
      args,
      env: env ?? callersEnvironment(),
      cwd,
      fds: stdio.map((from, to) => ({ from, to })),
    });
    return waitFor(pid, timeout);
  }, outputBytes);
}

/**
 * Without what the launcher has set for Deno: the code cache is for Hako alone, and so is the way that it allocates. In an
 * order that is always the same, which Deno's is not.
 */
export function callersEnvironment(): string[] {
  return Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("DENO_") && name !== "GLIBC_TUNABLES")
    .map(([name, value]) => `${name}=${value}`).sort();
}

/** Files and no pipes: a program that does not read, or writes much, cannot block us. */
export function withStreams(
  input: string,
  run: (stdio: Streams) => Outcome["status"],
  outputBytes = MESSAGE_BYTES,
): Outcome {
  const open: number[] = [];
  const create = (name: string) => {
    const fd = memfdCreate(name);
    open.push(fd);
    return fd;
  };
  try {
    const stdin = create("stdin");
    const written = create("output");
    pwrite(stdin, new TextEncoder().encode(input), 0);
    const status = run([stdin, written, written]);
    return { status, output: beginningOf(written, outputBytes) };
  } finally {
    open.forEach(close);
  }
}

/** A hook may be a program of the image's, and make the file as large as it likes. */
const MESSAGE_BYTES = 16384;

function beginningOf(written: number, bytes: number): string {
  // With an offset of its own: the program has moved that of the other.
  const fd = openat2(AT_FDCWD, `/proc/self/fd/${written}`, { flags: O_RDONLY | O_CLOEXEC });
  try {
    const decoder = new TextDecoder();
    let text = "";
    for (let left = bytes; left > 0;) {
      const chunk = read(fd, Math.min(left, 65536));
      if (chunk.length === 0) break;
      text += decoder.decode(chunk, { stream: true });
      left -= chunk.length;
    }
    return text;
  } finally {
    close(fd);
  }
}

function waitFor(pid: number, timeout: number | undefined): Outcome["status"] {
  let status: ExitStatus | undefined;
  try {
    if (timeout !== undefined && !childEndsWithin(pid, timeout * 1000)) return { kind: "timeout" };
    return status = wait(pid);
  } finally {
    // A child that nobody has reaped keeps its pid: no signal can hit a stranger.
    if (status === undefined) {
      trySyscall("kill", [pid, SIGKILL]);
      wait(pid);
    }
  }
}

function childEndsWithin(pid: number, milliseconds: number): boolean {
  const pidfd = pidfdOpen(pid);
  try {
    return endsWithin(pidfd, milliseconds);
  } finally {
    close(pidfd);
  }
}
