/**
 * A container, from its creation by this command or an earlier one to its deletion.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import type { Init } from "../init/init.ts";
import { hasExecuted, readReport } from "../init/report.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import { close } from "../linux/files.ts";
import type { ExitStatus } from "../linux/processes.ts";
import type { Filter } from "../plan/seccomp.ts";
import type { Config, Resources } from "../spec/config.ts";
import { stringify } from "../spec/json.ts";
import { parseConfig } from "../spec/parse.ts";
import { type Cgroup, mergeResources, openCgroup, withDefaultDevices } from "./control_group.ts";
import { remove, whyKept } from "./delete.ts";
import { filterFromJson } from "./filter.ts";
import { FirstProcess } from "./first_process.ts";
import { beingStarted, isLockedForUs } from "./lock_holder.ts";
import { isRootless } from "./rootless.ts";
import { start } from "./start.ts";
import { listIds, type State, StateDirectory } from "./state.ts";

/** The states of runtime.md, and runc's "paused". */
export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** A container, and what only this folder sees of it. */
export interface Parts {
  readonly container: Container;
  readonly directory: StateDirectory;
  readonly process: FirstProcess;
}

export class Container {
  readonly state: State;
  readonly #directory: StateDirectory;
  /** Another command is about to create it. */
  readonly #isBeingCreated: boolean;
  readonly #process: FirstProcess;
  /** Read already. */
  #config: Config | undefined;
  /** The master of its terminal, if it has one and this command keeps it. */
  readonly terminal: number | undefined;

  constructor(
    state: State,
    directory: StateDirectory,
    own: {
      readonly init?: Init;
      readonly config?: Config;
      readonly terminal?: number;
      readonly isBeingCreated?: boolean;
    } = {},
  ) {
    this.state = state;
    this.#directory = directory;
    this.#isBeingCreated = own.isBeingCreated ?? false;
    this.#process = new FirstProcess(state, own.init);
    this.#config = own.config;
    this.terminal = own.terminal;
  }

  /**
   * A container that another command has created, or is about to.
   *
   * @throws {StateError} if there is none
   */
  static load(root: string, id: string): Container {
    return Container.read(StateDirectory.open(root, id));
  }

  /**
   * The same, for a change: no other command changes it until the end of this one.
   *
   * @throws {StateError} if there is none; if it is being created, or if it is being started and one of its hooks is what
   * asks: to wait for that would be to wait for hooks, which may be waiting for us
   */
  static loadLocked(root: string, id: string): Container {
    const directory = StateDirectory.open(root, id);
    const status = () => Container.read(directory).status();
    if (directory.isLockedByOther() && status() === "creating") {
      throw new StateError(id, `container ${id} is being created`);
    }
    if (isLockedForUs(directory, status)) throw beingStarted(id);
    directory.lock();
    return Container.#readLocked(directory);
  }

  /**
   * Removes a container, or what is left of one whose creator was killed.
   *
   * @param force kill it if it runs, and wait for the end of its creation; it need not exist
   * @throws {StateError} if there is none, or it runs, or one of its own hooks asks while it is being created or started
   */
  static delete(root: string, id: string, force = false): void {
    let directory: StateDirectory;
    let refusal: StateError | undefined;
    try {
      directory = StateDirectory.open(root, id);
      if (directory.isLockedByOther()) refusal = whyKept(Container.read(directory), directory, force);
      if (refusal === undefined) directory.lock();
    } catch (error) {
      // Engines delete by force what they do not know to be there (moby, containerd's cleanup).
      if (force && error instanceof StateError) return;
      throw error;
    }
    if (refusal !== undefined) throw refusal;
    try {
      // Who made the directory was killed next, or who was about to remove it.
      if (!directory.has("state.json")) return directory.remove();
      Container.read(directory).delete(force);
    } finally {
      directory.unlock();
    }
  }

