/**
 * The other end of `listenerPath`: takes the listener of a filter, and answers system calls.
 *
 * @see seccomp_unotify(2)
 * @module
 */
import { SECCOMP_USER_NOTIF_FLAG_CONTINUE, SOCK_CLOEXEC } from "../../runtime/linux/generated/constants.ts";
import { close, ioctl, read } from "../../runtime/linux/files.ts";
import { syscall } from "../../runtime/linux/libc.ts";
import { endsWithin } from "../../runtime/linux/processes.ts";
import { listenUnix } from "../../runtime/linux/sockets.ts";
import { receiveDescriptor } from "../support/descriptors.ts";

/** linux/seccomp.h: _IOWR('!', 0, struct seccomp_notif) and _IOWR('!', 1, struct seccomp_notif_resp) */
const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
const SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;

/** What a call gets: a value, an errno, or what the kernel makes of it. */
export type Answer = { readonly value: number } | { readonly errno: number } | "continue";

export interface Notification {
  readonly pid: number;
  readonly number: number;
  readonly args: readonly bigint[];
}

export class Agent implements Disposable {
  readonly #socket: number;
  readonly #listeners: number[] = [];
  /** The texts that came with listeners, and what of them is behind the first message. */
  readonly messages: string[] = [];
  /** All calls that were answered. */
  readonly notifications: Notification[] = [];

  constructor(path: string) {
    this.#socket = listenUnix(path);
  }

  /** Takes what comes and answers it, until `done`. */
  async serve(done: Promise<unknown>, answer: (call: Notification) => Answer | undefined): Promise<void> {
    let running = true;
    done.then(() => running = false, () => running = false);
    // What is there is served, even if all is done by then.
    for (let last = false; !last;) {
      last = !running;
      if (isReadable(this.#socket)) this.#accept();
      for (const listener of this.#listeners) if (isReadable(listener)) this.#answer(listener, answer);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #accept(): void {
    const connection = syscall("accept4", [this.#socket, 0, 0, SOCK_CLOEXEC]);
    const { text, fd } = receiveDescriptor(connection);
    this.#listeners.push(fd);
    const rest = new TextDecoder().decode(read(connection, 1));
    this.messages.push(text + rest);
    close(connection);
  }

  #answer(listener: number, answer: (call: Notification) => Answer | undefined): void {
    const request = new Uint8Array(80);
    try {
      ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, request);
    } catch {
      // The caller was killed, or has ended: poll(2) says so with POLLHUP.
      return this.dropListeners();
    }
    const view = new DataView(request.buffer);
    const call: Notification = {
      pid: view.getUint32(8, true),
      number: view.getInt32(16, true),
      args: [0, 1, 2, 3, 4, 5].map((index) => view.getBigUint64(32 + 8 * index, true)),
    };
    this.notifications.push(call);
    const result = answer(call);
    if (result === undefined) return;
    const response = new Uint8Array(24);
    const out = new DataView(response.buffer);
    out.setBigUint64(0, view.getBigUint64(0, true), true);
    if (result === "continue") out.setUint32(20, SECCOMP_USER_NOTIF_FLAG_CONTINUE, true);
    else if ("errno" in result) out.setInt32(16, -result.errno, true);
    else out.setBigInt64(8, BigInt(result.value), true);
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
  }

  dropListeners(): void {
    this.#listeners.splice(0).forEach(close);
  }

  [Symbol.dispose](): void {
    this.dropListeners();
    close(this.#socket);
  }
}

function isReadable(fd: number): boolean {
  return endsWithin(fd, 0);
}
