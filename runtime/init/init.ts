/**
 * A running init, as the runtime sees it: spawned from a plan, met at its barriers, and asked why it failed.
 *
 * @module
 */
import { SyscallError } from "../errors.ts";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  SIGKILL,
} from "../linux/generated/constants.ts";
import { close, duplicate, memfdCreate, openat2, pread, pwrite, seal } from "../linux/files.ts";
import { ERRNO } from "../linux/generated/errno.ts";
import { connectUnix, listenUnix } from "../linux/sockets.ts";
import { CPU, errnoInfo, isErrno, syscall, trySyscall } from "../linux/libc.ts";
import {
  endsWithin,
  type ExitStatus,
  pidfdOpen,
  pidfdSendSignal,
  posixSpawn,
  readStat,
  wait,
  waitAsync,
} from "../linux/processes.ts";
import { OWN_FDS } from "../plan/inherited.ts";
import { type BarrierName, LATE_BYTES, type LateName, type Plan, type SlotName } from "../plan/node.ts";
import { lateOffset, STATUS_BYTES } from "../plan/status_page.ts";
import { elfImage } from "./elf.ts";
import { encode, type Program } from "./encode.ts";
import { STATUS } from "./record.ts";
import {
  awaitExecution,
  diedInExecve,
  failure,
  hasExecuted,
  hear,
  readReport,
  readSlot,
  release,
  type Report,
  tell,
} from "./report.ts";

export interface InitOptions {
  /** The container's id, for errors. */
  readonly id: string;
  /** Gets the files `status`, which is shared with the init, and `socket`, where it listens. They stay. */
  readonly directory: string;
  /** The first descriptor that the init's own may have: 3 and those that the container inherits. */
  readonly firstFd: number;
  /** Descriptors for the init behind its own. */
  readonly extraFds?: readonly number[];
  /** Its standard streams, ours if absent. */
  readonly stdio?: readonly [number, number, number] | undefined;
}

/** The barriers by the first letter of their names, which is what the init sends. */
const BARRIERS: Readonly<Record<string, BarrierName>> = {
  c: "cgroup",
  n: "namespaces",
  m: "mounted",
  r: "ready",
  s: "start",
  l: "listener",
};

export class Init {
  /** The process that was spawned; it is gone once it has forked {@linkcode Init.pid}. */
  readonly #spawned: number;
  /** Of both, for the kernel: the last component of the path that was spawned. */
  readonly #name: string;
  /** Its bytes are the init's. The steps are for errors, and let go of when there can be none any more. */
  #program: Pick<Program, "slots" | "steps">;
  /** How many records its program has. The last one is execve(2), but of one that only changes mounts. */
  readonly records: number;
  readonly #status: number;
  readonly #directory: string;
  /** -1 when it is closed. */
  #socket: number;
  readonly #id: string;
  /** The barrier that it waits at. */
  #at: BarrierName | undefined;
  /** What the spawned process has forked; 0 until that is seen. */
  #child = 0;
  /** It has, and is reaped. */
  #forked = false;
  #ended: ExitStatus | undefined;
  /** When it was last looked at. */
  #stopped = false;
  #pidfd: number | undefined;
  #isClosed = false;

  private constructor(
    { id, directory }: InitOptions,
    spawned: { readonly pid: number; readonly name: string },
    program: Program,
    fds: { readonly status: number; readonly socket: number },
  ) {
    this.#id = id;
    this.#directory = directory;
    this.#spawned = spawned.pid;
    this.#name = spawned.name;
    this.#program = { slots: program.slots, steps: program.steps };
    this.records = program.steps.length;
    this.#status = fds.status;
    this.#socket = fds.socket;
  }

