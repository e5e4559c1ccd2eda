/**
 * One untrusted program, or some, in a container that lives as long as the object.
 *
 * @module
 */
import { cleanUp } from "../container/clean_up.ts";
import { Container } from "../container/container.ts";
import { createContainer } from "../container/create.ts";
import { StateError, UsageError } from "../errors.ts";
import { makeHostRootfs } from "../container/host_rootfs.ts";
import { listIds } from "../container/state.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import { close, exists } from "../linux/files.ts";
import { type CommandOutput, SandboxProcess, type SpawnOptions } from "./child.ts";
import { endsWithUs, type SandboxConfig, sandboxConfig } from "./config.ts";
import { readInRoot, writeInRoot } from "./files.ts";
import { openEnd } from "./pipes.ts";

export interface WriteFileOptions {
  /** Permissions, 0o644 if absent. */
  readonly mode?: number;
}

export interface SandboxOptions extends SandboxConfig {
  /** An absolute path of a root filesystem, used read-only: /tmp, /proc, /dev and /sys must be there. The host's own /usr if absent. */
  readonly rootfs?: string;
  /** Milliseconds until everything in the sandbox is killed. */
  readonly timeout?: number;
  /** Kills everything in the sandbox. */
  readonly signal?: AbortSignal;
}

const READ_LIMIT_BYTES = 64 << 20;

/**
 * A place for programs that are not trusted: own namespaces, the host's programs read-only, nobody's rights, no network, a
 * seccomp filter, and limits of memory, processes and files. All of it ends with the object, and with our program, however
 * that ends.
 *
 * ```ts ignore
 * import { Sandbox } from "@hako/hako";
 *
 * await using sandbox = await Sandbox.create({ memory: 64 << 20, pids: 16, timeout: 5000 });
 * await sandbox.writeFile("/tmp/script.sh", "echo $((6 * 7))");
 * const { code, stdout } = await sandbox.run("sh", { args: ["/tmp/script.sh"] });
 * console.log(code, new TextDecoder().decode(stdout)); // 0 42
 * ```
 *
 * Needs root, or a kernel that gives user namespaces to everybody; without root there are no limits of memory, CPU and
 * processes, as there is no cgroup.
 */
export class Sandbox implements AsyncDisposable {
  readonly #container: Container;
  readonly #bundle: string;
  readonly #owner: number;
  readonly #children: SandboxProcess[] = [];
  readonly #undo: (() => void)[] = [];
  #disposed: Promise<void> | undefined;

  private constructor(container: Container, bundle: string, { signal, timeout }: SandboxOptions) {
    this.#container = container;
    this.#bundle = bundle;
    this.#owner = Deno.uid() === 0 ? container.readConfig().process!.user.uid : Deno.uid() ?? 0;
    const unload = () => this.#removeNow();
    addEventListener("unload", unload);
    this.#undo.push(() => removeEventListener("unload", unload));
    for (const one of [signal, timeout === undefined ? undefined : AbortSignal.timeout(timeout)]) {
      const kill = () => this.kill();
      one?.addEventListener("abort", kill);
      this.#undo.push(() => one?.removeEventListener("abort", kill));
    }
  }

