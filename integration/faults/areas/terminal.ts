/** `hako run` and `exec` in the foreground, on a terminal. @module */
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
} from "../../../runtime/linux/generated/constants.ts";
import { close, duplicate, openat2 } from "../../../runtime/linux/files.ts";
import type { ErrnoName } from "../../../runtime/linux/generated/errno.ts";
import { SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";
import { CPU, libc, syscall } from "../../../runtime/linux/libc.ts";
import { stringify } from "../../../runtime/spec/json.ts";
import { Pty } from "../../support/pty.ts";
import type { GoldenBundle } from "../golden.ts";
import type { Scenario } from "../scenarios.ts";
import { command } from "./command.ts";

export function terminals(bundle: GoldenBundle): Scenario[] {
  const { id, path, config } = bundle;
  const directory = `${path}/terminal`;
  const process = { ...config.process, terminal: true, args: ["/bin/echo", "words"] };
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(
    `${directory}/config.json`,
    stringify({ ...config, root: { path: `${path}/rootfs` }, process }),
  );
  const terminal = new Terminal();
  return [
    { ...onTerminal(terminal, command(bundle, ["run", "--bundle", directory, id])), deletes: true },
    onTerminal(terminal, command(bundle, ["exec", "--tty", id, "/bin/echo", "words"], { running: true })),
  ];
}

function onTerminal(terminal: Terminal, scenario: Scenario): Scenario {
  return {
    ...scenario,
    async prepare() {
      const expected = await scenario.prepare!();
      terminal.take();
      return expected;
    },
    after: (error, { errno }) => terminal.giveBack(error, errno),
  };
}

const STREAMS = [0, 1, 2];

/** In the place of our standard streams. */
class Terminal {
  readonly #own = STREAMS.map((fd) => duplicate(fd, STREAMS.length));
  readonly #polls = pollsOfInput();
  #pty: Pty | undefined;
  #modes = "";

  take(): void {
    this.#pty = new Pty();
    this.#modes = this.#pty.modes();
    for (const fd of STREAMS) {
      // Where a byte is looked for that is not there, nobody must wait.
      const flags = O_RDWR | O_NOCTTY | O_CLOEXEC | (fd === 0 ? O_NONBLOCK : 0);
      replace(openat2(AT_FDCWD, this.#pty.name, { flags }), fd);
    }
  }

  /** @returns what is wrong with it */
  async giveBack(error: unknown, errno: ErrnoName | undefined): Promise<string[]> {
    const pty = this.#pty!;
    const isAsBefore = pty.modes() === this.#modes;
    pty.hangUp();
    // What waits for input sees the end: from here on it would be that of the suite.
    while (this.#polls.size > 0) {
      await Promise.all(this.#polls);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    for (const fd of STREAMS) syscall("dup3", [this.#own[fd]!, fd, 0]);
    pty[Symbol.dispose]();
    // EIO is said to be of one that has hung up: nobody need set it back.
    const hasHungUp = error === undefined && errno === "EIO";
    return isAsBefore || hasHungUp || cannotBeSet(error) ? [] : ["the modes of the terminal"];
  }
}

function replace(from: number, to: number): void {
  syscall("dup3", [from, to, 0]);
  close(from);
}

/** The fault was that they could not be set back. */
function cannotBeSet(error: unknown): boolean {
  return error instanceof Error && /\bunlessHungUp\b/.test(error.stack!) &&
    !/\bcopyWindowSize\b/.test(error.stack!);
}

interface Library {
  syscallOnThread: { call(...words: readonly bigint[]): Promise<number> };
}

/** The calls on other threads that wait for something to read from stdin. */
function pollsOfInput(): ReadonlySet<Promise<number>> {
  const polls = new Set<Promise<number>>();
  const library = libc() as unknown as Library;
  const real = library.syscallOnThread;
  library.syscallOnThread = {
    call(number, ...args) {
      const result = real.call(number, ...args);
      if (Number(number) === SYSCALLS[CPU].ppoll && polledBy(args[0]!) === 0) {
        polls.add(result);
        void result.finally(() => polls.delete(result));
      }
      return result;
    },
  };
  return polls;
}

/** Of struct pollfd, poll(2). */
function polledBy(address: bigint): number {
  return new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!).getInt32();
}
