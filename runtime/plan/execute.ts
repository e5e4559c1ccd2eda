/**
 * The end of the plan: the working directory, the descriptors, and execve(2).
 *
 * @see execve(2), config.md#process
 * @module
 */
import { CLOSE_RANGE_CLOEXEC, O_DIRECTORY, O_PATH } from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { openInRoot, openOrCreateInRoot } from "./in_root.ts";
import { firstIdmapFd, firstOwnFd, LAST_FD } from "./inherited.ts";
import { type LateArg, type Node, type Reason, slot, step } from "./node.ts";

/**
 * Enters `process.cwd`, which is made if it is missing, unless it is for a process that joins: a container's user has
 * mistyped it then, and the runtime is not to change the files of somebody who is at work.
 *
 * By a descriptor that was opened beneath `$root`, so it cannot be outside of it, however the path is written
 * (CVE-2024-21626). While we are root: the user may not be allowed to pass the directories above.
 */
export function workingDirectory({ cwd }: Process, missing: "create" | "fail"): Node[] {
  const reason: Reason = { label: `enter ${cwd}`, pointer: "/process/cwd" };
  return [
    ...(missing === "create"
      ? openOrCreateInRoot(reason, { path: cwd, type: "directory", save: "$cwd" })
      : [openInRoot(reason, cwd, "$cwd", { flags: O_PATH | O_DIRECTORY })]),
    step(reason, "fchdir", [slot("$cwd")]),
  ];
}

/** Lets go of all that the plan has opened: a waiting init keeps the barrier, the streams and the working directory. */
export function closeDescriptors(host: Host): Node[] {
  return [
    step({ label: "close the descriptors of the plan", pointer: "runtime" }, "close_range", [
      firstIdmapFd(host),
      LAST_FD,
      0,
    ]),
  ];
}

/**
 * Has execve(2) close everything that the container is not given. The barrier is among it: its end tells the runtime that
 * the program runs.
 */
export function closeOnExec(host: Host): Node[] {
  return [
    step({ label: "close descriptors at execve", pointer: "runtime" }, "close_range", [
      firstOwnFd(host),
      LAST_FD,
      CLOSE_RANGE_CLOEXEC,
    ]),
  ];
}

/** Becomes the container's process. */
export function execute(process: Process, { env = [] }: Pick<Host, "env"> = {}): Node[] {
  return [
    step({ label: `exec ${JSON.stringify(process.args[0])}`, pointer: "/process/args" }, "execve", [
      { late: "executable" },
      { strings: process.args },
      { strings: environment([...process.env ?? [], ...env]) },
    ]),
  ];
}

/** The last entry of a name counts. HOME comes from the container's /etc/passwd if there is none, or an empty one. */
export function environment(env: readonly string[]): (string | LateArg)[] {
  const entries = new Map<string, string>();
  for (const entry of env) {
    const name = entry.slice(0, entry.indexOf("="));
    entries.delete(name);
    entries.set(name, entry);
  }
  if (!lacksHome(env)) return [...entries.values()];
  entries.delete("HOME");
  return [...entries.values(), { late: "HOME" }];
}

/** Whether it is for the container's /etc/passwd to say. */
export function lacksHome(env: readonly string[] = []): boolean {
  const home = env.findLast((entry) => entry.startsWith("HOME="));
  return home === undefined || home === "HOME=";
}
