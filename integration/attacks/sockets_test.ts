/**
 * Sockets for a terminal, a pidfd or a seccomp listener, with nobody behind them who means well.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { AT_FDCWD, S_IFIFO } from "../../runtime/linux/generated/constants.ts";
import { SyscallError } from "../../runtime/errors.ts";
import { close } from "../../runtime/linux/files.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";
import { connectUnix, listenUnix } from "../../runtime/linux/sockets.ts";
import { intoFiles } from "../support/commands.ts";
import { containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** Makes what is at the path. @returns what ends it */
type Peer = (path: string) => (() => Promise<void>) | void;

function listener(path: string, meet: (connection: Deno.Conn) => void): () => Promise<void> {
  const server = Deno.listen({ transport: "unix", path });
  const connections: Deno.Conn[] = [];
  const served = (async () => {
    for await (const connection of server) {
      connections.push(connection);
      meet(connection);
    }
  })().catch(() => {});
  return async () => {
    server.close();
    await served;
    for (const connection of connections) {
      try {
        connection.close();
      } catch {
        // It is closed already.
      }
    }
  };
}

/** Nobody takes the connections, and there is no room for another. */
function fullQueue(path: string): () => Promise<void> {
  const fds = [listenUnix(path)];
  try {
    for (;;) fds.push(connectUnix(path, 1));
  } catch (error) {
    if (!(error instanceof SyscallError && error.errno.name === "EAGAIN")) throw error;
  }
  return () => Promise.resolve(fds.forEach(close));
}

/** By what is there, and what Hako says to it. */
const PEERS: Readonly<Record<string, readonly [peer: Peer, says: RegExp]>> = {
  "never reads": [(path) => listener(path, () => {}), /^$/],
  // Whoever is quicker.
  "closes at once": [(path) => listener(path, (one) => one.close()), /^$|\(EPIPE\)|\(ECONNRESET\)/],
  "sends garbage": [
    (path) => listener(path, (one) => void one.write(new Uint8Array(4096).fill(0xff)).catch(() => {})),
    /^$/,
  ],
  "has no room in its queue": [fullQueue, /\(EAGAIN\)/],
  "is a FIFO": [
    (path) => void syscall("mknodat", [AT_FDCWD, cString(path), S_IFIFO | 0o666, 0]),
    /\(ECONNREFUSED\)/,
  ],
  "is a file": [(path) => Deno.writeTextFileSync(path, ""), /\(ECONNREFUSED\)/],
  "is a directory": [(path) => Deno.mkdirSync(path), /\(ECONNREFUSED\)/],
  "is a loop": [(path) => Deno.symlinkSync(path, path), /\(ELOOP\)/],
  "is a link to nothing": [(path) => Deno.symlinkSync(`${path}-not`, path), /\(ENOENT\)/],
  "is not there": [() => {}, /\(ENOENT\)/],
};

const seccomp = (path: string) => ({
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
  listenerPath: path,
  syscalls: [{ names: ["swapon"], action: "SCMP_ACT_NOTIFY" }],
} as const);

for (const [name, [peer, says]] of Object.entries(PEERS)) {
  for (const kind of ["console", "pidfd", "seccomp listener"] as const) {
    containerTest(`the ${kind} socket ${name}`, async (box) => {
      const socket = `${box.directory}/socket`;
      const end = peer(socket);
      try {
        const { path } = box.bundle({
          args: ["/bin/true"],
          config: {
            process: { terminal: kind === "console" },
            ...kind === "seccomp listener" && { linux: { seccomp: seccomp(socket) } },
          },
        });
        const error = `${box.directory}/error`;
        const options = kind === "seccomp listener" ? [] : [`--${kind}-socket`, socket];
        const hako = ["timeout", "--signal=KILL", "25", ...HAKO, "--root", box.state];
        const { status } = await run([
          ...intoFiles(`${box.directory}/out`, error),
          ...hako,
          "run",
          "--detach",
          ...options,
          "--bundle",
          path,
          box.id,
        ]);
        const said = Deno.readTextFileSync(error);
        assertMatch(said, says);
        assert(said.trim().split("\n").length === 1, said);
        assertEquals(status, said === "" ? 0 : 1);
        assertEquals((await run([...hako, "delete", "--force", box.id])).status, 0);
      } finally {
        await end?.();
      }
    });
  }
}
