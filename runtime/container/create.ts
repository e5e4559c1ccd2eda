/**
 * Creating a container: the runtime's side of the plan, barrier by barrier.
 *
 * @module
 */
import { gatherHost, type HostOptions } from "../host/gather.ts";
import { Init } from "../init/init.ts";
import { close, ioctl } from "../linux/files.ts";
import { type ExitStatus, pidfdGetfd, pidfdSendSignal } from "../linux/processes.ts";
import { TIOCGPTN } from "../linux/generated/constants.ts";
import type { Host } from "../plan/host.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import type { Plan } from "../plan/node.ts";
import { planCreate } from "../plan/plan.ts";
import type { Config } from "../spec/config.ts";
import { fillMounts } from "./fill_mounts.ts";
import { openIdmaps } from "./idmaps.ts";
import { findExecutable, findHome, openContainerRoot } from "./late_facts.ts";
import { writeIdMaps, writeTimeOffsets } from "./namespaces.ts";
import { createStateDirectory, type StateDirectory } from "./state_directory.ts";

export interface CreateOptions extends HostOptions {
  /** Where containers are kept: an absolute path. */
  readonly root: string;
  /** Changes the plan before it runs: for tests that make a step fail. */
  readonly transform?: (plan: Plan) => Plan;
}

/** A container whose init waits at the barrier `start`. */
export class Container {
  readonly id: string;
  readonly #init: Init;
  readonly #directory: StateDirectory;
  /** The master of its terminal, if it has one. */
  readonly terminal: number | undefined;

  private constructor(id: string, init: Init, directory: StateDirectory, terminal: number | undefined) {
    this.id = id;
    this.#init = init;
    this.#directory = directory;
    this.terminal = terminal;
  }

  /**
   * Makes the container of `config`, up to the point where only its program is missing.
   *
   * After an error nothing of it is left.
   *
   * @throws {ConfigError} if the config cannot be planned
   * @throws {StateError} if the id is taken
   * @throws {SyscallError} the step that failed, with its pointer
   */
  static create(config: Config, options: CreateOptions): Container {
    const { id, root, transform = (plan: Plan) => plan } = options;
    const host = gatherHost(config, options);
    const plan = transform(planCreate(config, host));
    const directory = createStateDirectory(root, id);
    let extraFds: readonly number[] = [];
    let init: Init | undefined;
    try {
      extraFds = openIdmaps(config, id, directory.path);
      init = Init.spawn(plan, { id, directory: directory.path, firstFd: firstOwnFd(host), extraFds });
      return new Container(id, init, directory, meetBarriers(config, host, init));
    } catch (error) {
      init?.kill();
      init?.close();
      directory.remove();
      throw error;
    } finally {
      extraFds.forEach(close);
    }
  }

  /** The pid of its init, and later of its program, as we see it. */
  get pid(): number {
    return this.#init.pid;
  }

  /**
   * Runs the program.
   *
   * @throws {SyscallError} the step that failed, execve(2) included: a start that returns is a program that runs
   */
  start(): void {
    while (this.#init.next() !== undefined);
  }

  /** Sends a signal to its first process. */
  signal(signal: number): void {
    pidfdSendSignal(this.#init.pidfd, signal);
  }

  /** Waits for the end of its program, while signals and promises are served. */
  wait(): Promise<ExitStatus> {
    return this.#init.waitAsync();
  }

  /** Kills what lives of it and removes its state. */
  delete(): void {
    this.#init.kill();
    this.#init.close();
    if (this.terminal !== undefined) close(this.terminal);
    this.#directory.remove();
  }
}

/** Does what the plan leaves to the runtime. @returns the terminal's master, if there is one */
function meetBarriers(config: Config, host: Host, init: Init): number | undefined {
  let terminal: number | undefined;
  try {
    for (;;) {
      switch (init.next()) {
        case "namespaces":
          writeIdMaps(config, host, init.pid);
          writeTimeOffsets(config, init.pid);
          break;
        case "mounted":
          fillMounts(config, init);
          break;
        case "ready":
          if (config.process!.terminal) terminal = takeTerminal(init);
          writeLateFacts(config, init);
          break;
        default:
          return terminal;
      }
    }
  } catch (error) {
    if (terminal !== undefined) close(terminal);
    throw error;
  }
}

function writeLateFacts(config: Config, init: Init): void {
  const process = config.process!;
  const root = openContainerRoot(init.pid);
  try {
    init.writeLate("executable", findExecutable(root, process));
    init.writeLate("HOME", `HOME=${findHome(root, process)}`);
  } finally {
    close(root);
  }
}

/** @returns the master, once it has shown that it is one: the image may have put something else in its place */
function takeTerminal(init: Init): number {
  const master = pidfdGetfd(init.pidfd, init.slot("$master"));
  try {
    ioctl(master, TIOCGPTN, new Uint8Array(4));
    return master;
  } catch (error) {
    close(master);
    throw error;
  }
}
