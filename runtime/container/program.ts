/**
 * Running a program of the host's to its end.
 *
 * @module
 */
import { close, memfdCreate, pwrite } from "../linux/files.ts";
import {
  endsWithin,
  type ExitStatus,
  pidfdOpen,
  pidfdSendSignal,
  posixSpawn,
  wait,
} from "../linux/processes.ts";
import { SIGKILL } from "../linux/generated/constants.ts";

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** The caller's if absent. */
  readonly env?: readonly string[];
  readonly input?: string;
  /** Seconds until it is killed. */
  readonly timeout?: number;
}

export interface Outcome {
  readonly status: ExitStatus | { readonly kind: "timeout" };
  /** What it wrote to stdout and stderr. */
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
  const { path, args, env, input = "", timeout } = program;
  return withStreams(input, (stdio) => {
    const pid = posixSpawn({
      path,
      args,
      env: env ?? callersEnvironment(),
      fds: stdio.map((from, to) => ({ from, to })),
    });
    return waitFor(pid, timeout);
  });
}

/** Without what the launcher has set for Deno: the code cache is for Hako alone, and so is the way that it allocates. */
export function callersEnvironment(): string[] {
  return Object.entries(Deno.env.toObject())
    .filter(([name]) => !name.startsWith("DENO_") && name !== "GLIBC_TUNABLES")
    .map(([name, value]) => `${name}=${value}`);
}

/** Files and no pipes: a program that does not read, or writes much, cannot block us. */
export function withStreams(input: string, run: (stdio: Streams) => Outcome["status"]): Outcome {
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
    return { status, output: readAll(written) };
  } finally {
    open.forEach(close);
  }
}

function readAll(fd: number): string {
  return new TextDecoder().decode(Deno.readFileSync(`/proc/self/fd/${fd}`));
}

function waitFor(pid: number, timeout: number | undefined): Outcome["status"] {
  if (timeout === undefined) return wait(pid);
  const pidfd = pidfdOpen(pid);
  try {
    if (endsWithin(pidfd, timeout * 1000)) return wait(pid);
    pidfdSendSignal(pidfd, SIGKILL);
    wait(pid);
    return { kind: "timeout" };
  } finally {
    close(pidfd);
  }
}
