/**
 * What a machine lacks when a system call fails in a way that only this explains. It is looked at after the failure: to ask
 * before would cost every command time.
 *
 * @module
 */
import type { SyscallError } from "../errors.ts";

/** The oldest Linux that has all that we use: the last to come were mount_setattr(2), in 5.12, and cgroup.kill. */
const OLDEST = [5, 14] as const;

/** To be put behind the error's message; nothing if the machine has no part in it that shows. */
export function adviceOn({ call, errno }: SyscallError): string | undefined {
  switch (errno.name) {
    case "ENOSYS":
      return kernelAdvice() ?? FILTER;
    case "EPERM":
      return isFiltered() ? FILTER : undefined;
    case "ENOSPC":
      return CREATING.has(call) ? "a limit of namespaces in /proc/sys/user is reached" : undefined;
    case "EAGAIN":
      return CREATING.has(call)
        ? "the limit of processes (ulimit -u) or of the cgroup (pids.max) is reached"
        : undefined;
    case "EMFILE":
      return "the limit of descriptors (ulimit -n) is too low";
  }
}

/** Whether procfs is where it has to be. */
export function hasProc(): boolean {
  try {
    return Deno.lstatSync("/proc/self").isSymlink;
  } catch {
    return false;
  }
}

const CREATING: ReadonlySet<string> = new Set(["unshare", "clone", "clone3", "posix_spawn"]);
const FILTER = "a seccomp filter that Hako itself runs behind may deny it";

function kernelAdvice(): string | undefined {
  const release = Deno.osRelease();
  const [major = 0, minor = 0] = release.split(".").map((part) => parseInt(part));
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? `this is Linux ${release}, and Hako needs ${OLDEST.join(".")} or later` : undefined;
}

function isFiltered(): boolean {
  return /^Seccomp:\s*2$/m.test(read("/proc/self/status"));
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
