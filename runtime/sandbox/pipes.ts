/** Pipes to a process of a sandbox, as web streams. @module */
import { AT_FDCWD, O_CLOEXEC, O_RDWR } from "../linux/generated/constants.ts";
import { close, openat2, read } from "../linux/files.ts";
import { syscall } from "../linux/libc.ts";
import { readable, writeOnThread } from "../linux/streams.ts";

const CHUNK_BYTES = 65536;

/** What a standard stream is: a pipe of ours, nothing, or our own. */
export type Stdio = "piped" | "null" | "inherit";

/** A pipe, or what stands for it. */
export interface End {
  /** The process's. */
  readonly theirs: number;
  /** Ours, of a pipe. */
  readonly ours?: number;
}

/** @param stream 0, 1 or 2 */
export function openEnd(kind: Stdio, stream: number): End {
  if (kind === "inherit") return { theirs: stream };
  if (kind === "null") return { theirs: openat2(AT_FDCWD, "/dev/null", { flags: O_RDWR | O_CLOEXEC }) };
  const pair = new Int32Array(2);
  syscall("pipe2", [new Uint8Array(pair.buffer), O_CLOEXEC]);
  const [output, input] = [pair[0]!, pair[1]!];
  return stream === 0 ? { theirs: output, ours: input } : { theirs: input, ours: output };
}

/** What the process writes. Its end is that of the last process that has it. */
export function readEnd(fd: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      await readable(fd);
      const bytes = read(fd, CHUNK_BYTES);
      if (bytes.length > 0) return controller.enqueue(bytes);
      close(fd);
      controller.close();
    },
    cancel: () => close(fd),
  }, { highWaterMark: 0 });
}

/** What the process reads. */
export function writeEnd(fd: number): WritableStream<Uint8Array<ArrayBuffer>> {
  return new WritableStream({
    async write(bytes) {
      if (!await writeOnThread(fd, bytes)) throw new Deno.errors.BrokenPipe("the process reads no more");
    },
    close: () => close(fd),
    abort: () => close(fd),
  });
}