  /**
   * Makes a sandbox.
   *
   * @throws {ConfigError} if a mount or a limit cannot be
   * @throws {SyscallError} the step that failed, as without the rights that it takes
   * @throws {DOMException} the reason of `signal`
   */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    options.signal?.throwIfAborted();
    const root = sandboxRoot();
    removeDead(root);
    const id = `sandbox-${crypto.randomUUID()}`;
    const bundle = `${root}/bundles/${id}`;
    const nothing = openEnd("null", 0).theirs;
    try {
      Deno.mkdirSync(bundle, { recursive: true, mode: 0o711 });
      const rootfs = options.rootfs ?? `${bundle}/rootfs`;
      const mounts = options.rootfs === undefined ? makeHostRootfs(rootfs) : [];
      const user = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
      const container = await createContainer(sandboxConfig(options, { rootfs, mounts, ...user }), {
        id,
        bundle,
        root: `${root}/state`,
        stdio: [nothing, nothing, nothing],
        transform: endsWithUs,
        ...(user.uid !== 0 && { cgroupManager: "disabled" as const }),
      });
      return new Sandbox(container, bundle, options);
    } catch (error) {
      removeBundle(bundle);
      throw error;
    } finally {
      close(nothing);
    }
  }

  /**
   * Starts a program, as `new Deno.Command(...).spawn()` does.
   *
   * @throws {SyscallError} if it cannot be run, with the words of its errno
   * @throws {StateError} if the sandbox has been killed
   */
  spawn(command: string, options: SpawnOptions = {}): SandboxProcess {
    const child = new SandboxProcess(this.#container, command, options);
    this.#children.push(child);
    return child;
  }

  /** Runs a program to its end, and gives what it has written. */
  run(command: string, options: SpawnOptions = {}): Promise<CommandOutput> {
    return this.spawn(command, options).output();
  }

  /**
   * Writes a file of the sandbox, which belongs to its user.
   *
   * @throws {SyscallError} EROFS outside of /tmp, ENOSPC beyond the limit `disk`
   */
  writeFile(
    path: string,
    data: string | Uint8Array<ArrayBuffer>,
    { mode = 0o644 }: WriteFileOptions = {},
  ): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return Promise.resolve(writeInRoot(this.#container.pid, path, bytes, { mode, owner: this.#owner }));
  }

  /**
   * Reads a file of the sandbox.
   *
   * @throws {SyscallError} ENOENT, EACCES for what is no ordinary file, EFBIG for more than 64 MiB
   */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(readInRoot(this.#container.pid, path, READ_LIMIT_BYTES));
  }

  async readTextFile(path: string): Promise<string> {
    return new TextDecoder().decode(await this.readFile(path));
  }

  /** Kills all that runs in it. Nothing can be started in it any more. */
  kill(): void {
    if (this.#disposed === undefined) this.#kill();
  }

  /** The others of its pid namespace end with the first. */
  #kill(): void {
    try {
      this.#container.signal(SIGKILL);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }

  /** Kills what runs, and removes the sandbox. What one has left that has failed goes with another one. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposed ??= this.#dispose().catch((error) => {
      this.#disposed = undefined;
      throw error;
    });
  }

  async #dispose(): Promise<void> {
    try {
      this.#kill();
      // A pid namespace ends when its last process has been reaped, and these are ours.
      await Promise.allSettled(this.#children.map(({ status }) => status));
    } finally {
      this.#remove();
    }
    this.#undo.forEach((action) => action());
  }

  /** At the end of our program, where nothing can be waited for. */
  #removeNow(): void {
    if (this.#disposed === undefined) this.#remove();
  }

  #remove(): void {
    cleanUp(
      ...this.#children.flatMap((child) => [() => child.killNow(), () => child.closeStreams()]),
      () => this.#container.delete(true),
      () => removeBundle(this.#bundle),
    );
  }
}

function sandboxRoot(): string {
  if (Deno.uid() === 0) return "/run/hako-sandbox";
  const own = Deno.env.get("XDG_RUNTIME_DIR") ?? Deno.env.get("HOME");
  if (!own) throw new UsageError("a sandbox needs XDG_RUNTIME_DIR or HOME, where its state is kept");
  return `${own}/.hako-sandbox`;
}

/** A program that was killed has left no process of its sandboxes, but their directories and cgroups. */
function removeDead(root: string): void {
  const state = `${root}/state`;
  for (const container of Container.list(state)) {
    if (container.status() !== "stopped") continue;
    const { bundle } = container.state;
    Container.delete(state, container.id, true);
    if (bundle.startsWith(`${root}/bundles/`)) removeBundle(bundle);
  }
  // Of those that have not got to a state: it may be on its way.
  for (const id of listIds(state).filter((id) => isUnfinished(`${state}/${id}`, "state.json"))) {
    Container.delete(state, id, true);
  }
  for (const id of listIds(`${root}/bundles`)) {
    const bundle = `${root}/bundles/${id}`;
    if (isUnfinished(bundle, `../../state/${id}`)) removeBundle(bundle);
  }
}

/** Far longer than it takes to make what comes next. */
const OLD_MILLISECONDS = 60_000;

/** Whether the file that belongs to a directory is not there, and will not be. */
function isUnfinished(directory: string, file: string): boolean {
  if (exists(`${directory}/${file}`)) return false;
  const made = unlessGone(() => Deno.statSync(directory).mtime?.getTime());
  return made !== undefined && Date.now() - made > OLD_MILLISECONDS;
}

function removeBundle(bundle: string): void {
  unlessGone(() => Deno.removeSync(bundle, { recursive: true }));
}

/** Other programs remove what is left of dead ones too. */
function unlessGone<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
