/**
 * The programs that no correct runtime passes, or none on this machine, or not each time, and why.
 *
 * @module
 */

/** What is not the same on all machines. */
export interface Machine {
  /** Whether /sys/fs/cgroup is cgroup2 and nothing else. */
  readonly pureV2: boolean;
  /** The controllers that a program finds as cgroup v1. */
  readonly v1: readonly string[];
  /** Whether we have every capability that the kernel knows. */
  readonly allCapabilities: boolean;
  readonly appArmor: boolean;
}

type Reason = string | ((machine: Machine) => string | undefined);

const needs = (controller: string): Reason => ({ v1 }) =>
  v1.includes(controller)
    ? undefined
    : `the machine has no ${controller} that is free to be mounted as cgroup v1`;

const BLKIO = "asks for blkio.leaf_weight, which went with the CFQ scheduler in Linux 5.0";
const KMEM =
  "asks for a limit of kernel memory, which Linux ignores since 5.16 and has no file for since 6.12";

const IMPOSSIBLE: Readonly<Record<string, Reason>> = {
  delete: "wants `delete` of a created container to fail: runtime.md leaves it open, and engines rely on it",
  hooks: "compares with text that lacks the words which its own hooks print",
  misc_props: "its bundle lacks the executable that it names",
  prestart: "wants prestart hooks after `start`: since 1.0.2 they run before `create` returns",
  process_capabilities_fail:
    "wants an unknown capability to be an error: since 1.1 runtimes ignore it with a warning",
  process_rlimits: "reads its soft RLIMIT_NOFILE in Go, whose runtime has raised it",
  start: "wants to `create` and then `start` without `process.args`",

  linux_cgroups_blkio: BLKIO,
  linux_cgroups_relative_blkio: BLKIO,
  linux_cgroups_memory: KMEM,
  linux_cgroups_relative_memory: KMEM,

  linux_cgroups_hugetlb: needs("hugetlb"),
  linux_cgroups_relative_hugetlb: needs("hugetlb"),
  linux_cgroups_network: needs("net_cls"),
  linux_cgroups_relative_network: needs("net_cls"),
  linux_process_apparmor_profile: ({ appArmor }) =>
    appArmor ? "asks for a profile that nobody has loaded" : "the kernel has no AppArmor",
  process_capabilities: ({ allCapabilities }) =>
    allCapabilities ? undefined : "asks for all capabilities, and we have not all of them",
};

/** These pass or fail by chance: who fails has not lost a race, but who passes has won one. */
const CHANCE: Readonly<Record<string, string>> = {
  pidfile: "sends a signal to a program that may have ended by then",
};

/** These watch two processes that run at once, and want one of them to be first: on a busy machine it may be second. */
const RACES: Readonly<Record<string, string>> = {
  poststart: "wants a line of the program's before one of the hook's: both are running when they write",
  killsig: "sends a signal to a shell that may not have run its `trap` yet",
  hooks_stdin: "gives a hook one second of the clock's",
};

/** What has to come of a program. */
export type Expected =
  | { readonly verdict: "pass"; /** Why it may fail, but not each time. */ readonly race?: string }
  | { readonly verdict: "fail" | "either"; readonly reason: string };

export function expected(program: string, machine: Machine): Expected {
  const chance = CHANCE[program];
  if (chance !== undefined) return { verdict: "either", reason: chance };
  const race = RACES[program];
  if (race !== undefined) return { verdict: "pass", race };
  const reason = IMPOSSIBLE[program];
  const why = machine.pureV2 && program.startsWith("linux_cgroups_")
    ? "the suite reads cgroup v1 alone"
    : typeof reason === "function"
    ? reason(machine)
    : reason;
  return why === undefined ? { verdict: "pass" } : { verdict: "fail", reason: why };
}

/** The names that are listed here and that the suite does not have. */
export function unknownPrograms(programs: readonly string[]): string[] {
  return [IMPOSSIBLE, CHANCE, RACES].flatMap(Object.keys).filter((name) => !programs.includes(name));
}
