/**
 * What only the live container can answer: where its executable is, and where its user is at home. Everything is read
 * beneath its root, from files that may be hostile.
 *
 * @module
 */
import { SyscallError } from "../errors.ts";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_IN_ROOT,
  S_IFDIR,
  S_IFMT,
} from "../linux/generated/constants.ts";
import { ERRNO } from "../linux/generated/errno.ts";
import { close, fstat, openat2, openRegular, read } from "../linux/files.ts";
import { errnoInfo, isErrno } from "../linux/libc.ts";
import type { Process } from "../spec/config.ts";

/**
 * The root of a process that waits. Read once: no name in it is looked up from the host's side.
 *
 * @param first the container's first process. A process that joins it hides from others, and without root's rights from us;
 * where /proc hides as well (hidepid in proc(5)), it is not even there
 */
export function openContainerRoot(pid: number, first = pid): number {
  const how = { flags: O_PATH | O_DIRECTORY | O_CLOEXEC };
  try {
    return openat2(AT_FDCWD, `/proc/${pid}/root`, how);
  } catch (error) {
    if (first === pid || !isErrno(error, "EACCES", "ENOENT")) throw error;
    return openat2(AT_FDCWD, `/proc/${first}/root`, how);
  }
}

/**
 * The path that execve(2) gets for `process.args[0]`, searched in the PATH of the container's environment.
 *
 * @throws {SyscallError} in the words by which engines tell a missing command (127) from one that may not run (126)
 */
export function findExecutable(root: number, process: Process): string {
  const name = process.args[0]!;
  // Links such as /proc/self/fd/3 lead somewhere else for us than for the process.
  if (name.startsWith("/proc/")) return name;
  if (name.includes("/")) {
    const problem = executableProblem(root, inWorkingDirectory(process, name));
    // What execve(2) says, and why. Engines of different ages know the one or the other as 126.
    if (problem === "EISDIR") throw execError(name, "EACCES", "is a directory: permission denied");
    if (problem !== undefined) throw execError(name, problem, "");
    return name;
  }
  let denied = false;
  for (const directory of searchPath(process)) {
    // An empty entry is the working directory: execvp(3).
    const path = `${directory || "."}/${name}`;
    const problem = executableProblem(root, inWorkingDirectory(process, path));
    if (problem === undefined) return path;
    denied ||= problem === "EACCES";
  }
  throw denied
    ? execError(name, "EACCES", "")
    : execError(name, "ENOENT", "executable file not found in $PATH");
}

function searchPath({ env = [] }: Process): string[] {
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length);
  return path === undefined ? [] : path.split(":");
}

function inWorkingDirectory({ cwd }: Process, path: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}

type ExecErrno = "ENOENT" | "EACCES" | "EISDIR" | "ENOTDIR" | "ELOOP" | "ENAMETOOLONG";

/** Why the file cannot be executed, as far as can be seen from its type and mode: the kernel has the last word. */
function executableProblem(root: number, path: string): ExecErrno | undefined {
  let fd: number;
  try {
    fd = openInRoot(root, path, O_PATH);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "EACCES", "ENOTDIR", "ELOOP", "ENAMETOOLONG")) throw error;
    return error.errno.name as ExecErrno;
  }
  try {
    const { mode } = fstat(fd);
    if ((mode & S_IFMT) === S_IFDIR) return "EISDIR";
    return (mode & 0o111) === 0 ? "EACCES" : undefined;
  } finally {
    close(fd);
  }
}

function execError(name: string, errno: ExecErrno, text: string): SyscallError {
  const info = errnoInfo(ERRNO[errno]);
  return new SyscallError("execve", text === "" ? info : { ...info, text }, {
    detail: `exec: ${JSON.stringify(name)}`,
    pointer: "/process/args/0",
  });
}

/** The most of a hostile /etc/passwd that is read. */
const PASSWD_BYTES = 1 << 20;

/** The home of the process's user by the container's /etc/passwd, "/" if that does not say. */
export function findHome(root: number, { user }: Process): string {
  for (const line of readPasswd(root).split("\n")) {
    const [, , uid, , , home] = line.split(":");
    if (uid === `${user.uid}` && home) return home;
  }
  return "/";
}

function readPasswd(root: number): string {
  const opened: number[] = [];
  try {
    const found = openInRoot(root, "/etc/passwd", O_PATH);
    opened.push(found);
    const fd = openRegular(found);
    if (fd === undefined) return "";
    opened.push(fd);
    const chunks: Uint8Array[] = [];
    let total = 0;
    while (total < PASSWD_BYTES) {
      const chunk = read(fd, Math.min(65536, PASSWD_BYTES - total));
      if (chunk.length === 0) break;
      chunks.push(chunk);
      total += chunk.length;
    }
    return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  } catch (error) {
    if (error instanceof SyscallError) return "";
    throw error;
  } finally {
    opened.forEach(close);
  }
}

function openInRoot(root: number, path: string, flags: number): number {
  return openat2(root, path, { flags: flags | O_CLOEXEC, resolve: RESOLVE_IN_ROOT });
}
