/** The streams of Exec and Attach, by WebSocket. @module */
import { until } from "../engines/suite.ts";

/** The first byte of a message. @see k8s.io/apimachinery pkg/util/remotecommand, v4.channel.k8s.io */
const [STDIN, STDOUT, STDERR, ERROR, RESIZE] = [0, 1, 2, 3, 4];

export class Stream {
  stdout = "";
  stderr = "";
  #end: string | undefined;
  readonly #decoder = new TextDecoder();

  private constructor(readonly socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      const bytes = new Uint8Array(data);
      const text = this.#decoder.decode(bytes.subarray(1));
      if (bytes[0] === STDOUT) this.stdout += text;
      else if (bytes[0] === STDERR) this.stderr += text;
      else if (bytes[0] === ERROR) this.#end = text;
    };
  }

  /** Of an address that Exec or Attach has given. */
  static async open(url: string): Promise<Stream> {
    const socket = new WebSocket(url.replace(/^http/, "ws"), ["v4.channel.k8s.io"]);
    const stream = new Stream(socket);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = (event) => reject(new Error((event as ErrorEvent).message));
    });
    return stream;
  }

  type(text: string): void {
    this.#send(STDIN!, text);
  }

  resize(Width: number, Height: number): void {
    this.#send(RESIZE!, JSON.stringify({ Width, Height }));
  }

  /** Waits until its stdout matches. */
  async shows(pattern: RegExp): Promise<void> {
    await until(`${pattern}`, () => {
      if (!pattern.test(this.stdout)) throw new Error(JSON.stringify(this.stdout));
      return true;
    });
  }

  /** Waits for its end. @returns the exit code */
  async status(): Promise<number> {
    await until("the end of the process", () => this.#end !== undefined);
    const { status, details } = JSON.parse(this.#end!);
    if (status === "Success") return 0;
    return Number(details.causes.find(({ reason }: { reason: string }) => reason === "ExitCode").message);
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }

  #send(channel: number, text: string): void {
    this.socket.send(new Uint8Array([channel, ...new TextEncoder().encode(text)]));
  }
}