  /** Spawns the init of `plan`. It runs until its first barrier. */
  static spawn(plan: Plan, options: InitOptions): Init {
    const { directory, firstFd, extraFds = [], stdio = [] } = options;
    const numbers = Object.fromEntries([...OWN_FDS, "$pidfd"].map((name, index) => [name, firstFd + index]));
    const program = encode(plan, CPU, numbers);
    const opened: number[] = [];
    // Above all numbers that the init has them under, so that no dup2(2) closes one that is still to come.
    const end = firstFd + OWN_FDS.length + extraFds.length;
    const open = (fd: number): number => {
      const high = fd < end ? raised(fd, end) : fd;
      opened.push(high);
      return high;
    };
    try {
      const status = open(createStatusFile(`${directory}/status`));
      const image = open(sealedImage(program, directory));
      const listening = open(listenUnix(`${directory}/socket`));
      const socket = open(connectUnix(`${directory}/socket`));
      const extras = extraFds.map((fd) => open(duplicate(fd, end)));
      const spawned = posixSpawn({
        path: `/proc/self/fd/${image}`,
        args: ["hako-init"],
        env: [],
        // `$barrier` is nothing yet, but its number must be taken: acceptRuntime.
        fds: [
          ...stdio.map((from, to) => ({ from, to })),
          ...[status, listening, listening, ...extras].map((from, index) => ({ from, to: firstFd + index })),
        ],
      });
      // The init's alone: nobody can connect when it has gone.
      [image, listening, ...extras].forEach(close);
      return new Init(options, { pid: spawned, name: `${image}` }, program, { status, socket });
    } catch (error) {
      opened.forEach(close);
      throw error;
    }
  }

