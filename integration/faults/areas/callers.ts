/** What a caller can ask for, or have around it, that others do not. @module */
import { adviceOn, hasProc } from "../../../runtime/cli/advice.ts";
import { checkPreserved, writePidFile } from "../../../runtime/cli/create_options.ts";
import { findCached, keepCached } from "../../../runtime/container/cache.ts";
import { runProgram } from "../../../runtime/container/program.ts";
import { send } from "../../../runtime/container/ready.ts";
import { SyscallError } from "../../../runtime/errors.ts";
import { close, openat2 } from "../../../runtime/linux/files.ts";
import {
  AT_FDCWD,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  SIGCHLD,
  SIGKILL,
} from "../../../runtime/linux/generated/constants.ts";
import { ERRNO } from "../../../runtime/linux/generated/errno.ts";
import { errnoInfo, syscall } from "../../../runtime/linux/libc.ts";
import {
  KERNEL_ACTION_BYTES,
  KERNEL_SIGSET_BYTES,
  posixSpawn,
  wait,
} from "../../../runtime/linux/processes.ts";
import { bindDatagrams } from "../../../runtime/linux/sockets.ts";
import { Log, log } from "../../../runtime/log.ts";
import { stringify } from "../../../runtime/spec/json.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import { Receivers } from "../rarely_used.ts";
import { hako, type Scenario, scenarios } from "../scenarios.ts";
import { command } from "./command.ts";

/** Each of them, with the files of a directory of their own. */
export function callers(bundle: GoldenBundle): Scenario[] {
  const { path, config, id } = bundle;
  const directory = `${path}/callers`;
  const long = `${directory}/${"long".repeat(30)}`;
  Deno.mkdirSync(long, { recursive: true });
  const file = (name: string, text: string) => {
    Deno.writeTextFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const process = file("process.json", stringify(config.process));
  const mounts = file(
    "mounts.json",
    stringify([{ destination: "/mounted", type: "bind", source: process, options: ["bind"] }]),
  );
  return [
    { ...command(bundle, ["exec", "--process", process, id], { running: true }), orphans: true },
    command(bundle, ["mounts", "add", id, mounts], { running: true }),
    logsTo(`${directory}/log`),
    writesPidTo(`${directory}/pid`),
    preserves(),
    connectsTo(long),
    ignoresChildren(),
    neverFails("a cache", "text", () => {
      keepCached("faults", "text");
      return findCached("faults") ?? "text";
    }),
    neverFails("advice", "", () => {
      adviceOn(new SyscallError("mount", errnoInfo(ERRNO.EPERM)));
      hasProc();
      return "";
    }),
    // The init's own are to be behind them, where ours are.
    scenarios("a caller that preserves many descriptors", { ...bundle, options: { preserveFds: 60 } }).create,
    ...notified(bundle, directory),
  ];
}

/** `--log FILE` */
function logsTo(path: string): Scenario {
  const time = /time="[^"]*"/g;
  return {
    name: "a log in a file",
    prepare: () => (Deno.writeTextFileSync(path, ""), {}),
    act() {
      const log = new Log();
      log.open({ file: path });
      log.warn("text");
    },
    holds: true,
    output: () => Deno.readTextFileSync(path).replace(time, ""),
  };
}

/** `--pid-file` with what is no plain file, and stays that. */
function writesPidTo(path: string): Scenario {
  return {
    name: "a pid file that is a device",
    prepare() {
      if (exists(path)) Deno.removeSync(path);
      Deno.symlinkSync("/dev/null", path);
      return {};
    },
    act: () => writePidFile(path, { pid: 1 }),
    output: () => `${Deno.lstatSync(path).isSymlink}`,
  };
}

/** `--preserve-fds`: Deno has the first descriptors for itself, a caller's would be in their place. */
function preserves(): Scenario {
  let fd: number;
  return {
    name: "a caller's descriptor",
    prepare() {
      fd = openat2(AT_FDCWD, "/dev/null", { flags: O_RDONLY });
      return {};
    },
    act: () => checkPreserved(fd, 1),
    finish: () => close(fd),
  };
}

