/**
 * A container, from its creation by this command or an earlier one to its deletion.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { encode, type Program } from "../init/encode.ts";
import type { Init } from "../init/init.ts";
import {
  diedInExecve,
  failure,
  hasExecuted,
  readReport,
  readSlot,
  release,
  type Report,
  waitForEnd,
} from "../init/report.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import { close } from "../linux/files.ts";
import { CPU, isErrno } from "../linux/libc.ts";
import { endsWithin, type ExitStatus, pidfdOpen, pidfdSendSignal, readStat } from "../linux/processes.ts";
import { hostFromJson } from "../plan/host.ts";
import { planCreate } from "../plan/plan.ts";
import type { Filter } from "../plan/seccomp.ts";
import type { Config, Resources } from "../spec/config.ts";
import { stringify } from "../spec/json.ts";
import { parseConfig } from "../spec/parse.ts";
import { type Cgroup, mergeResources, openCgroup, withDefaultDevices } from "./control_group.ts";
import { filterFromJson } from "./filter.ts";
import { type HookContext, runHooks } from "./hooks.ts";
import { removeResctrl } from "./intel_rdt.ts";
import { giveListener } from "./listener.ts";
import { isRootless } from "./rootless.ts";
import { type LaterHook, listIds, ociState, type State, StateDirectory } from "./state.ts";

/** The states of runtime.md, and runc's "paused". */
export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** How long a killed process may take to end: it can be in an uninterruptible call. */
const KILL_MILLISECONDS = 10_000;