  /** The container's process, or, before it is forked, the one that will do it. */
  get pid(): number {
    return (this.#child ||= this.slot("$init")) || this.#spawned;
  }

  /** Refers to {@linkcode Init.pid} for as long as this object lives. */
  get pidfd(): number {
    return this.#pidfd ??= pidfdOpen(this.pid);
  }

  /**
   * Waits until the init is at its next barrier.
   *
   * @throws {SyscallError} the step that failed
   * @throws {StateError} if it was killed, or stays stopped
   */
  next(): BarrierName {
    if (this.#at !== undefined) tell(this.#socket);
    const letter = hear(this.#socket, () => this.#look());
    this.#reapSpawned();
    if (letter === undefined) throw failure(this.#id, this.#report(), this.#program);
    return this.#at = BARRIERS[String.fromCharCode(letter)]!;
  }

  /**
   * Lets an init that waits at the barrier `start` become the program.
   *
   * @param atListener what to do at the barrier `listener`, if it has one
   * @throws {SyscallError} the step that failed, execve(2) included
   */
  start(atListener?: () => void): void {
    release(this.#directory, atListener);
    this.#checkExecuted();
  }

  /** The same for an init that has no such barrier, and waits at its last one, or at none. */
  execute(atListener?: () => void): void {
    if (this.#at !== undefined) tell(this.#socket);
    awaitExecution(this.#socket, atListener, () => this.#look());
    this.#reapSpawned();
    this.#checkExecuted();
  }

  /**
   * Who is in the container with the rights to signal or trace it can keep it from going on, and us waiting. Two looks in a
   * row: whoever debugs it, or stops us with all our children, lets it go on.
   */
  #look(): void {
    const wasStopped = this.#stopped;
    this.#stopped = /^[Tt]$/.test(readStat(this.pid)?.state ?? "");
    if (!wasStopped || !this.#stopped) return;
    throw failure(this.#id, this.#report(), this.#program, "was stopped, or is traced, by another process");
  }

  #checkExecuted(): void {
    const report = this.#report();
    const executes = this.#program.steps.at(-1)?.call.startsWith("execve");
    if (!hasExecuted(report, this.records) || executes && diedInExecve(this.pid, this.#name)) {
      throw failure(this.#id, report, this.#program);
    }
    this.#program = { slots: this.#program.slots, steps: [] };
  }

  /** The result of a step, 0 if it has not run. */
  slot(name: SlotName): number {
    return readSlot(pread(this.#status, STATUS.late, 0), this.#program, name);
  }

  /** Writes a late string: the init must be at a barrier before the step that takes it. */
  writeLate(name: LateName, text: string): void {
    const bytes = new TextEncoder().encode(`${text}\0`);
    if (bytes.length > LATE_BYTES) {
      throw new SyscallError("execve", errnoInfo(ERRNO.E2BIG), {
        label: `pass ${name} to the container`,
        pointer: "runtime",
      });
    }
    pwrite(this.#status, bytes, lateOffset(name));
  }

  /** What to report when the runtime has met `error` at a barrier: the end of the init, if that is why. */
  explain(error: unknown): unknown {
    if (this.#ended !== undefined || !endsWithin(this.pidfd, 0)) return error;
    return failure(this.#id, this.#report(), this.#program);
  }

  /** Whether the container's process has ended, and is reaped: its pid may be another one's by now. */
  get isReaped(): boolean {
    return this.#ended !== undefined;
  }

  /** Waits for the end of the container's process, and reaps it. */
  wait(): ExitStatus {
    return this.#ended ??= wait(this.pid);
  }

  /** As {@linkcode Init.wait}, while signals and promises are served. */
  async waitAsync(): Promise<ExitStatus> {
    return this.#ended ??= await waitAsync(this.pid);
  }

  /** Kills all that has come of the plan, and reaps it. */
  kill(): void {
    if (this.#ended !== undefined) return;
    // Children that nobody has reaped keep their pids: no signal can hit a stranger. The first goes first, for it may be
    // just about to fork the second.
    if (!this.#forked) {
      this.#kill(this.#spawned);
      const status = wait(this.#spawned);
      this.#forked = true;
      if (this.pid === this.#spawned) {
        this.#ended = status;
        return;
      }
    }
    this.#kill(this.pid);
    this.wait();
  }

  /** Where a seccomp filter around us forbids it, an init that waits for us ends with its connection. */
  #kill(pid: number): void {
    if (trySyscall("kill", [pid, SIGKILL]) >= 0) return;
    // One that anybody may start, or that has become the program, does not.
    const waitsForUs = this.#at !== "start" && this.#program.steps.length > 0;
    if (!waitsForUs) return pidfdSendSignal(this.pidfd, SIGKILL);
    close(this.#socket);
    this.#socket = -1;
  }

  /** Closes what belongs to the runtime, once. An init that waits ends. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const fd of [this.#socket, this.#status, this.#pidfd]) if (fd !== undefined) close(fd);
  }

  /** Both, even if the first fails. */
  end(): void {
    try {
      this.kill();
    } finally {
      this.close();
    }
  }

  #report(): Report {
    return readReport(pread(this.#status, STATUS.slots, 0));
  }

  /** The first process exits when it has forked the second. */
  #reapSpawned(): void {
    if (this.#forked || this.pid === this.#spawned) return;
    wait(this.#spawned);
    this.#forked = true;
  }
}

/** `fd` under a number from `least` on. */
function raised(fd: number, least: number): number {
  try {
    return duplicate(fd, least);
  } finally {
    close(fd);
  }
}

function createStatusFile(path: string): number {
  const fd = openat2(AT_FDCWD, path, { flags: O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600 });
  try {
    syscall("ftruncate", [fd, STATUS_BYTES], { path });
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * The program as an executable that nobody can change (CVE-2019-5736: a container overwrote the binary that entered it).
 *
 * Where the system forbids to execute memory it is a file of `directory` without a name, as with runc: nobody writes to it
 * while it runs, and nothing else is ever made of it.
 */
function sealedImage({ data }: Program, directory: string): number {
  const memory = executableMemory();
  const fd = memory ??
    openat2(AT_FDCWD, directory, { flags: O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, mode: 0o500 });
  try {
    for (const { offset, bytes } of elfImage(data, CPU)) pwrite(fd, bytes, offset);
    if (memory !== undefined) {
      seal(fd);
      return fd;
    }
    // What is open for writing cannot be executed: execve(2), ETXTBSY.
    const image = openat2(AT_FDCWD, `/proc/self/fd/${fd}`, { flags: O_RDONLY | O_CLOEXEC });
    close(fd);
    return image;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function executableMemory(): number | undefined {
  try {
    return memfdCreate("hako-init", true);
  } catch (error) {
    if (!isErrno(error, "EACCES")) throw error;
    return undefined;
  }
}
