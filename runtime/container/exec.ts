/**
 * Running another process in a container.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { gatherHost } from "../host/gather.ts";
import { Init } from "../init/init.ts";
import { close } from "../linux/files.ts";
import { endsWithin, type ExitStatus, pidfdSendSignal } from "../linux/processes.ts";
import { log } from "../log.ts";
import { capabilityWarnings } from "../plan/capabilities.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import type { Plan } from "../plan/node.ts";
import { planExec } from "../plan/plan_exec.ts";
import type { Config, Process } from "../spec/config.ts";
import { cleanUp } from "./clean_up.ts";
import type { Container } from "./container.ts";
import { cgroupBelow, factsOf, openUnified } from "./control_group.ts";
import { joinResctrl } from "./intel_rdt.ts";
import { giveListener } from "./listener.ts";
import type { Streams } from "./program.ts";
import { giveTerminal, send, takeTerminal, writeLateFacts } from "./ready.ts";
import { ociState } from "./state.ts";
import { makeDirectory } from "./temporary.ts";

export interface ExecOptions {
  readonly preserveFds?: number;
  /** Where below the container's cgroups: {@linkcode cgroupBelow}. */
  readonly cgroups?: Readonly<Record<string, string>>;
  /** Do it in a paused container, where the process waits for it to go on. */
  readonly ignorePaused?: boolean;
  /** The Unix socket that gets the master of the terminal. Without it the process's handle keeps it. */
  readonly consoleSocket?: string;
  /** The Unix socket that gets a pidfd of the process. */
  readonly pidfdSocket?: string;
  /** Its standard streams: ours if absent. */
  readonly stdio?: Streams;
  /** The program, if that is not `args[0]`. */
  readonly path?: string;
  /** Changes the plan before it runs. */
  readonly transform?: (plan: Plan) => Plan;
}

/** A process beside the first one of a container. */
export class ExecutedProcess {
  readonly #init: Init;
  readonly #container: Container;
  /** Of its own, below the container's. */
  readonly directory: string;
  readonly terminal: number | undefined;

  private constructor(init: Init, container: Container, directory: string, terminal: number | undefined) {
    this.#init = init;
    this.#container = container;
    this.directory = directory;
    this.terminal = terminal;
  }

  /**
   * Brings `process` up to the point where only its program is missing.
   *
   * @throws {StateError} if the container does not run
   * @throws {SyscallError} the step that failed, with its pointer into the process
   */
  static create(container: Container, process: Process, options: ExecOptions = {}): ExecutedProcess {
    const { id } = container;
    const status = container.status();
    if (status === "creating") throw new StateError(id, "cannot exec in a container that is being created");
    if (status === "stopped") throw new StateError(id, "cannot exec in a stopped container");
    if (status === "paused" && !options.ignorePaused) {
      throw new StateError(id, "cannot exec in a paused container (use --ignore-paused to override)");
    }
    // What is about mounts was settled when the container was created.
    const config: Config = { ...container.readConfig(), process, mounts: [] };
    const { cgroups, path, stdio, transform = (plan: Plan) => plan } = options;
    const cgroup = container.cgroup && cgroups ? cgroupBelow(container.cgroup, cgroups) : container.cgroup;
    const host = gatherHost(config, {
      id,
      bundle: container.state.bundle,
      preserveFds: options.preserveFds,
      stdio,
      ...(cgroup && { cgroup: factsOf(cgroup) }),
    });
    const plan = transform(planExec(config, process, host, {
      pid: container.pid,
      filter: container.readFilter(config),
    }));
    // What is left out of the container's own has been said when it was created.
    if (process.capabilities !== container.readConfig().process?.capabilities) {
      capabilityWarnings(config, process, host).forEach((line) => log.warn(line));
    }
    const pidfd = container.openPidfd();
    if (pidfd === undefined) throw new StateError(id, "cannot exec in a stopped container");
    const extraFds = [pidfd];
    let directory: string | undefined;
    let init: Init | undefined;
    let terminal: number | undefined;
    try {
      // In a cgroup that it does not name itself it goes where there is room: Cgroup.entry.
      extraFds.push(...openUnified(cgroup, cgroups ? undefined : container.pid));
      directory = makeDirectory(container.directory, "exec-");
      init = Init.spawn(plan, { id, directory, firstFd: firstOwnFd(host), extraFds, stdio });
      // Before its last barrier it may wait for systemd.
      while (init.next() === "cgroup") cgroup!.add(init.pid, { init: container.pid });
      joinResctrl(container.state.resctrl?.paths ?? [], init.pid);
      writeLateFacts(path === undefined ? process : { ...process, args: [path] }, init, container.pid);
      if (process.terminal) terminal = giveTerminal(takeTerminal(init), options.consoleSocket);
      if (options.pidfdSocket !== undefined) send(options.pidfdSocket, "setns", init.pidfd);
      return new ExecutedProcess(init, container, directory, terminal);
    } catch (error) {
      cleanUp(
        () => init?.end(),
        () => terminal !== undefined && close(terminal),
        () => directory !== undefined && Deno.removeSync(directory, { recursive: true }),
      );
      throw error;
    } finally {
      extraFds.forEach(close);
    }
  }

  get pid(): number {
    return this.#init.pid;
  }

  /** Runs the program. @throws {SyscallError} the step that failed, execve(2) included */
  start(): void {
    this.#init.execute(() => this.#giveListener());
  }

  #giveListener(): void {
    const { pid, pidfd } = this.#init;
    const state = ociState(this.#container.state, this.#container.status());
    giveListener(this.#container.readConfig(), { pid, pidfd, listener: this.#init.slot("$listener") }, state);
  }

  signal(signal: number): void {
    pidfdSendSignal(this.#init.pidfd, signal);
  }

  wait(): Promise<ExitStatus> {
    return this.#init.waitAsync();
  }

  /**
   * The same, while nothing else is done.
   *
   * @returns nothing if it was killed, since it did not end within `milliseconds`
   */
  waitBlocked(milliseconds?: number): ExitStatus | undefined {
    if (milliseconds === undefined || endsWithin(this.#init.pidfd, milliseconds)) return this.#init.wait();
    this.#init.kill();
  }

  /** Kills it if it has not become the program, and lets go of it. */
  close(started: boolean): void {
    cleanUp(
      () => started ? this.#init.close() : this.#init.end(),
      () => this.terminal !== undefined && close(this.terminal),
      () => Deno.removeSync(this.directory, { recursive: true }),
    );
  }
}
