/**
 * One untrusted program, or some, in a container that lives as long as the object.
 *
 * @module
 */
import { Container } from "../container/container.ts";
import { createContainer } from "../container/create.ts";
import { UsageError } from "../errors.ts";
import { makeHostRootfs } from "../container/host_rootfs.ts";
import { close } from "../linux/files.ts";
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
    Deno.mkdirSync(bundle, { recursive: true, mode: 0o711 });
    const nothing = openEnd("null", 0).theirs;
    try {
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
      Deno.removeSync(bundle, { recursive: true });
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
    if (this.#disposed !== undefined) return;
    for (const child of this.#children) child.kill("SIGKILL");
    if (this.#container.status() !== "stopped") this.#container.signal(9);
  }

  /** Kills what runs, and removes the sandbox. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposed ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#undo.forEach((action) => action());
    for (const child of this.#children) child.kill("SIGKILL");
    // A pid namespace ends when its last process has been reaped, and these are ours.
    await Promise.all(this.#children.map(({ status }) => status));
    for (const child of this.#children) child.closeStreams();
    this.#remove();
  }

  /** At the end of our program, where nothing can be waited for. */
  #removeNow(): void {
    if (this.#disposed !== undefined) return;
    for (const child of this.#children) child.killNow();
    this.#remove();
  }

  #remove(): void {
    this.#container.delete(true);
    Deno.removeSync(this.#bundle, { recursive: true });
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
  for (const container of Container.list(`${root}/state`)) {
    if (container.status() !== "stopped") continue;
    const { bundle } = container.state;
    Container.delete(`${root}/state`, container.id, true);
    if (bundle.startsWith(`${root}/bundles/`)) Deno.removeSync(bundle, { recursive: true });
  }
}
