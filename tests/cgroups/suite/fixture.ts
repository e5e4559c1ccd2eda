/** A cgroup for each test, on any machine. @module */
import { assert, assertThrows } from "@std/assert";
import { type Cgroup, openCgroup } from "../../../cgroups/mod.ts";

/** Where cgroups are made. */
export interface Machine {
  readonly name: string;
  /** Names of controllers as v1 and v2 have them. */
  readonly controllers: { readonly v1: readonly string[]; readonly v2: readonly string[] };
  /** What `locateCgroup` finds for an absolute path. */
  locate(path: string): Cgroup;
  /** Runs a shell script in a cgroup. Absent: there is no kernel that would notice. */
  readonly start?: (cgroup: Cgroup, script: string) => Process;
  /** What removing a directory needs beforehand. */
  readonly beforeDelete?: (cgroup: Cgroup) => void;
  readonly skip?: readonly { readonly reason: string; readonly tests: RegExp }[];
}

/** A process in a cgroup. */
export interface Process {
  readonly pid: number;
  /** Of the process alone: what it had to say, and "code 0" or "signal SIGKILL". */
  readonly end: Promise<{ readonly stdout: string; readonly stderr: string; readonly status: string }>;
}

let count = 0;

/** Defines a test with a cgroup of its own, of which nothing is left in the end. */
export function cgroupTest(
  machine: Machine,
  name: string,
  fn: (cgroup: Cgroup, open: (again?: boolean) => Cgroup) => void | Promise<void>,
  absent?: string,
): void {
  const reason = absent ?? machine.skip?.find(({ tests }) => tests.test(name))?.reason;
  Deno.test({
    name: `${machine.name}: ${name}${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    ignore: reason !== undefined,
    async fn() {
      const path = `/hako-test-${Deno.pid}-${count++}`;
      const cgroup = machine.locate(path);
      try {
        await fn(cgroup, (again = false) => again ? machine.locate(path) : openCgroup(cgroup.paths));
      } finally {
        machine.beforeDelete?.(cgroup);
        if (machine.start) cgroup.kill();
        cgroup.delete();
      }
    },
  });
}

export const MB = 1 << 20;

export function message(fn: () => void): string {
  return (assertThrows(fn) as Error).message;
}

export function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    assert(Date.now() < end, "it has not happened in 5 s");
    await pause(10);
  }
}
