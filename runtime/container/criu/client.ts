/**
 * A CRIU that we control: one process that is asked over a socket, and asks back.
 *
 * @see https://criu.org/RPC, "criu swrk"
 * @module
 */
import { StateError } from "../../errors.ts";
import { write } from "../../linux/files.ts";
import { isErrno } from "../../linux/libc.ts";
import { receivePacket } from "../../linux/packets.ts";
import { findProgram } from "../program.ts";
import {
  type Features,
  type Options,
  REQUEST,
  type Request,
  REQUEST_TYPE,
  RESPONSE,
  type Response,
} from "./messages.ts";
import { decode, encode } from "./protobuf.ts";

/** What CRIU tells us on its way. It goes on when we have answered. */
export interface Notification {
  /** "post-dump", "setup-namespaces", "post-restore", ... */
  readonly script: string;
  /** Of the first process, as we see it; 0 if there is none yet. */
  readonly pid: number;
  /** With "orphan-pts-master" the terminal's master, which the receiver closes. */
  readonly fd?: number;
}

/** External pid namespaces, orphaned terminals and the freezer of cgroup v2 are all there from this version on. */
const OLDEST: readonly [major: number, minor: number] = [3, 15];

/** No answer is longer: the longest is an error message. */
const ANSWER_BYTES = 65536;

/** @throws {StateError} if there is none */
export function findCriu(id: string): string {
  const path = findProgram("criu");
  if (path !== undefined) return path;
  throw new StateError(id, "criu is not installed: saving and restoring processes takes it, in $PATH");
}

export class Criu {
  readonly #socket: number;
  readonly #id: string;
  /** Of ours at a notification, if one has failed there. */
  failure: unknown;

  /**
   * @param socket our end of the connection to it
   * @param id the container's, for errors
   */
  constructor(socket: number, id: string) {
    this.#socket = socket;
    this.#id = id;
  }

  /** @throws {StateError} if it is too old */
  checkVersion(): void {
    const { version } = this.#ask({ type: REQUEST_TYPE.VERSION, keep_open: true });
    const { major_number: major = 0, minor_number: minor = 0 } = version ?? {};
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
    throw new StateError(
      this.#id,
      `criu ${major}.${minor} is too old: it takes ${OLDEST.join(".")} or later`,
    );
  }

  /** @throws {StateError} if this kernel cannot do what is asked */
  checkFeatures(asked: Features): void {
    const { features = {} } = this.#ask({
      type: REQUEST_TYPE.FEATURE_CHECK,
      keep_open: true,
      features: asked,
    });
    for (const name of Object.keys(asked) as (keyof Features)[]) {
      if (!features[name]) {
        throw new StateError(this.#id, `criu cannot do this on this kernel: it has no ${name}`);
      }
    }
  }

  /**
   * Dumps, pre-dumps or restores.
   *
   * @param notified what to do at each notification; if it throws, CRIU gives up, and the error is ours
   * @throws {StateError} without what CRIU has logged
   */
  run(type: number, opts: Options, notified: (notification: Notification) => void): void {
    this.#ask({ type, opts }, notified);
  }

  #ask(request: Request, notified: (notification: Notification) => void = () => {}): Response {
    this.#send(request);
    for (;;) {
      const { bytes, fd } = receivePacket(this.#socket, ANSWER_BYTES);
      if (bytes.length === 0 && this.failure !== undefined) throw this.failure;
      if (bytes.length === 0) throw new StateError(this.#id, "criu has ended without an answer");
      const response = decode(RESPONSE, bytes);
      if (response.type !== REQUEST_TYPE.NOTIFY) {
        if (this.failure !== undefined) throw this.failure;
        if (!response.success) throw new StateError(this.#id, response.cr_errmsg?.trim() || "criu failed");
        return response;
      }
      const { script = "", pid = 0 } = response.notify ?? {};
      try {
        notified({ script, pid, ...(fd !== undefined && { fd }) });
      } catch (error) {
        this.failure ??= error;
      }
      this.#send({ type: REQUEST_TYPE.NOTIFY, notify_success: this.failure === undefined });
    }
  }

  #send(request: Request): void {
    try {
      write(this.#socket, encode(REQUEST, request));
    } catch (error) {
      // It has ended, which the next read tells.
      if (!isErrno(error, "EPIPE", "ECONNRESET")) throw error;
    }
  }
}

/**
 * The errors in a log of CRIU's, in one line; nothing if there is none. Without those that are told to nobody's use: of
 * what it does better with more rights, and that it has failed.
 */
export function errorsIn(log: string): string | undefined {
  const errors = log.split("\n").flatMap((line) => /\bError \([^)]*\): (.*)/.exec(line)?.[1]?.trim() ?? [])
    .filter((text) => !/^rlimit: Can't setup|FAILED\.?$/.test(text));
  return errors.length === 0 ? undefined : [...new Set(errors)].slice(0, 5).join("; ");
}
