/** A container's control group. @module */
import type { Resources } from "../runtime/spec/resources.ts";
import type { Stats } from "./stats.ts";

export interface AddOptions {
  /** A cgroup below, which is there. */
  readonly sub?: string;
  /** The container's init, for a process that comes later: {@linkcode Cgroup.entry}. */
  readonly init?: number;
}

/** A unit of systemd. */
export interface Unit {
  /** "hako-ID.scope" */
  readonly name: string;
  /** Whose: pid 1, or a user's. */
  readonly manager: "system" | "user";
}

/**
 * One directory in each hierarchy of control groups that is mounted. It is found by {@linkcode locateCgroup} before it
 * exists, and by {@linkcode openCgroup} after.
 *
 * Whatever fails throws a SyscallError that names the file, the value and the config member, or a ConfigError that says
 * what this machine cannot do. What is merely without effect here comes back as warnings.
 */
export interface Cgroup {
  /** By controller, with "" for cgroup v2: what a container's state keeps for {@linkcode openCgroup}. */
  readonly paths: Readonly<Record<string, string>>;

  /** That it belongs to, if systemd makes it: a container's state keeps it beside `paths`. */
  readonly unit?: Unit;

  /** A process is moved here by a manager, and by nobody else: `create`, or for a further one `add`, has to be told its pid. */
  readonly adopts: boolean;

  /**
   * The files of v1 that a process of one thread writes "0" to, to join by itself. They exist after `create`. There is no
   * such file for v2: a process is made there by clone3(2) with CLONE_INTO_CGROUP and a descriptor of `entry()`.
   *
   * With both nothing has to wait. Any other way, `add` too, waits for an RCU grace period: 15 ms on Linux 6.18.
   */
  readonly tasks: readonly string[];

  /**
   * The directory of cgroup v2 that a process is to be in; nothing without v2. A container may have divided its cgroup among
   * cgroups below, as systemd does: then nothing can be in the upper one any more, and the place is beside `init`.
   */
  entry(init?: number): string | undefined;

  /**
   * Makes the directories and sets the limits. If it fails nothing is left of what it has made.
   *
   * @param pid of the first process, where the cgroup {@linkcode Cgroup.adopts}
   * @returns warnings
   * @throws {ConfigError} if there are processes in it, or if it is frozen
   */
  create(resources: Resources, pid?: number): string[];

  /**
   * Sets limits: those in `resources`, all others stay as they are. Memory limits depend on each other, so pass members
   * of `resources.memory` together with what is stored of them: {@linkcode mergeResources}.
   *
   * @returns warnings
   */
  set(resources: Resources): string[];

  /** Moves a process here, before it makes its cgroup namespace. */
  add(pid: number, options?: AddOptions): void;

  /** All processes, those in cgroups below included, as seen from our pid namespace. */
  pids(): number[];

  /** Stops all processes until `thaw`. If it cannot they go on. */
  freeze(): void;
  thaw(): void;
  isFrozen(): boolean;

  /** SIGKILL to all processes, frozen ones included. It does not wait for their end. */
  kill(): void;

  /** Removes it and all cgroups below. Waits half a second for processes that are about to end. */
  delete(): void;

  /** Resource usage, as `runc events --stats` has it. */
  stats(): Stats;

  /** How many processes the kernel has killed for want of memory. */
  oomKillCount(): number;

  /** Gives cgroup v2 to a user, who may then make cgroups below: to root of the container's user namespace. */
  delegate(uid: number, gid: number): void;
}