  static #readLocked(directory: StateDirectory): Container {
    try {
      return Container.read(directory);
    } catch (error) {
      directory.unlock();
      throw error;
    }
  }

  /** The container of a directory that is locked by us, or not at all. */
  static read(directory: StateDirectory): Container {
    const state = directory.readState();
    if (state.pid !== 0) return new Container(state, directory);
    const isBeingCreated = directory.isLockedByOther();
    // If it is not, its creator was killed, or has finished between our two looks.
    return new Container(isBeingCreated ? state : directory.readState(), directory, { isBeingCreated });
  }

  /** All containers that can be loaded. */
  static list(root: string): Container[] {
    return listIds(root).flatMap((id) => {
      try {
        return [Container.load(root, id)];
      } catch (error) {
        // It was deleted meanwhile, or its creation has just begun.
        if (error instanceof StateError) return [];
        throw error;
      }
    });
  }

  get id(): string {
    return this.state.id;
  }

  /** Of its init, and later of its program, as we see it. */
  get pid(): number {
    return this.state.pid;
  }

  status(): Status {
    if (this.#isBeingCreated) return "creating";
    if (!this.#process.lives()) return "stopped";
    if (this.cgroup?.isFrozen()) return "paused";
    // A runtime that was killed while it started the container has not removed the socket.
    return this.#directory.has("socket") && !this.#hasExecuted() ? "created" : "running";
  }

  #hasExecuted(): boolean {
    return hasExecuted(readReport(this.#directory.readStatusPage()), this.state.records);
  }

  get cgroup(): Cgroup | undefined {
    const { cgroupPaths, cgroupUnit: unit } = this.state;
    return cgroupPaths && openCgroup(cgroupPaths, { rootless: isRootless(), unit });
  }

  /**
   * Runs the program. After that other commands may change the container.
   *
   * @throws {SyscallError} the step that failed, execve(2) included: a start that returns is a program that runs
   * @throws {StateError} unless the container is created
   */
  start(): void {
    start(this.#parts);
  }

  get #parts(): Parts {
    return { container: this, directory: this.#directory, process: this.#process };
  }

  /** The configuration that it was created with. */
  readConfig(): Config {
    return this.#config ??= parseConfig(this.#directory.read("config.json"));
  }

  /** The seccomp filter of its processes, if its `config` has one. */
  readFilter({ linux }: Config): Filter | undefined {
    return linux?.seccomp && filterFromJson(this.#directory.read("filter.json"));
  }

  /** The path of its directory. */
  get directory(): string {
    return this.#directory.path;
  }

  /** Stops all processes. @throws {StateError} unless it runs */
  pause(): void {
    const status = this.status();
    if (status === "paused") throw new StateError(this.id, "container paused");
    if (status !== "running" && status !== "created") throw new StateError(this.id, "container not running");
    this.#requireCgroup().freeze();
  }

  /** Lets them go on. @throws {StateError} unless it is paused */
  resume(): void {
    if (this.status() !== "paused") throw new StateError(this.id, "container not paused");
    this.#requireCgroup().thaw();
  }

  /** All its processes, as we see them. */
  pids(): number[] {
    if (this.cgroup !== undefined) return this.cgroup.pids();
    return this.#process.lives() ? [this.pid] : [];
  }

  /**
   * Changes limits; what is not among `resources` keeps its value.
   *
   * @returns warnings
   */
  update(resources: Resources): string[] {
    if (this.status() === "stopped") throw new StateError(this.id, "container not running");
    const stored = this.state.resources ?? withDefaultDevices(this.readConfig().linux?.resources);
    const changes = resources.devices === undefined ? resources : withDefaultDevices(resources);
    const merged = mergeResources(stored, changes);
    // Only what is asked for: the rest may have been changed by others, and is not ours to set back.
    const asked = Object.fromEntries(Object.entries(merged).filter(([name]) => name in changes));
    const warnings = this.#requireCgroup().set(asked);
    this.#directory.write("state.json", stringify({ ...this.state, resources: merged }));
    return warnings;
  }

  #requireCgroup(): Cgroup {
    const { cgroup } = this;
    if (cgroup === undefined) throw new StateError(this.id, "the container has no cgroup");
    return cgroup;
  }

  /**
   * Sends a signal to its first process. SIGKILL is the end of all its processes.
   *
   * @throws {StateError} if the first has ended
   */
  signal(signal: number): void {
    if (signal !== SIGKILL) return this.#process.signal(signal);
    const { cgroup } = this;
    // The kernel kills the others of a pid namespace when it kills the first (pid_namespaces(7)); of a shared one nobody does.
    if (this.state.sharedPids && cgroup !== undefined && cgroup.pids().length > 0) return cgroup.kill();
    this.#process.signal(SIGKILL);
    // A process that cgroup v1 has frozen dies when it goes on.
    if (cgroup?.isFrozen()) cgroup.thaw();
  }

  /** Waits for the end of its program, while signals and promises are served. Only for the command that created it. */
  wait(): Promise<ExitStatus> {
    return this.#process.wait();
  }

  /**
   * Removes the container.
   *
   * @param force kill it if it runs; another command may have deleted it already
   * @throws {StateError} if it runs
   */
  delete(force = false): void {
    remove(this.#parts, force);
  }

  /** Lets go of it: it lives on. */
  close(): void {
    this.#process.init?.close();
    if (this.terminal !== undefined) close(this.terminal);
  }

  /** A pidfd of its first process, unless that has ended. */
  openPidfd(): number | undefined {
    return this.#process.open();
  }
}
