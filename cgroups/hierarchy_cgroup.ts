/** A cgroup that is a directory in each mounted hierarchy, of whichever version. @module */
import { ConfigError, StateError, SyscallError, UsageError } from "../runtime/errors.ts";
import { attempt } from "../runtime/linux/deno_error.ts";
import { isErrno } from "../runtime/linux/libc.ts";
import type { Resources } from "../runtime/spec/resources.ts";
import type { AddOptions, Cgroup } from "./cgroup.ts";
import type { Controller, FileController, Setting } from "./controller.ts";
import { CONTROLLERS } from "./controllers.ts";
import { Directory, pointerTo, sleep } from "./directory.ts";
import { removeTree, signalAll } from "./remove.ts";
import { emptyStats, parseInteger, parsePairs, type Stats } from "./stats.ts";
import { inheritCpuset } from "./v1/cpuset.ts";
import * as freezerV1 from "./v1/freezer.ts";
import { enableControllers, explainAbsence, settleType } from "./v2/create.ts";
import * as freezerV2 from "./v2/freezer.ts";

interface Options {
  /** By controller, as the paths: only needed for `create`. */
  readonly mountPoints?: Readonly<Record<string, string>>;
  /** Limits of devices are left out where we have no right to them. */
  readonly rootless?: boolean;
  /** Do without the hierarchies where we have no right to make a directory. */
  readonly optional?: boolean;
  /** Somebody else has made it for us, and put our process there. */
  readonly given?: boolean;
}

/** A controller, and where it is; nowhere if it is not mounted. */
interface Part {
  readonly controller: Controller;
  readonly directory?: Directory;
}

/** v1, hybrid and v2 differ in which directories there are. */
export class HierarchyCgroup implements Cgroup {
  readonly #options: Options;
  #paths: Readonly<Record<string, string>>;

  constructor(paths: Readonly<Record<string, string>>, options: Options = {}) {
    this.#paths = paths;
    this.#options = options;
  }

  readonly adopts = false;

  get paths(): Readonly<Record<string, string>> {
    return this.#paths;
  }

