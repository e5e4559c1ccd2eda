/** Pipes to a process of a sandbox, as web streams. @module */
import { AT_FDCWD, O_CLOEXEC, O_RDWR } from "../linux/generated/constants.ts";
import { close, openat2, read } from "../linux/files.ts";
import { syscall } from "../linux/libc.ts";
import { readable, writeOnThread } from "../linux/streams.ts";

const CHUNK_BYTES = 65536;

/** What a standard stream is: a pipe of ours, nothing, or our own. */
export type Stdio = "piped" | "null" | "inherit";

/** Our end of a pipe. It is closed once, and not while a call on another thread has its number: the next file would get it. */
export class Pipe {
  readonly #fd: number;
  #users = 0;
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns nothing if it is closed */
  async use<T>(action: (fd: number) => Promise<T>): Promise<T | undefined> {
    if (this.#isClosed) return undefined;
    this.#users++;
    try {
      return await action(this.#fd);
    } finally {
      this.#users--;
      if (this.#isClosed) this.#release();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
  }

  #release(): void {
    if (this.#users === 0) close(this.#fd);
  }
}

/** A pipe, or what stands for it. */
export interface End {
  /** The process's. */
  readonly theirs: number;
  /** Of a pipe. */
  readonly ours?: Pipe;
}

/** @param stream 0, 1 or 2 */
export function openEnd(kind: Stdio, stream: number): End {
  if (kind === "inherit") return { theirs: stream };
  if (kind === "null") return { theirs: openat2(AT_FDCWD, "/dev/null", { flags: O_RDWR | O_CLOEXEC }) };
  const pair = new Int32Array(2);
  syscall("pipe2", [new Uint8Array(pair.buffer), O_CLOEXEC]);
  const [output, input] = [pair[0]!, pair[1]!];
  return stream === 0 ? { theirs: output, ours: new Pipe(input) } : { theirs: input, ours: new Pipe(output) };
}

/** What the process writes. Its end is that of the last process that has it. */
export function readEnd(pipe: Pipe): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      let bytes: Uint8Array<ArrayBuffer> | undefined;
      try {
        bytes = await pipe.use(async (fd) => {
          await readable(fd);
          return read(fd, CHUNK_BYTES);
        });
      } finally {
        if (!bytes?.length) pipe.close();
      }
      if (bytes?.length) controller.enqueue(bytes);
      else controller.close();
    },
    cancel: () => pipe.close(),
  }, { highWaterMark: 0 });
}

/** What the process reads. */
export function writeEnd(pipe: Pipe): WritableStream<Uint8Array<ArrayBuffer>> {
  return new WritableStream({
    async write(bytes) {
      if (await pipe.use((fd) => writeOnThread(fd, bytes))) return;
      pipe.close();
      throw new Deno.errors.BrokenPipe("the process reads no more");
    },
    close: () => pipe.close(),
    abort: () => pipe.close(),
  });
}
