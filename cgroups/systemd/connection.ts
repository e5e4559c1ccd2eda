/**
 * A connection to systemd, by D-Bus.
 *
 * Our own, for the four calls that we make: the order of what a runtime does is its subject, so it is synchronous, and the
 * clients of npm are not. They are also made of `node:net`, `node:events` and more, which take longer to load than a
 * container takes to start.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html
 * @module
 */
import { StateError } from "../../runtime/errors.ts";
import { close, isReadable, read, write } from "../../runtime/linux/files.ts";
import { connectUnix } from "../../runtime/linux/sockets.ts";
import type { Endpoint } from "./address.ts";
import {
  decodeMessage,
  encodeMessage,
  ERROR,
  FIXED_BYTES,
  type Message,
  messageLength,
  METHOD_CALL,
  METHOD_RETURN,
  NO_REPLY_EXPECTED,
  SIGNAL,
  type Value,
} from "./message.ts";

/** The peer has answered with an error. */
export class DBusError extends StateError {
  /** "org.freedesktop.systemd1.NoSuchUnit" */
  readonly errorName: string;

  constructor(errorName: string, problem: string) {
    super("", problem);
    this.errorName = errorName;
  }
}

export interface Call {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly Value[];
  /** Who is asked, on a bus: systemd if absent. */
  readonly destination?: string;
}

export class Connection {
  readonly #socket: number;
  readonly #direct: boolean;
  readonly #timeoutMilliseconds: number;
  #serial = 0;
  /** What has been read, and is not yet a whole message. */
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** Signals that came while we waited for something else. */
  readonly #signals: Message[] = [];

  private constructor(socket: number, direct: boolean, timeoutMilliseconds: number) {
    this.#socket = socket;
    this.#direct = direct;
    this.#timeoutMilliseconds = timeoutMilliseconds;
  }

  /**
   * @throws {SyscallError} if nobody listens there
   * @throws {StateError} if we are not let in, or nobody answers for so long
   */
  static open({ path, direct }: Endpoint, timeoutMilliseconds: number): Connection {
    const connection = new Connection(connectUnix(path), direct, timeoutMilliseconds);
    try {
      connection.#authenticate();
      if (!direct) connection.send({ ...BUS, member: "Hello" });
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * EXTERNAL: the kernel says who we are. We name no user, for in a user namespace we do not know what the peer calls us.
   */
  #authenticate(): void {
    const say = (line: string) => write(this.#socket, new TextEncoder().encode(line));
    say("\0AUTH EXTERNAL\r\n");
    let answer = this.#readLine();
    if (answer.startsWith("DATA")) {
      say("DATA\r\n");
      answer = this.#readLine();
    }
    if (!answer.startsWith("OK")) throw new StateError("", `systemd's bus does not let us in: ${answer}`);
    say("BEGIN\r\n");
  }

  #readLine(): string {
    const end = Date.now() + this.#timeoutMilliseconds;
    for (;;) {
      const newline = this.#buffer.indexOf("\n".charCodeAt(0));
      if (newline >= 0) {
        const line = new TextDecoder().decode(this.#buffer.subarray(0, newline));
        this.#buffer = this.#buffer.slice(newline + 1);
        return line.trim();
      }
      this.#fill(end);
    }
  }

  /** Calls a method, and does not wait for its end. */
  send(call: Call): void {
    this.#write(call, NO_REPLY_EXPECTED);
  }

  /** Has a bus pass on what systemd tells everybody. Without one systemd does that itself. */
  listen(rule: string): void {
    if (!this.#direct) this.send({ ...BUS, member: "AddMatch", signature: "s", body: [rule] });
  }

  /**
   * Calls a method.
   *
   * @returns the body of the reply
   * @throws {DBusError} with the peer's error
   */
  call(call: Call): readonly Value[] {
    const serial = this.#write(call, 0);
    const end = Date.now() + this.#timeoutMilliseconds;
    for (;;) {
      const message = this.#next(end);
      if (message.replySerial === serial && message.type === METHOD_RETURN) return message.body ?? [];
      if (message.replySerial === serial && message.type === ERROR) {
        const name = message.errorName ?? "";
        throw new DBusError(name, `systemd: ${call.member}: ${message.body?.[0] ?? name}`);
      }
      if (message.type === SIGNAL) this.#signals.push(message);
    }
  }

  /**
   * Waits for a signal with this member that `matches`, since the connection was opened.
   *
   * @param what is being waited for, for the error
   * @returns its body
   */
  waitFor(member: string, matches: (body: readonly Value[]) => boolean, what: string): readonly Value[] {
    const end = Date.now() + this.#timeoutMilliseconds;
    for (;;) {
      const message = this.#signals.shift() ?? this.#next(end, what);
      if (message.type === SIGNAL && message.member === member && matches(message.body ?? [])) {
        return message.body ?? [];
      }
    }
  }

  close(): void {
    close(this.#socket);
  }

  #write({ destination = SYSTEMD, ...call }: Call, flags: number): number {
    const serial = ++this.#serial;
    const to = this.#direct ? {} : { destination };
    write(this.#socket, encodeMessage({ ...call, ...to, type: METHOD_CALL, flags, serial }));
    return serial;
  }

  #next(end: number, what = "an answer"): Message {
    while (this.#buffer.length < FIXED_BYTES) this.#fill(end, what);
    try {
      const length = messageLength(this.#buffer);
      while (this.#buffer.length < length) this.#fill(end, what);
      const message = decodeMessage(this.#buffer.slice(0, length));
      this.#buffer = this.#buffer.slice(length);
      return message;
    } catch (error) {
      if (error instanceof RangeError) {
        throw new StateError("", `systemd's bus does not speak D-Bus: ${error.message}`);
      }
      throw error;
    }
  }

  #fill(end: number, what = "an answer"): void {
    if (!isReadable(this.#socket, Math.max(0, end - Date.now()))) {
      const seconds = this.#timeoutMilliseconds / 1000;
      throw new StateError("", `systemd: waited ${seconds} s in vain for ${what}`);
    }
    const bytes = read(this.#socket, 65536);
    if (bytes.length === 0) throw new StateError("", "systemd has closed the connection");
    this.#buffer = Uint8Array.of(...this.#buffer, ...bytes);
  }
}

const SYSTEMD = "org.freedesktop.systemd1";

/** The bus itself. */
const BUS = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
} as const;