  get tasks(): string[] {
    return this.#directories().filter(({ path }) => path !== this.#paths[""]).map(({ path }) =>
      `${path}/tasks`
    );
  }

  create(resources: Resources): string[] {
    const made: Directory[] = [];
    try {
      const existing = this.#directories().filter((directory) => !this.#make(directory, made));
      if (existing.length > 0 && !this.#options.given) this.#refuseUsed(existing);
      const cpuset = this.#directory("cpuset");
      if (cpuset) inheritCpuset(cpuset.parent, this.#mountPoint("cpuset"));
      const unified = this.#directory("");
      if (unified) this.#prepareUnified(unified, resources);
      const warnings = this.set(resources);
      // After set: what a sibling has for itself alone cannot be inherited, and need not be.
      if (cpuset) inheritCpuset(cpuset, this.#mountPoint("cpuset"));
      return warnings;
    } catch (error) {
      for (const directory of made.reverse()) tryRemove(directory);
      throw error;
    }
  }

  set(resources: Resources): string[] {
    const warnings: string[] = [];
    for (const part of this.#parts()) {
      const member = part.controller.asks(resources);
      if (member !== undefined) warnings.push(...this.#set(part, member, resources));
      if (part.directory !== undefined) warnings.push(...part.controller.warnings(resources));
    }
    return warnings;
  }

  /** Pure: what `set` would write to files with names. Devices are none of them. */
  settings(resources: Resources): Setting[] {
    return this.#parts().flatMap(({ controller, directory }) =>
      directory && "settings" in controller ? (controller as FileController).settings(resources) : []
    );
  }

  /** @throws if the kernel would not refuse what it should */
  check(resources: Resources): void {
    for (const { controller, directory } of this.#parts()) {
      if (directory) controller.check?.(directory, resources);
    }
  }

  entry(init?: number): string | undefined {
    const unified = this.#directory("");
    if (unified === undefined || init === undefined) return unified?.path;
    const divided = unified.tryRead("cgroup.subtree_control")?.trim();
    return divided ? placeOf(init, unified).path : unified.path;
  }

  add(pid: number, { sub = "", init }: AddOptions = {}): void {
    if (sub.split("/").includes("..")) throw new UsageError(`bad sub cgroup path: ${sub}`);
    for (const directory of this.#directories()) {
      if (sub !== "") join(directory.below(sub), pid);
      else if (directory.path === this.#paths[""]) join(new Directory(this.entry(init)!), pid);
      else join(directory, pid);
    }
  }

  pids(): number[] {
    const directory = this.#directory("devices") ?? this.#directories()[0];
    return directory?.exists() ? allProcesses(directory) : [];
  }

  freeze(): void {
    const { directory, freezer } = this.#freezer();
    if (directory === undefined) throw new StateError("", "cannot freeze: there is no freezer");
    freezer.freeze(directory);
  }

  thaw(): void {
    const { directory, freezer } = this.#freezer();
    if (directory !== undefined) freezer.thaw(directory);
  }

  isFrozen(): boolean {
    const { directory, freezer } = this.#freezer();
    return directory !== undefined && freezer.isFrozen(directory);
  }

  kill(): void {
    const unified = this.#directory("");
    try {
      // Beside v1 it may have been left out.
      if (unified && isPopulated(unified)) unified.write("cgroup.kill", "1");
      else if (this.pids().length > 0) this.#killOneByOne();
    } finally {
      // A process that v1 has frozen dies when it goes on.
      if (this.isFrozen()) this.thaw();
    }
  }

  delete(): void {
    this.#directories().forEach(removeTree);
  }

  stats(): Stats {
    const stats = emptyStats();
    for (const { controller, directory } of this.#parts()) if (directory) controller.stats(directory, stats);
    return stats;
  }

  oomKillCount(): number {
    const text = this.#directory("memory")?.tryRead("memory.oom_control") ??
      this.#directory("")?.tryRead("memory.events") ?? "";
    return Number(parseInteger(parsePairs(text).oom_kill));
  }

  delegate(uid: number, gid: number): void {
    const unified = this.#directory("");
    if (unified === undefined) return;
    const files = new Directory("/sys/kernel/cgroup").tryRead("delegate")?.trim().split("\n") ?? DELEGATED;
    const paths = [unified.path, ...files.map((file) => `${unified.path}/${file}`)];
    for (const path of paths) {
      try {
        attempt("chown", { path }, () => Deno.chownSync(path, uid, gid));
      } catch (error) {
        // The list is of all files that the kernel may have: those of controllers are not everywhere.
        if (!isErrno(error, "ENOENT")) throw error;
      }
    }
  }

  #directory(controller: string): Directory | undefined {
    const path = this.#paths[controller];
    return path === undefined ? undefined : new Directory(path);
  }

  /** Each once, although "cpu,cpuacct" may be one. */
  #directories(): Directory[] {
    return [...new Set(Object.values(this.#paths))].map((path) => new Directory(path));
  }

  #mountPoint(controller: string): string {
    return this.#options.mountPoints![controller]!;
  }

  #parts(): Part[] {
    const unified = this.#directory("");
    const alone = Object.keys(this.#paths).length === 1;
    return CONTROLLERS.map(({ v1, v2, gone }): Part => {
      const directory = v1 && this.#directory(v1.name);
      if (directory !== undefined) return { controller: v1!, directory };
      return v2 && unified && (alone || !gone)
        ? { controller: v2, directory: unified }
        : { controller: (v1 ?? v2)! };
    });
  }

  /** @returns false if it is there already */
  #make(directory: Directory, made: Directory[]): boolean {
    try {
      const root = Object.keys(this.#paths).find((name) => this.#paths[name] === directory.path)!;
      return makeTree(directory, this.#mountPoint(root), made);
    } catch (error) {
      if (!this.#options.optional || !isErrno(error, "EACCES", "EPERM", "EROFS")) throw error;
      this.#paths = Object.fromEntries(
        Object.entries(this.#paths).filter(([, path]) => path !== directory.path),
      );
      return true;
    }
  }

  #refuseUsed(existing: readonly Directory[]): void {
    const count = Math.max(...existing.map((directory) => allProcesses(directory).length));
    const where = existing[0]!.path;
    if (count > 0) {
      throw new ConfigError(
        "/linux/cgroupsPath",
        `container's cgroup is not empty: ${count} process(es) found in ${where}`,
      );
    }
    if (this.isFrozen()) {
      throw new ConfigError("/linux/cgroupsPath", `container's cgroup unexpectedly frozen: ${where}`);
    }
  }

  /** With cgroup v2 alone all controllers are handed down, for their statistics; beside v1 those that are asked for. */
  #prepareUnified(unified: Directory, resources: Resources): void {
    const root = this.#mountPoint("");
    const asked = new Map<string, string>();
    for (const { controller, directory } of this.#parts()) {
      const member = controller.asks(resources);
      if (member !== undefined && directory?.path === unified.path) {
        asked.set(controller.name, pointerTo(member));
      }
    }
    for (const file of Object.keys(resources.unified ?? {})) {
      asked.set(file.split(".")[0]!, pointerTo(`/unified/${file}`));
    }
    // Programs and files of every cgroup are no controllers.
    for (const name of ["devices", "unified", "cgroup"]) asked.delete(name);
    settleType(unified, root, asked);
    const alone = Object.keys(this.#paths).length === 1;
    if (alone || asked.size > 0) enableControllers(unified, root, alone ? "all" : new Set(asked.keys()));
  }

  #set({ controller, directory }: Part, member: string, resources: Resources): string[] {
    const devices = controller.name === "devices" && this.#options.rootless;
    if (directory === undefined) {
      if (devices) return [UNLIMITED_DEVICES];
      throw new ConfigError(pointerTo(member), `cannot be set: ${this.#whyMissing(controller.name)}`);
    }
    try {
      controller.set(directory, resources);
    } catch (error) {
      if (devices && isErrno(error, "EPERM", "EACCES")) return [UNLIMITED_DEVICES];
      if (directory.path === this.#paths[""] && isErrno(error, "ENOENT") && error.path !== undefined) {
        const reason = explainAbsence(directory, error.path.slice(directory.path.length + 1));
        if (reason !== undefined) throw new ConfigError(error.pointer ?? pointerTo(member), reason);
      }
      throw error;
    }
    return [];
  }

  #whyMissing(name: string): string {
    if (Object.keys(this.#paths).length === 0) return "there is no cgroup that we may write to";
    return name === "unified" ? "cgroup v2 is not mounted" : `no cgroup hierarchy with "${name}" is mounted`;
  }

  #freezer() {
    const directory = this.#directory("freezer");
    return directory
      ? { directory, freezer: freezerV1 }
      : { directory: this.#directory(""), freezer: freezerV2 };
  }

  /** Frozen, so that no new ones escape. */
  #killOneByOne(): void {
    if (this.#directory("freezer")) {
      try {
        this.freeze();
      } catch (error) {
        // Too many are made too fast: several rounds will get them.
        if (!(error instanceof StateError)) throw error;
      }
    }
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const pids = this.pids();
      if (pids.length === 0) return;
      signalAll(pids);
      if (this.isFrozen()) return;
      sleep(1);
    }
  }
}

const KILL_ROUNDS = 100;

/** What kernels before 4.15 had, which have no list. */
const DELEGATED = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];

const UNLIMITED_DEVICES = `${pointerTo("/devices")} has no effect without root: all devices are allowed`;

/** @returns false if it is there already */
function makeTree(directory: Directory, root: string, made: Directory[]): boolean {
  if (directory.path === root) return false;
  let isNew: boolean;
  try {
    isNew = directory.make();
  } catch (error) {
    if (!isErrno(error, "ENOENT") || directory.parent.path === root) throw error;
    makeTree(directory.parent, root, made);
    isNew = directory.make();
  }
  if (isNew) made.push(directory);
  return isNew;
}

function tryRemove(directory: Directory): void {
  try {
    directory.remove();
  } catch {
    // Somebody else uses it by now. What is to be told is the first error.
  }
}

/** Of the cgroup and those below. A threaded one has no cgroup.procs: its processes are those of the cgroup above. */
function allProcesses(directory: Directory): number[] {
  const found = [processes(directory)];
  directory.eachBelow((one) => found.push(processes(one)));
  return found.flat();
}

function processes(directory: Directory): number[] {
  return (directory.tryRead("cgroup.procs") ?? "").split("\n").filter((line) => line !== "").map(Number);
}

function isPopulated(unified: Directory): boolean {
  return parsePairs(unified.tryRead("cgroup.events") ?? "").populated === "1";
}

/** The cgroup of v2 below `directory` that a process is in. */
function placeOf(pid: number, directory: Directory): Directory {
  const [, path = ""] = /^0::(.*)$/m.exec(new Directory(`/proc/${pid}`).read("cgroup")) ?? [];
  const at = path.lastIndexOf(`/${directory.name}/`);
  return at === -1 ? directory : directory.below(path.slice(at + directory.name.length + 2));
}

/** A task that is still being made is refused with EINVAL (Linux commit 854d8a44c3af). */
const JOIN_TRIES = 5;

function join(directory: Directory, pid: number): void {
  for (let tries = 1;; tries++) {
    try {
      return directory.write("cgroup.procs", `${pid}`);
    } catch (error) {
      if (isErrno(error, "EINVAL") && tries < JOIN_TRIES) sleep(30);
      else throw explainRefusal(directory, error);
    }
  }
}

function explainRefusal({ path }: Directory, error: unknown): unknown {
  if (!(error instanceof SyscallError)) return error;
  const reasons: Record<string, string> = {
    EBUSY: "it has cgroups below that use controllers, and then it cannot have processes",
    EOPNOTSUPP: "it is threaded or invalid",
    ENOSPC: "its cpuset is empty",
  };
  const reason = reasons[error.errno.name];
  if (reason === undefined) return error;
  return new SyscallError("write", error.errno, { path: error.path, detail: `join ${path}, but ${reason}` });
}
