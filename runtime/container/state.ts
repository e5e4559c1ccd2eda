/**
 * What is kept of a container between commands.
 *
 * ```
 *   ROOT/               0711
 *   ROOT/ID/            0700; locked with flock(2) by each command that changes the container
 *   ROOT/ID/state.json  State, written before its cgroup is made, again before the init may be started; by rename(2)
 *   ROOT/ID/config.json the configuration as it was read
 *   ROOT/ID/host.json   the facts that the plan was made with: with config.json they give the same plan again
 *   ROOT/ID/filter.json the seccomp filter that was compiled, if there is one
 *   ROOT/ID/status      the page that the init shares with us: runtime/init/record.ts
 *   ROOT/ID/socket      where the init waits for the runtime that starts it; gone once it was started
 * ```
 *
 * docs/state.md has each of them in full.
 *
 * @module
 */
import { OCI_VERSION } from "../spec/version.ts";
import type { Hooks } from "../spec/hooks.ts";
import type { Resources } from "../spec/resources.ts";
import type { Unit } from "../../cgroups/mod.ts";
import { StateError, UsageError } from "../errors.ts";
import { LOCK_EX, LOCK_NB, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../linux/generated/constants.ts";
import { AT_FDCWD } from "../linux/generated/constants.ts";
import { isForeign } from "../host/ownership.ts";
import { close, exists, openat2 } from "../linux/files.ts";
import { isErrno, syscall } from "../linux/libc.ts";
import { parseExact } from "../spec/json.ts";
import type { ResctrlGroups } from "./intel_rdt.ts";
import { userDirectory } from "./rootless.ts";

export const LATER_HOOKS = ["startContainer", "poststart", "poststop"] as const satisfies (keyof Hooks)[];
export type LaterHook = (typeof LATER_HOOKS)[number];

export interface State {
  readonly id: string;
  /** Of the init, and later of the program; 0 until the container is created. */
  readonly pid: number;
  /** When that process started: field 22 of proc_pid_stat(5). No other process has both. */
  readonly startTime: number;
  /** How many records the init's program has: the last is execve(2). */
  readonly records: number;
  /** Absolute path. */
  readonly bundle: string;
  /** Absolute path. */
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  /** The user id of who created it. */
  readonly owner: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** It has no pid namespace of its own, so its processes do not end with the first. */
  readonly sharedPids?: true;
  /** Of the hooks that commands after `create` run, those that its config has: without any they need not read it. */
  readonly laterHooks?: readonly LaterHook[];
  /** The directories of its cgroup by controller: absent if it has none. */
  readonly cgroupPaths?: Readonly<Record<string, string>>;
  /** The unit of systemd that it is, if it was made by systemd. */
  readonly cgroupUnit?: Unit;
  /** Absent without /linux/intelRdt. */
  readonly resctrl?: ResctrlGroups;
  /** What `update` has made of config.json's /linux/resources. */
  readonly resources?: Resources;
}

/** What others are told of a container: runtime.md#state. */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The state with the members that are there in this order, and no others. */
export function ociState(
  { id, pid, bundle, annotations }: Pick<State, "id" | "bundle" | "annotations"> & { readonly pid?: number },
  status: string,
): OciState {
  return {
    ociVersion: OCI_VERSION,
    id,
    status,
    ...(pid !== undefined && { pid }),
    bundle,
    ...(annotations && { annotations }),
  };
}

/** Where containers are kept: `--root`, else by whether we are root. */
export function stateRoot(root: string | undefined): string {
  if (root !== undefined) {
    if (root === "/" || root === "") {
      throw new UsageError(`--root must be a directory of its own, not "${root}"`);
    }
    return root.startsWith("/") ? root : `${Deno.cwd()}/${root}`;
  }
  const user = userDirectory();
  return user ? `${user}/hako` : "/run/hako";
}

/** The directory of one container, locked until {@linkcode StateDirectory.unlock}. */
export class StateDirectory {
  readonly path: string;
  readonly #id: string;
  #lock: number | undefined;

  private constructor(id: string, path: string) {
    this.#id = id;
    this.path = path;
  }

  /**
   * Takes the id.
   *
   * @throws {UsageError} if it is no valid id, or others than root and we could put something into `root`
   * @throws {StateError} if it is taken
   */
  static create(root: string, id: string): StateDirectory {
    checkId(id);
    const directory = new StateDirectory(id, `${root}/${id}`);
    try {
      Deno.mkdirSync(root, { recursive: true, mode: 0o711 });
      checkOwner(root, Deno.statSync(root));
      Deno.mkdirSync(directory.path, { mode: 0o700 });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) {
        throw new StateError(id, `container with given ID already exists: ${id}`);
      }
      if (!(error instanceof Deno.errors.PermissionDenied) || Deno.uid() === 0) throw error;
      const advice = "XDG_RUNTIME_DIR or --root has to name a directory of the user's";
      throw new StateError(id, `mkdir ${directory.path}: permission denied: ${advice}`);
    }
    try {
      directory.lock();
    } catch (error) {
      Deno.removeSync(directory.path);
      throw error;
    }
    return directory;
  }

  /**
   * The directory of a container that is there. It is not locked.
   *
   * @throws {UsageError} if it is no valid id, or others than root and we could have written it
   * @throws {StateError} if there is none
   */
  static open(root: string, id: string): StateDirectory {
    checkId(id);
    const directory = new StateDirectory(id, `${root}/${id}`);
    try {
      checkOwner(directory.path, Deno.lstatSync(directory.path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw directory.#gone();
      throw error;
    }
    checkOwner(root, Deno.statSync(root));
    return directory;
  }

  /** Waits until no other command changes the container. */
  lock(): void {
    if (this.#lock !== undefined) return;
    const fd = this.#open();
    try {
      syscall("flock", [fd, LOCK_EX], { path: this.path });
      // Whom we waited for may have deleted it, and another one may have taken the id since.
      if (Deno.statSync(`/proc/self/fd/${fd}`).nlink === 0) throw this.#gone();
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#lock = fd;
  }

  /** Whether another command changes the container just now. */
  isLockedByOther(): boolean {
    if (this.#lock !== undefined) return false;
    const fd = this.#open();
    try {
      syscall("flock", [fd, LOCK_EX | LOCK_NB], { path: this.path });
      return false;
    } catch (error) {
      if (isErrno(error, "EAGAIN")) return true;
      throw error;
    } finally {
      close(fd);
    }
  }

  /**
   * The pid of the command that holds the lock; 0 if nobody does, or one whose pid namespace we do not see.
   *
   * @returns nothing where /proc has no locks: "subset=pid" in proc(5)
   * @throws {StateError} if it is gone
   * @see proc_locks(5)
   */
  lockHolder(): number | undefined {
    let locks: string;
    try {
      locks = Deno.readTextFileSync("/proc/locks");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    let ino: number | null;
    try {
      ({ ino } = Deno.statSync(this.path));
    } catch (error) {
      // Whoever had it has deleted it since.
      if (error instanceof Deno.errors.NotFound) throw this.#gone();
      throw error;
    }
    return Number(new RegExp(`^\\d+: FLOCK +\\S+ +WRITE (\\d+) \\S+:${ino} `, "m").exec(locks)?.[1] ?? 0);
  }

  #open(): number {
    try {
      return openat2(AT_FDCWD, this.path, { flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC });
    } catch (error) {
      if (isErrno(error, "ENOENT")) throw this.#gone();
      throw error;
    }
  }

  unlock(): void {
    if (this.#lock !== undefined) close(this.#lock);
    this.#lock = undefined;
  }

  has(name: string): boolean {
    return exists(`${this.path}/${name}`);
  }

  /** @throws {StateError} if it has none yet, or none any more */
  readState(): State {
    let state: unknown;
    try {
      state = parseExact(this.read("state.json"));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw this.#gone();
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (isState(state)) return state;
    throw new StateError(this.#id, `container ${this.#id} cannot be used: its state.json is damaged`);
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.path}/${name}`);
  }

  /** As it is now, while its init runs. */
  readStatusPage(): Uint8Array<ArrayBuffer> {
    return Deno.readFileSync(`${this.path}/status`);
  }

  /** Replaces a file: whoever reads it sees the old text or the new one. */
  write(name: string, text: string): void {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
    Deno.renameSync(`${path}.new`, path);
  }

  removeFile(name: string): void {
    try {
      Deno.removeSync(`${this.path}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Removes it with all that is in it, and gives the id back. */
  remove(): void {
    try {
      Deno.removeSync(this.path, { recursive: true });
    } finally {
      this.unlock();
    }
  }

  #gone(): StateError {
    return new StateError(this.#id, `container does not exist: ${this.#id}`);
  }
}

/** Who writes our state would have us kill any process, and remove any cgroup. */
function checkOwner(path: string, info: Deno.FileInfo): void {
  if (!isForeign(info)) return;
  const advice = "--root has to name a directory that nobody else may write to";
  throw new UsageError(`others could have written to ${path}: ${advice}`);
}

/** Whether it has what we act on: whom we signal, what we remove. A disk that was full, or somebody else, may have written it. */
function isState(value: unknown): value is State {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startTime, bundle, rootfs, laterHooks = [], cgroupPaths = {}, cgroupUnit, resctrl } =
    value as Partial<State>;
  const { paths, own } = resctrl ?? { paths: [], own: [] };
  return [pid, startTime].every((number) => Number.isSafeInteger(number) && number! >= 0) &&
    [bundle, rootfs].every((text) => typeof text === "string") &&
    Array.isArray(laterHooks) && (cgroupUnit === undefined || isUnit(cgroupUnit)) &&
    typeof cgroupPaths === "object" && cgroupPaths !== null &&
    [Object.values(cgroupPaths), paths, own].every((list) => Array.isArray(list) && list.every(isAbsolute));
}

function isUnit(value: unknown): value is Unit {
  const { name, manager } = (value ?? {}) as Partial<Unit>;
  return typeof name === "string" && (manager === "system" || manager === "user");
}

function isAbsolute(path: unknown): boolean {
  return typeof path === "string" && /^\/[^\0]*$/.test(path);
}

/** The ids of all containers below `root`. */
export function listIds(root: string): string[] {
  try {
    return [...Deno.readDirSync(root)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** As runc has it: what is a file name and needs no quoting. */
export function checkId(id: string): void {
  if (/^[\w+.-]{1,1024}$/.test(id) && id !== "." && id !== "..") return;
  throw new UsageError(
    `invalid container ID format: ${JSON.stringify(id)}, allowed are letters, digits and "_+-."`,
  );
}