/** `--pidfd-socket` with a path of more than 107 bytes. */
function connectsTo(directory: string): Scenario {
  const path = `${directory}/socket`;
  let receivers: Receivers;
  return {
    name: "a socket with a long path",
    prepare() {
      receivers = new Receivers([path]);
      return {};
    },
    act: () => send(path, "text", 0),
    finish() {
      receivers.empty();
      receivers.close();
      Deno.removeSync(path);
    },
  };
}

/** A caller whose children, and those of whom it starts, are reaped by the kernel. */
function ignoresChildren(): Scenario {
  const SIG_IGN = 1n;
  const before = new Uint8Array(KERNEL_ACTION_BYTES);
  const ignored = new Uint8Array(new BigUint64Array([SIG_IGN, 0n, 0n, 0n]).buffer);
  let status = "";
  return {
    name: "a caller that ignores SIGCHLD",
    prepare() {
      syscall("rt_sigaction", [SIGCHLD, ignored, before, KERNEL_SIGSET_BYTES]);
      return {};
    },
    act() {
      const program = { path: "/bin/cat", args: ["cat"], input: "text", timeout: 60 };
      status = JSON.stringify(runProgram(program));
    },
    output: () => status,
    finish: () => void syscall("rt_sigaction", [SIGCHLD, before, 0, KERNEL_SIGSET_BYTES]),
  };
}

/** What is done without where it fails: it takes longer, or says less. */
function neverFails(name: string, expected: string, act: () => string): Scenario {
  let result = "";
  return {
    name,
    act() {
      result = expected;
      try {
        result = act();
      } catch (cause) {
        throw new Error("it fails", { cause });
      }
    },
    output: () => result,
  };
}

/** Says that it is ready, by the only program of busybox that sends datagrams. */
const READY = 'ln -s "$NOTIFY_SOCKET" /dev/log; logger "$(printf "so\\nREADY=1")"; exec sleep 600';

/** A caller with NOTIFY_SOCKET: what it is told, or why it is not. */
function notified(bundle: GoldenBundle, directory: string): Scenario[] {
  const { id, root, config } = bundle;
  const asked: GoldenBundle = {
    ...bundle,
    config: { ...config, process: { ...config.process!, args: ["/bin/sh", "-c", READY] } },
    options: { ...bundle.options, notify: true },
  };
  const { create, start } = scenarios("a caller with NOTIFY_SOCKET", asked);
  const path = `${directory}/notify`;
  let receiver: Receiver;
  let warnings: string[];
  return [create, {
    ...start,
    async prepare() {
      warnings = [];
      log.open({ send: (_, text) => warnings.push(text) });
      const expected = await start.prepare!();
      receiver = new Receiver(path, `${directory}/notified`);
      Deno.env.set("NOTIFY_SOCKET", path);
      return { ...expected, beside: [receiver.pid] };
    },
    async act() {
      await hako(root, "start", [id]);
    },
    holds: true,
    output: () =>
      [receiver.text, ...warnings].some((text) => /^READY=1$|^cannot tell /m.test(text)).toString(),
    async finish() {
      Deno.env.delete("NOTIFY_SOCKET");
      receiver.end();
      await start.finish!();
      log.open({});
    },
  }];
}

/** A process that reads the datagrams that are sent to a socket: as systemd, it lets go of the descriptors that come with them. */
class Receiver {
  readonly pid: number;
  readonly #socket: string;
  readonly #file: string;

  constructor(socket: string, file: string) {
    [this.#socket, this.#file] = [socket, file];
    const from = bindDatagrams(socket);
    const to = openat2(AT_FDCWD, file, { flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600 });
    try {
      const fds = [{ from, to: 0 }, { from: to, to: 1 }];
      this.pid = posixSpawn({ path: "/bin/cat", args: ["cat"], env: [], fds });
    } finally {
      [from, to].forEach(close);
    }
  }

  get text(): string {
    return Deno.readTextFileSync(this.#file);
  }

  end(): void {
    syscall("kill", [this.pid, SIGKILL]);
    wait(this.pid);
    Deno.removeSync(this.#socket);
  }
}
