/** A process of a sandbox, shaped as Deno.ChildProcess. @module */
import { cleanUp } from "../container/clean_up.ts";
import type { Container } from "../container/container.ts";
import { ExecutedProcess } from "../container/exec.ts";
import { close } from "../linux/files.ts";
import { isErrno } from "../linux/libc.ts";
import { SIGNALS } from "../linux/signals.ts";
import { shellStatus } from "../linux/processes.ts";
import { type End, openEnd, type Pipe, readEnd, type Stdio, writeEnd } from "./pipes.ts";
import { sandboxProcess } from "./config.ts";

export interface SpawnOptions {
  readonly args?: readonly string[];
  /** Absolute, in the sandbox. /tmp if absent. */
  readonly cwd?: string;
  /** Beside the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
  /** "null" if absent. */
  readonly stdin?: Stdio;
  /** "piped" if absent. */
  readonly stdout?: Stdio;
  /** "piped" if absent. */
  readonly stderr?: Stdio;
  /** Kills the process, and not those that it has made. */
  readonly signal?: AbortSignal;
}

/** How a process ended: Deno.CommandStatus. */
export interface CommandStatus {
  readonly success: boolean;
  /** The exit code, or 128 and the signal. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** Deno.CommandOutput */
export interface CommandOutput extends CommandStatus {
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}

export class SandboxProcess {
  readonly #executed: ExecutedProcess;
  readonly #streams: End[] = [];
  /** Is there when the process has ended. */
  readonly status: Promise<CommandStatus>;
  readonly pid: number;
  #ended = false;
  #stdin: WritableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly #outputs: (ReadableStream<Uint8Array<ArrayBuffer>> | undefined)[] = [];

  /**
   * Starts `command` in the container.
   *
   * @throws {SyscallError} if it cannot be run: ENOENT, EACCES, ...
   */
  constructor(container: Container, command: string, options: SpawnOptions) {
    const { stdin = "null", stdout = "piped", stderr = "piped", signal } = options;
    signal?.throwIfAborted();
    let started: ExecutedProcess | undefined;
    try {
      for (const [stream, kind] of [stdin, stdout, stderr].entries()) {
        this.#streams.push(openEnd(kind, stream));
      }
      const [input, output, error] = this.#streams.map(({ theirs }) => theirs) as [number, number, number];
      const process = sandboxProcess(container.readConfig().process!, command, options);
      started = ExecutedProcess.create(container, process, { stdio: [input, output, error] });
      started.start();
      this.pid = started.pid;
    } catch (problem) {
      cleanUp(() => started?.close(false), () => this.closeStreams());
      throw problem;
    } finally {
      for (const { theirs } of this.#streams) if (theirs > 2) close(theirs);
    }
    this.#executed = started;
    this.status = this.#wait();
    const abort = () => this.kill("SIGKILL");
    signal?.addEventListener("abort", abort);
    // Nobody need look at it.
    void this.status.catch(() => {}).finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Of a process with `stdin: "piped"`. Close it: many programs read to its end. */
  get stdin(): WritableStream<Uint8Array<ArrayBuffer>> {
    return this.#stdin ??= writeEnd(this.#ours(0, "stdin"));
  }

  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#outputs[1] ??= readEnd(this.#ours(1, "stdout"));
  }

  get stderr(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#outputs[2] ??= readEnd(this.#ours(2, "stderr"));
  }

  /** Waits for its end, and gives what it has written to pipes. */
  async output(): Promise<CommandOutput> {
    const all = (stream: 1 | 2) =>
      this.#streams[stream]!.ours === undefined
        ? new Uint8Array()
        : new Response(stream === 1 ? this.stdout : this.stderr).bytes();
    const [status, stdout, stderr] = await Promise.all([this.status, all(1), all(2)]);
    return { ...status, stdout, stderr };
  }

  /** Sends a signal. One that has ended does not get it. */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    if (this.#ended) return;
    try {
      this.#executed.signal(SIGNALS[signal]!);
    } catch (error) {
      if (!isErrno(error, "ESRCH")) throw error;
    }
  }

  /** Kills it and waits, on this thread, unless it has ended. */
  killNow(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#executed.close(false);
  }

  /** Those that somebody reads or writes just now are closed when that is over. */
  closeStreams(): void {
    this.#streams.forEach(({ ours }) => ours?.close());
  }

  async #wait(): Promise<CommandStatus> {
    const status = await this.#executed.wait();
    if (!this.#ended) {
      this.#ended = true;
      this.#executed.close(true);
    }
    const code = shellStatus(status);
    const signal = status.kind === "exited" ? null : nameOf(status.signal);
    return { success: code === 0, code, signal };
  }

  #ours(stream: number, name: string): Pipe {
    const { ours } = this.#streams[stream]!;
    if (ours === undefined) throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    return ours;
  }
}

function nameOf(number: number): Deno.Signal {
  return Object.keys(SIGNALS).find((name) =>
    name.startsWith("SIG") && SIGNALS[name] === number
  ) as Deno.Signal;
}