export class Container {
  readonly state: State;
  readonly #directory: StateDirectory;
  /** Another command is about to create it. */
  readonly #isBeingCreated: boolean;
  /** If this command has created it. */
  readonly #init: Init | undefined;
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
    this.#init = own.init;
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
    if (isBeingCreated(directory)) throw new StateError(id, `container ${id} is being created`);
    if (isLockedForUs(directory)) throw beingStarted(id);
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
      refusal = Container.#whyKept(directory, id, force);
      if (refusal === undefined) directory.lock();
    } catch (error) {
      // Engines delete by force what they do not know to be there (moby, containerd's cleanup).
      if (force && error instanceof StateError) return;
      throw error;
    }
    if (refusal !== undefined) throw refusal;
    // Who made the directory was killed next, or who was about to remove it.
    if (!directory.has("state.json")) return directory.remove();
    Container.#readLocked(directory).delete(force);
  }

  /** Why a container that another command has locked cannot be deleted, not even by force. */
  static #whyKept(directory: StateDirectory, id: string, force: boolean): StateError | undefined {
    if (!directory.isLockedByOther()) return undefined;
    const container = Container.read(directory);
    const status = container.status();
    if (status === "creating" && !force) return notStopped(id, status);
    if (isLockedForUs(directory)) return status === "creating" ? notStopped(id, status) : beingStarted(id);
    // `start` may be waiting for a hook that never ends: it does with the container.
    if (status === "created" && force) container.#signalUnlessEnded(SIGKILL);
    return undefined;
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
    if (!this.#lives()) return "stopped";
    if (this.cgroup?.isFrozen()) return "paused";
    // A runtime that was killed while it started the container has not removed the socket.
    return this.#directory.has("socket") && !this.#hasExecuted() ? "created" : "running";
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
    this.#directory.lock();
    try {
      this.#start();
    } finally {
      this.#directory.unlock();
    }
  }

  #start(): void {
    const status = this.status();
    if (status === "stopped") throw new StateError(this.id, "cannot start a container that has stopped");
    if (status === "paused") throw new StateError(this.id, "cannot start a container in the paused state");
    if (status !== "created") throw new StateError(this.id, "cannot start an already running container");
    this.#runHooks("startContainer");
    try {
      this.#release();
    } finally {
      this.#directory.removeFile("socket");
    }
    // They may act on the container they belong to, and would wait for us.
    this.#directory.unlock();
    this.#runHooks("poststart");
  }

  /** A failure is the end of the container: runtime.md#lifecycle. */
  #runHooks(kind: "startContainer" | "poststart"): void {
    if (!this.#hasHooks(kind)) return;
    this.#orKill(() => runHooks(this.readConfig(), kind, this.#hookContext()));
  }

  #hasHooks(kind: LaterHook): boolean {
    return this.state.laterHooks?.includes(kind) ?? false;
  }

  #hookContext(): HookContext {
    const { id, pid, bundle, annotations } = this.state;
    return {
      id,
      pid,
      bundle,
      container: this,
      directory: this.#directory,
      ...annotations && { annotations },
    };
  }

  #release(): void {
    const init = this.#init;
    const atListener = () => this.#giveListener();
    if (init !== undefined) return this.#orKill(() => init.start(atListener));
    const name = readStat(this.pid)?.name ?? "";
    try {
      this.#orKill(() => release(this.#directory.path, atListener));
    } catch (error) {
      if (isErrno(error, "ECONNREFUSED")) {
        throw new StateError(this.id, "cannot start a container that has stopped");
      }
      throw error;
    }
    this.#orKill(() => {
      if (!this.#hasExecuted() || diedInExecve(this.pid, name)) {
        throw failure(this.id, this.#report(), this.#planAgain());
      }
    });
  }

  /** As runc and crun have it, the first process of a container that is "creating". */
  #giveListener(): void {
    const state = ociState(this.state, "creating");
    const give = (pidfd: number, listener: number) =>
      giveListener(this.readConfig(), { pid: this.pid, pidfd, listener }, state);
    const init = this.#init;
    if (init !== undefined) return give(init.pidfd, init.slot("$listener"));
    const pidfd = this.openPidfd();
    if (pidfd === undefined) throw new StateError(this.id, "cannot start a container that has stopped");
    try {
      const page = Deno.readFileSync(`${this.#directory.path}/status`);
      give(pidfd, readSlot(page, this.#planAgain(), "$listener"));
    } finally {
      close(pidfd);
    }
  }

  #hasExecuted(): boolean {
    return hasExecuted(this.#report(), this.state.records);
  }

  #report(): Report {
    return readReport(Deno.readFileSync(`${this.#directory.path}/status`));
  }

  /** An init that has failed is about to exit. Whoever looks at it next has to find it stopped. */
  #orKill(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#kill();
      throw error;
    }
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

  /** The program of its init: the same config and the same host give the same plan. */
  #planAgain(): Program {
    const config = this.readConfig();
    const host = hostFromJson(this.#directory.read("host.json"));
    return encode(planCreate(config, host, this.readFilter(config)), CPU, {});
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
    return this.#lives() ? [this.pid] : [];
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
    if (signal !== SIGKILL) return this.#signal(signal);
    const { cgroup } = this;
    // The kernel kills the others of a pid namespace when it kills the first (pid_namespaces(7)); of a shared one nobody does.
    if (this.state.sharedPids && cgroup !== undefined && cgroup.pids().length > 0) return cgroup.kill();
    this.#signal(SIGKILL);
    // A process that cgroup v1 has frozen dies when it goes on.
    if (cgroup?.isFrozen()) cgroup.thaw();
  }

  #signalUnlessEnded(signal: number): void {
    try {
      this.signal(signal);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }

  #signal(signal: number): void {
    const pidfd = this.openPidfd();
    if (pidfd === undefined) throw new StateError(this.id, "container not running");
    try {
      pidfdSendSignal(pidfd, signal);
    } catch (error) {
      if (isErrno(error, "ESRCH")) throw new StateError(this.id, "container not running");
      throw error;
    } finally {
      close(pidfd);
    }
  }

  /** Waits for the end of its program, while signals and promises are served. Only for the command that created it. */
  wait(): Promise<ExitStatus> {
    if (this.#init === undefined) throw new Error("only its parent can wait for a process");
    return this.#init.waitAsync();
  }

  /**
   * Removes the container.
   *
   * @param force kill it if it runs; another command may have deleted it already
   * @throws {StateError} if it runs
   */
  delete(force = false): void {
    try {
      this.#directory.lock();
    } catch (error) {
      if (!force || !(error instanceof StateError)) throw error;
      this.#kill();
      return this.close();
    }
    const status = this.status();
    if (force && status === "paused") this.cgroup?.thaw();
    if (!force && status !== "stopped" && status !== "created") {
      throw notStopped(this.id, status);
    }
    if (this.pid === 0) return this.#removeUnfinished();
    // Its directory will be gone.
    const config = this.#hasHooks("poststop") ? this.readConfig() : undefined;
    this.#kill();
    this.close();
    this.#removeGroups();
    this.#directory.remove();
    if (config !== undefined) runHooks(config, "poststop", this.#hookContext());
  }

  /** Its creator was killed. The init sees that at its next barrier at the latest, and ends. */
  #removeUnfinished(): void {
    const { cgroup } = this;
    if (cgroup !== undefined && cgroup.pids().length > 0) cgroup.kill();
    if (!waitForEnd(this.#directory.path, KILL_MILLISECONDS)) {
      throw new StateError(this.id, "container init still running");
    }
    this.#removeGroups();
    this.#directory.remove();
  }

  #removeGroups(): void {
    const { cgroup } = this;
    // Without a pid namespace of its own its other processes do not end with the first.
    if (cgroup !== undefined && cgroup.pids().length > 0) cgroup.kill();
    cgroup?.delete();
    if (this.state.resctrl !== undefined) removeResctrl(this.state.resctrl);
  }

  /** Lets go of it: it lives on. */
  close(): void {
    this.#init?.close();
    if (this.terminal !== undefined) close(this.terminal);
  }

  #kill(): void {
    if (this.#init !== undefined) return this.#init.kill();
    const pidfd = this.openPidfd();
    if (pidfd === undefined) return;
    try {
      pidfdSendSignal(pidfd, SIGKILL);
      if (!endsWithin(pidfd, KILL_MILLISECONDS)) {
        throw new StateError(this.id, "container init still running");
      }
    } catch (error) {
      if (!isErrno(error, "ESRCH")) throw error;
    } finally {
      close(pidfd);
    }
  }

  /** A zombie does not: whoever is to reap it may take its time. */
  #lives(): boolean {
    if (this.#init?.isReaped) return false;
    const stat = readStat(this.pid);
    return stat?.startTime === this.state.startTime && !"ZX".includes(stat.state);
  }

  /** Opened first and compared then: so it refers to our process, or is not used. */
  openPidfd(): number | undefined {
    let pidfd: number;
    try {
      pidfd = pidfdOpen(this.pid);
    } catch (error) {
      if (isErrno(error, "ESRCH", "EINVAL")) return undefined;
      throw error;
    }
    let lives = false;
    try {
      lives = this.#lives();
    } finally {
      if (!lives) close(pidfd);
    }
    return lives ? pidfd : undefined;
  }
}

function isBeingCreated(directory: StateDirectory): boolean {
  return directory.isLockedByOther() && Container.read(directory).status() === "creating";
}

/** Whether the command that holds the lock may be waiting for us: we are a part of one of its hooks. */
function isLockedForUs(directory: StateDirectory): boolean {
  let holder: number | undefined;
  // While a lock changes hands nobody is seen to hold it, but not five times in a row.
  for (let looks = 0; looks < 5 && !holder; looks++) {
    if (!directory.isLockedByOther()) return false;
    holder = directory.lockHolder();
    if (holder === undefined) break;
  }
  // With the /proc of the container's pid namespace a startContainer hook sees neither it nor the container's init.
  if (holder === 0) return Container.read(directory).status() === "stopped";
  // A createContainer hook is in the container's pid namespace, but has the host's /proc.
  for (let pid = Number(Deno.readLinkSync("/proc/self")); pid > 1; pid = readStat(pid)?.parent ?? 0) {
    if (pid === holder) return true;
  }
  return false;
}

function beingStarted(id: string): StateError {
  return new StateError(id, `container ${id} is being started`);
}

function notStopped(id: string, status: Status): StateError {
  return new StateError(id, `cannot delete container ${id} that is not stopped: ${status}`);
}
