/**
 * Telling systemd that a container is ready, when its program says so: the container has a socket of ours, and what comes
 * there goes to the socket of our caller's, NOTIFY_SOCKET.
 *
 * @see sd_notify(3); runc's notify_socket.go
 * @module
 */
import { O_CLOEXEC } from "../linux/generated/constants.ts";
import { close, read, write } from "../linux/files.ts";
import { syscall } from "../linux/libc.ts";
import { endsWithin } from "../linux/processes.ts";
import { bindDatagrams, connectDatagrams, sendDescriptor } from "../linux/sockets.ts";
import { readable } from "../linux/streams.ts";

const LOOK_MILLISECONDS = 100;
const BARRIER_MILLISECONDS = 30_000;

/** Our end of the container's socket: to be made before the program starts. */
export class NotifySocket {
  readonly #fd: number;

  constructor(directory: string) {
    const path = `${directory}/notify/notify.sock`;
    this.#fd = bindDatagrams(path);
    // For whatever user the program runs as.
    Deno.chmodSync(path, 0o777);
  }

  /**
   * Waits until the program is ready and tells `host`, or until it has ended.
   *
   * @param host the socket of our caller's, a path or "@name"
   * @param lives whether the program does
   */
  async forward(host: string, pid: number, lives: () => boolean): Promise<void> {
    try {
      for (;;) {
        if (!await readable(this.#fd, LOOK_MILLISECONDS)) {
          if (lives()) continue;
          return;
        }
        const lines = new TextDecoder().decode(read(this.#fd, 4096)).split("\n");
        const ready = lines.find((line) => line.startsWith("READY="));
        if (ready !== undefined) return tellHost(host, `${ready}\nMAINPID=${pid}\n`);
      }
    } finally {
      close(this.#fd);
    }
  }
}

/** Sends it, and waits until it has been read: systemd asks who sent it, which must not have ended by then. */
function tellHost(host: string, text: string): void {
  const pipe = new Int32Array(2);
  syscall("pipe2", [new Uint8Array(pipe.buffer), O_CLOEXEC]);
  const [ours, theirs] = pipe as unknown as [number, number];
  try {
    try {
      sendWithBarrier(host, text, theirs);
    } finally {
      close(theirs);
    }
    // sd_notify_barrier(3): the other end is closed when all before it was seen.
    endsWithin(ours, BARRIER_MILLISECONDS);
  } finally {
    close(ours);
  }
}

function sendWithBarrier(host: string, text: string, barrier: number): void {
  const socket = connectDatagrams(host);
  try {
    write(socket, new TextEncoder().encode(text));
    sendDescriptor(socket, "BARRIER=1", barrier);
  } finally {
    close(socket);
  }
}
