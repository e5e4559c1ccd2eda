/**
 * A worker that listens as systemd or a bus would, for connections that wait without letting anything else run.
 *
 * It is told a path and a {@linkcode Script}, says "ready", and then every call that it gets.
 *
 * @module
 */
import {
  decodeMessage,
  encodeMessage,
  ERROR,
  FIXED_BYTES,
  messageLength,
  METHOD_RETURN,
  SIGNAL,
} from "../../../cgroups/systemd/message.ts";

/** What happens to a call. */
export interface Answer {
  /** The name of an error of systemd's. */
  readonly error?: string;
  /** A property's value. */
  readonly value?: string;
  /** How the job ends that the call begins. */
  readonly job?: string;
  /** It ends before the call is answered. */
  readonly early?: boolean;
  readonly silent?: boolean;
  readonly hangUp?: boolean;
  readonly garbage?: boolean;
}

export interface Script {
  /** Lines of the authentication, instead of those of systemd. */
  readonly authentication?: readonly string[];
  /** By the method: an answer for each call, the last one for all others. */
  readonly methods?: Readonly<Record<string, readonly Answer[]>>;
}

if (typeof self !== "undefined" && "postMessage" in self) {
  (self as unknown as Worker).onmessage = ({ data }: MessageEvent<{ path: string; script: Script }>) => {
    void serve(data.path, data.script);
  };
}

const post = (message: unknown) => (self as unknown as Worker).postMessage(message);

async function serve(path: string, script: Script): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path });
  post("ready");
  const counts = new Map<string, number>();
  for await (const connection of listener) void converse(connection, script, counts).catch(() => {});
}

async function converse(connection: Deno.Conn, script: Script, counts: Map<string, number>): Promise<void> {
  const { authentication = ["DATA", "OK 0123456789abcdef"], methods = {} } = script;
  let buffer = new Uint8Array();
  const fill = async (count: number) => {
    while (buffer.length < count) {
      const chunk = new Uint8Array(4096);
      const read = await connection.read(chunk);
      if (read === null) throw new Error("closed");
      buffer = Uint8Array.of(...buffer, ...chunk.subarray(0, read));
    }
  };
  const line = async () => {
    while (!buffer.includes(10)) await fill(buffer.length + 1);
    const end = buffer.indexOf(10);
    const text = new TextDecoder().decode(buffer.subarray(0, end));
    buffer = buffer.slice(end + 1);
    return text;
  };
  for (const answer of authentication) {
    await line();
    await connection.write(new TextEncoder().encode(`${answer}\r\n`));
  }
  await line();
  for (let serial = 1;; serial += 2) {
    await fill(FIXED_BYTES);
    const length = messageLength(buffer);
    await fill(length);
    const { member = "", serial: replySerial, body = [], signature } = decodeMessage(buffer.slice(0, length));
    buffer = buffer.slice(length);
    const count = counts.get(member) ?? 0;
    counts.set(member, count + 1);
    post({ member, body, signature });
    const answers = methods[member] ?? [{ job: "done" }];
    const { error, value, job, early, silent, hangUp, garbage } =
      answers[Math.min(count, answers.length - 1)]!;
    if (hangUp) return connection.close();
    if (garbage) await connection.write(new TextEncoder().encode("this is not a message of D-Bus at all"));
    if (silent || garbage || ["Hello", "AddMatch", "Subscribe"].includes(member)) continue;
    if (error !== undefined) {
      const errorName = `org.freedesktop.systemd1.${error}`;
      const reply = { type: ERROR, serial, replySerial, errorName, signature: "s", body: [`it is ${error}`] };
      await connection.write(encodeMessage(reply));
      continue;
    }
    const jobPath = `/org/freedesktop/systemd1/job/${serial}`;
    const removed = encodeMessage({
      type: SIGNAL,
      serial: serial + 1,
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "JobRemoved",
      signature: "uoss",
      body: [serial, jobPath, `${body[0]}`, job ?? ""],
    });
    const reply = value === undefined
      ? { signature: "o", body: [jobPath] }
      : { signature: "v", body: [{ signature: "s", value }] };
    const returned = encodeMessage({ type: METHOD_RETURN, serial, replySerial, ...reply });
    // Somebody else's job is none of our business.
    const other = encodeMessage({
      type: SIGNAL,
      serial: serial + 1,
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "JobRemoved",
      signature: "uoss",
      body: [serial, "/org/freedesktop/systemd1/job/0", "other.scope", "failed"],
    });
    await connection.write(other);
    if (job === undefined) await connection.write(returned);
    else {for (const message of early ? [removed, returned] : [returned, removed]) {
        await connection.write(message);
      }}
  }
}
