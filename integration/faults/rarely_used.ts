/** A container with what no engine asks for by default: each member leads to calls of the runtime's that no other config does. @module */
import {
  AT_FDCWD,
  CLONE_NEWNET,
  O_CLOEXEC,
  O_RDONLY,
  S_IFIFO,
} from "../../runtime/linux/generated/constants.ts";
import { close, isReadable, openat2 } from "../../runtime/linux/files.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";
import { listenUnix } from "../../runtime/linux/sockets.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { Changes } from "../support/bundle.ts";

const TRUE = { path: "/bin/true", timeout: 60 };
/** In the place of the user's 0. */
const MAP = [{ containerID: 0, hostID: 100000, size: 1 }];

/** The interface that goes to the container; its other end goes with it when that ends. */
export function netDevice(id: string): string {
  return `hako${id.slice(-8)}`;
}

/** Makes it, unless it is there still. */
export function makeNetDevice(id: string): void {
  const name = netDevice(id);
  const add = `[ -e /sys/class/net/${name} ] || ip link add ${name} type veth`;
  const script = `${add}; ip address replace 192.0.2.7/32 dev ${name}`;
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", script] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

export function removeNetDevice(id: string): void {
  new Deno.Command("ip", { args: ["link", "delete", netDevice(id)], stderr: "null" }).outputSync();
}

/** What of config.json leads there. Files of the host's are in `directory`. */
export function rarelyUsed(id: string, directory: string): Changes<Config> {
  Deno.mkdirSync(`${directory}/idmapped`);
  return {
    process: { terminal: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["newinstance", "ptmxmode=0666"],
      },
      { destination: "/link/tmp", type: "tmpfs", source: "tmpfs" },
      { destination: "/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
      {
        destination: "/idmapped",
        type: "bind",
        source: `${directory}/idmapped`,
        options: ["bind"],
        uidMappings: MAP,
        gidMappings: MAP,
      },
    ],
    hooks: {
      createRuntime: [TRUE],
      createContainer: [TRUE],
      startContainer: [TRUE],
      poststart: [TRUE],
      poststop: [TRUE],
    },
    linux: {
      rootfsPropagation: "private",
      // In the image's own /dev, where another file may be.
      devices: [{ path: "/dev/pipe", type: "p", fileMode: 0o600 }],
      netDevices: { [netDevice(id)]: { name: "eth0" } },
      namespaces: (["mount", "network", "uts", "pid", "ipc", "cgroup", "time"] as const).map((type) => ({
        type,
      })),
      timeOffsets: { boottime: { secs: 1 } },
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        listenerPath: `${directory}/listener`,
        syscalls: [{ names: ["swapon"], action: "SCMP_ACT_NOTIFY" }],
      },
    },
  };
}

/** A link to a place for a mount, and a tree to be copied, with a file of each kind. */
export function rarelyUsedImage(rootfs: string): void {
  Deno.symlinkSync("root", `${rootfs}/link`);
  const path = `${rootfs}/copied`;
  Deno.mkdirSync(`${path}/directory`, { recursive: true });
  Deno.writeTextFileSync(`${path}/directory/file`, "text");
  Deno.symlinkSync("file", `${path}/link`);
  syscall("mknodat", [AT_FDCWD, cString(`${path}/pipe`), S_IFIFO | 0o600, 0]);
}

/** The network that we are in: a command that cannot come back from the container's ends there. We go on. */
export class Home {
  readonly #namespace = openat2(AT_FDCWD, "/proc/thread-self/ns/net", { flags: O_RDONLY | O_CLOEXEC });

  return(): void {
    syscall("setns", [this.#namespace, CLONE_NEWNET]);
  }

  close(): void {
    close(this.#namespace);
  }
}

/** Sockets for what a runtime gives away: nobody looks at it. */
export class Receivers {
  readonly #listening: readonly number[];

  constructor(paths: readonly string[]) {
    this.#listening = paths.map(listenUnix);
  }

  /** Takes what has come, so that there is room for the next. */
  empty(): void {
    for (const fd of this.#listening) {
      while (isReadable(fd, 0)) close(syscall("accept4", [fd, 0, 0, 0]));
    }
  }

  close(): void {
    this.#listening.forEach(close);
  }
}
