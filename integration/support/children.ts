/** Our own children, those included that were left to us by others. @module */
import { PR_SET_CHILD_SUBREAPER } from "../../runtime/linux/generated/constants.ts";
import { syscall } from "../../runtime/linux/libc.ts";
import { wait } from "../../runtime/linux/processes.ts";

/** A child, and what proc_pid_stat(5) says of it. */
export interface Child {
  readonly pid: number;
  readonly name: string;
  /** "R", "S", "Z", ... */
  readonly state: string;
}

/** From now on all orphans come to us, so that those of containers can be told from other people's processes. */
export function adoptOrphans(): void {
  syscall("prctl", [PR_SET_CHILD_SUBREAPER, 1]);
}

/** All children that live. Dead ones are reaped, so no command of a test may be running. */
export function livingChildren(): Child[] {
  const children = [...Deno.readDirSync("/proc")].flatMap(({ name }) => childOfOurs(Number(name)));
  for (const { pid } of children.filter(({ state }) => state === "Z")) wait(pid);
  return children.filter(({ state }) => state !== "Z");
}

/** Reaps dead children that are no commands of a test, which may run meanwhile: what a shim does for its containers. */
export function reapOrphans(): void {
  const children = [...Deno.readDirSync("/proc")].flatMap(({ name }) => childOfOurs(Number(name)));
  // A script begins as a shell.
  const commands = ["hako", "sh", "deno"];
  const orphans = children.filter(({ state, name }) => state === "Z" && !commands.includes(name));
  for (const { pid } of orphans) wait(pid);
}

function childOfOurs(pid: number): Child[] {
  if (!pid) return [];
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return []; // It has just ended.
  }
  const [, name = "", state = "", parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat) ?? [];
  return Number(parent) === Deno.pid ? [{ pid, name, state }] : [];
}

/** Kills what `command` has left to us, until it has let go of its output. */
export async function killWithOrphans(command: Deno.ChildProcess): Promise<void> {
  try {
    command.kill("SIGKILL");
  } catch (error) {
    // It has ended, and what it has left holds its output.
    if (!(error instanceof TypeError)) throw error;
  }
  await command.status;
  for (const { pid } of livingChildren()) Deno.kill(pid, "SIGKILL");
}
