/**
 * The first process of a container: its init, and later its program.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import type { Init } from "../init/init.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import { close } from "../linux/files.ts";
import { isErrno } from "../linux/libc.ts";
import { endsWithin, type ExitStatus, pidfdOpen, pidfdSendSignal, readStat } from "../linux/processes.ts";
import type { State } from "./state.ts";

/** How long a killed process may take to end: it can be in an uninterruptible call. */
export const KILL_MILLISECONDS = 10_000;

/** Known by its pid and its start time: its pid alone may be another's by now. */
export class FirstProcess {
  readonly #state: Pick<State, "id" | "pid" | "startTime">;
  /** If this command has created it. */
  readonly init: Init | undefined;

  constructor(state: Pick<State, "id" | "pid" | "startTime">, init: Init | undefined) {
    this.#state = state;
    this.init = init;
  }

  /** A zombie does not: whoever is to reap it may take its time. */
  lives(): boolean {
    if (this.init?.isReaped) return false;
    const { pid, startTime } = this.#state;
    const stat = readStat(pid);
    return stat?.startTime === startTime && !"ZX".includes(stat.state);
  }

  /** A pidfd, unless it has ended. Opened first and compared then: so it refers to our process, or is not used. */
  open(): number | undefined {
    let pidfd: number;
    try {
      pidfd = pidfdOpen(this.#state.pid);
    } catch (error) {
      if (isErrno(error, "ESRCH", "EINVAL")) return undefined;
      throw error;
    }
    let lives = false;
    try {
      lives = this.lives();
    } finally {
      if (!lives) close(pidfd);
    }
    return lives ? pidfd : undefined;
  }

  /** @throws {StateError} if it has ended */
  signal(signal: number): void {
    const pidfd = this.open();
    if (pidfd === undefined) throw this.#notRunning();
    try {
      pidfdSendSignal(pidfd, signal);
    } catch (error) {
      if (isErrno(error, "ESRCH")) throw this.#notRunning();
      throw error;
    } finally {
      close(pidfd);
    }
  }

  #notRunning(): StateError {
    return new StateError(this.#state.id, "container not running");
  }

  /** Waits for its end, while signals and promises are served. */
  wait(): Promise<ExitStatus> {
    if (this.init === undefined) throw new Error("only its parent can wait for a process");
    return this.init.waitAsync();
  }

  /** Kills it, if it lives, and waits for its end. */
  kill(): void {
    if (this.init !== undefined) return this.init.kill();
    const pidfd = this.open();
    if (pidfd === undefined) return;
    try {
      pidfdSendSignal(pidfd, SIGKILL);
      if (!endsWithin(pidfd, KILL_MILLISECONDS)) {
        throw new StateError(this.#state.id, "container init still running");
      }
    } catch (error) {
      if (!isErrno(error, "ESRCH")) throw error;
    } finally {
      close(pidfd);
    }
  }

  /** An init that has failed is about to exit. Whoever looks at it next has to find it stopped. */
  orKill(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.kill();
      throw error;
    }
  }
}
