/** A terminal for a command, with the test in the place of the person. @module */
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  TCGETS,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../../runtime/linux/generated/constants.ts";
import { close, ioctl, openat2, read } from "../../runtime/linux/files.ts";
import { ERRNO } from "../../runtime/linux/generated/errno.ts";
import { errnoInfo, isErrno, trySyscall } from "../../runtime/linux/libc.ts";
import { killWithOrphans } from "./children.ts";
import { TIMEOUT_MILLISECONDS } from "./hako.ts";

/** Plays the person in front of a terminal, on which the process `pid` runs. */
export type Person = (pid: number) => void | Promise<void>;

export class Pty {
  #master: number | undefined;
  readonly #slave: number;
  /** The path of what a command has. */
  readonly name: string;
  /** All that has been written to the terminal. */
  output = "";

  constructor(size: { readonly rows: number; readonly columns: number } = { rows: 24, columns: 80 }) {
    const master = openat2(AT_FDCWD, "/dev/ptmx", { flags: O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC });
    this.#master = master;
    const number = new Uint8Array(4);
    ioctl(master, TIOCSPTLCK, new Uint8Array(4));
    ioctl(master, TIOCGPTN, number);
    this.name = `/dev/pts/${new DataView(number.buffer).getUint32(0, true)}`;
    // Ours, so that the modes can be looked at after the command.
    this.#slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    this.resize(size.rows, size.columns);
  }

  /** Starts a command on this terminal, in a session of its own. */
  spawn(command: readonly string[]): Deno.ChildProcess {
    // As a login opens it: each of the three can be read and written, and there are programs that read their stderr.
    const script = 'exec setsid --ctty "$@" <>"$0" >&0 2>&0';
    return new Deno.Command("sh", {
      args: ["-c", script, this.name, ...command],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Runs a command while `use` plays the person. @returns its status */
  async run(command: readonly string[], use: Person = () => {}): Promise<number> {
    const child = this.spawn(command);
    let status: number | undefined;
    void child.status.then(({ code }) => status = code);
    try {
      await use(child.pid);
      await this.#until(() => status !== undefined, "the end of the command");
      return status!;
    } finally {
      if (status === undefined) await killWithOrphans(child);
    }
  }

  /** Types, at the pace of the terminal. What it shows meanwhile is read. */
  async type(text: string): Promise<void> {
    let rest = new TextEncoder().encode(text);
    await this.#until(() => {
      rest = rest.subarray(this.#write(rest));
      return rest.length === 0;
    }, `room for ${rest.length} bytes`);
  }

  /** Waits until the terminal shows `pattern`, and forgets what it has shown. */
  async shows(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.output), `${pattern}`);
    this.output = "";
  }

  /** The kernel tells the command by SIGWINCH. */
  resize(rows: number, columns: number): void {
    ioctl(this.#master!, TIOCSWINSZ, new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer));
  }

  /** struct termios: whether it echoes, is raw, ... */
  modes(): string {
    const termios = new Uint8Array(64);
    ioctl(this.#slave, TCGETS, termios);
    return termios.toHex();
  }

  /** The person closes the window. */
  hangUp(): void {
    if (this.#master !== undefined) close(this.#master);
    this.#master = undefined;
  }

  [Symbol.dispose](): void {
    this.hangUp();
    close(this.#slave);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    for (const start = Date.now();;) {
      // First, for it may have been the last to write.
      const done = condition();
      const idle = !this.#read();
      if (idle && (done || condition())) return;
      if (Date.now() - start > TIMEOUT_MILLISECONDS) {
        throw new Error(`no ${what} but ${JSON.stringify(this.output)}`);
      }
      if (idle) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  #write(bytes: Uint8Array<ArrayBuffer>): number {
    const written = trySyscall("write", [this.#master!, bytes, bytes.length]);
    if (written < 0 && written !== -ERRNO.EAGAIN) throw new Error(`write: ${errnoInfo(-written).text}`);
    return Math.max(written, 0);
  }

  #read(): boolean {
    if (this.#master === undefined) return false;
    try {
      const bytes = read(this.#master, 65536);
      this.output += new TextDecoder("latin1").decode(bytes);
      return bytes.length > 0;
    } catch (error) {
      if (isErrno(error, "EAGAIN")) return false;
      throw error;
    }
  }
}
