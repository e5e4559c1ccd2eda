/** The commands of an ordinary user, on a bundle of `hako spec --rootless`: docs/rootless.md. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { build } from "../../build.ts";
import type { Config } from "../../runtime/spec/config.ts";
import { makeRootfs } from "../support/bundle.ts";
import { fails, intoFiles, ok, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { type Result, run } from "../support/hako.ts";
import { Pty } from "../support/pty.ts";

const [USER, OTHER] = [4242, 4343];
const needs = ["setpriv"];

let built: string | undefined;

/** A program that every user may read. */
function program(): string {
  if (built === undefined) {
    const directory = Deno.makeTempDirSync({ prefix: "hako-rootless-" });
    Deno.chmodSync(directory, 0o755);
    addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
    built = build(`${directory}/dist`);
  }
  return built;
}

/** A user with nothing but a runtime directory, and a bundle as `hako spec --rootless` makes it. */
class User {
  readonly bundle: string;
  readonly runtimeDirectory: string;
  #count = 0;

  constructor(readonly box: Box) {
    this.runtimeDirectory = `${box.directory}/run`;
    this.bundle = `${box.directory}/bundle`;
    for (const path of [this.runtimeDirectory, this.bundle]) {
      Deno.mkdirSync(path);
      Deno.chownSync(path, USER, USER);
    }
    makeRootfs(`${this.bundle}/rootfs`);
  }

  /** The words of a command. */
  words(
    args: readonly string[],
    { uid = USER, env = { XDG_RUNTIME_DIR: this.runtimeDirectory } } = {},
  ): string[] {
    const variables = Object.entries({ PATH: "/usr/bin:/bin", ...env }).map(([name, value]) =>
      `${name}=${value}`
    );
    const as = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    return [...as, "env", "-i", ...variables, program(), ...args];
  }

  /** Runs a command. Into files: a pipe would stay open for as long as a container that has it. */
  async hako(args: readonly string[], surroundings?: Parameters<User["words"]>[1]): Promise<Result> {
    const [out, err] = ["out", "err"].map((name) => `${this.box.directory}/${name}${this.#count}`);
    this.#count++;
    const { status } = await run([...intoFiles(out!, err!), ...this.words(args, surroundings)]);
    // That there is no limit of devices.
    const stderr = Deno.readTextFileSync(err!).replace(/^hako: warning: .*devices.*\n/, "");
    return { status, stdout: Deno.readTextFileSync(out!), stderr };
  }

  /** `hako spec --rootless`, with another program. */
  async spec(script: string, terminal = false): Promise<void> {
    await ok(this.hako(["spec", "--rootless", "--bundle", this.bundle]));
    this.change(({ process }) => ({ process: { ...process!, terminal, args: ["/bin/sh", "-c", script] } }));
  }

  /** Gives config.json other members. */
  change(changes: (config: Config) => Partial<Config>): void {
    const path = `${this.bundle}/config.json`;
    const config: Config = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(path, JSON.stringify({ ...config, ...changes(config) }));
  }

  get id(): string {
    return this.box.id;
  }
}

function userTest(name: string, fn: (user: User) => Promise<void>): void {
  containerTest(name, (box) => fn(new User(box)), { needs });
}

userTest(
  "spec --rootless: one id, devices of the host's, /sys read-only, nothing of the network's own",
  async (user) => {
    await user.spec(
      `tr -s ' ' </proc/self/uid_map; cat /proc/self/setgroups; id -u; stat -c %u /dev/null /root
grep -c ' /dev/null ' /proc/self/mountinfo; head -c 3 /dev/zero | wc -c; echo x >/dev/null
readlink /proc/self/ns/net; mkdir /sys/x; mknod /tmp/x c 1 3`,
    );
    const { status, stdout, stderr } = await user.hako(["run", "--bundle", user.bundle, user.id]);
    assertEquals(
      { status, stdout, stderr },
      {
        status: 1,
        // What belongs to somebody else is the overflow id's.
        stdout: ` 0 ${USER} 1\ndeny\n0\n65534\n65534\n1\n3\n${Deno.readLinkSync("/proc/self/ns/net")}\n`,
        stderr: "mkdir: can't create directory '/sys/x': Read-only file system\n" +
          "mknod: /tmp/x: Read-only file system\n",
      },
    );
  },
);

userTest("create, start, exec, state, list, ps, kill, delete", async (user) => {
  await user.spec("exec sleep 1000");
  await ok(user.hako(["create", "--bundle", user.bundle, user.id]));
  await ok(user.hako(["start", user.id]));
  assertEquals(JSON.parse(await ok(user.hako(["state", user.id]))).status, "running");
  assertEquals(await ok(user.hako(["exec", user.id, "sh", "-c", "id -u; cat /proc/1/comm"])), "0\nsleep\n");
  assertEquals((await user.hako(["exec", user.id, "sh", "-c", "exit 7"])).status, 7);
  assertMatch(await ok(user.hako(["list"])), new RegExp(`^${user.id} .*running`, "m"));
  assert(Deno.statSync(`${user.runtimeDirectory}/hako/${user.id}`).isDirectory);
  await ok(user.hako(["kill", user.id, "KILL"]));
  await until(async () => JSON.parse(await ok(user.hako(["state", user.id]))).status === "stopped");
  await ok(user.hako(["delete", user.id]));
  assertEquals([...Deno.readDirSync(`${user.runtimeDirectory}/hako`)], []);
});

userTest("limits that nobody has given the user are refused, by their names", async (user) => {
  await user.spec("exec sleep 1000");
  await ok(user.hako(["run", "--detach", "--bundle", user.bundle, user.id]));
  const words = "/linux/resources/memory/limit: cannot be set: there is no cgroup that we may write to";
  await fails(user.hako(["update", "--memory", "10000000", user.id]), words);
  await fails(user.hako(["pause", user.id]), "cannot freeze: there is no freezer");
  await ok(user.hako(["delete", "--force", user.id]));
  user.change(({ linux }) => ({ linux: { ...linux, resources: { memory: { limit: 10_000_000 } } } }));
  await fails(user.hako(["run", "--bundle", user.bundle, user.id]), "/linux/resources/memory");
});

userTest(
  "a sysfs that the user may not mount is the host's, as read-only as it was asked for",
  async (user) => {
    await user.spec("ls /sys/class >/dev/null; mkdir /sys/x");
    user.change(({ mounts }) => ({
      mounts: mounts!.map((mount) =>
        mount.destination === "/sys"
          ? {
            destination: "/sys",
            type: "sysfs",
            source: "sysfs",
            options: ["nosuid", "noexec", "nodev", "ro"],
          }
          : mount
      ),
    }));
    await fails(user.hako(["run", "--bundle", user.bundle, user.id]), "Read-only file system");
  },
);

userTest("a network of its own has loopback alone", async (user) => {
  await user.spec(
    "ip -o link | wc -l; ip -o addr show lo | grep -c 127.0.0.1",
  );
  user.change(({ linux }) => ({
    linux: { ...linux, namespaces: [...linux!.namespaces!, { type: "network" }] },
  }));
  assertEquals(await ok(user.hako(["run", "--bundle", user.bundle, user.id])), "1\n1\n");
});

userTest("what a user may not do is refused, by the member that asks for it", async (user) => {
  await user.spec("true");
  const refused = async (words: string, changes: Parameters<User["change"]>[0], path?: string) => {
    const before = Deno.readTextFileSync(`${user.bundle}/config.json`);
    user.change(changes);
    const env = { XDG_RUNTIME_DIR: user.runtimeDirectory, ...path !== undefined && { PATH: path } };
    await fails(user.hako(["run", "--bundle", user.bundle, user.id], { env }), words);
    Deno.writeTextFileSync(`${user.bundle}/config.json`, before);
  };
  await refused("operation not permitted (EPERM), asked for by config.json /process/user/additionalGids", (
    { process },
  ) => ({ process: { ...process!, user: { uid: 0, gid: 0, additionalGids: [5] } } }));
  await refused("asked for by config.json /process/user/uid", ({ process }) => ({
    process: { ...process!, user: { uid: 5, gid: 0 } },
  }));
  await refused(
    "/linux/uidMappings: maps other ids than our own: that takes newuidmap, of the package uidmap",
    ({ linux }) => ({
      linux: {
        ...linux,
        uidMappings: [...linux!.uidMappings!, { containerID: 1, hostID: 300_000, size: 10 }],
      },
    }),
    "/nowhere",
  );
  await refused(`open_tree("/dev/absent"): no such file or directory (ENOENT)`, ({ linux }) => ({
    linux: { ...linux, devices: [{ path: "/dev/absent", type: "c", major: 10, minor: 2 }] },
  }));
});

userTest("without XDG_RUNTIME_DIR a directory has to be named, and --root does", async (user) => {
  await user.spec("echo hello");
  const run = ["run", "--bundle", user.bundle, user.id];
  await fails(
    user.hako(run, { env: {} as { XDG_RUNTIME_DIR: string } }),
    `permission denied: XDG_RUNTIME_DIR or --root has to name a directory of the user's`,
  );
  const root = ["--root", `${user.runtimeDirectory}/mine`];
  assertEquals(await ok(user.hako([...root, ...run], { env: {} as { XDG_RUNTIME_DIR: string } })), "hello\n");
});

userTest("--rootless: true and auto are what a user is, false is root's directory", async (user) => {
  await user.spec("echo hello");
  const run = ["run", "--bundle", user.bundle, user.id];
  for (const value of ["true", "auto"]) {
    assertEquals(await ok(user.hako([`--rootless=${value}`, ...run])), "hello\n");
  }
  await fails(user.hako(["--rootless=false", ...run]), `mkdir /run/hako/${user.id}: permission denied`);
  await fails(user.hako(["--rootless=maybe", ...run]), 'invalid rootless: "maybe"');
});

userTest("a terminal", async (user) => {
  await user.spec("tty; read line; echo got $line; exit 5", true);
  using pty = new Pty();
  const status = await pty.run(user.words(["run", "--bundle", user.bundle, user.id]), async () => {
    await pty.shows(/\/dev\/pts\/0\r+\n/);
    await pty.type("typed\n");
    await pty.shows(/got typed\r+\n/);
  });
  assertEquals(status, 5);
});

userTest("another user reaches nothing of it", async (user) => {
  await user.spec("exec sleep 1000");
  await ok(user.hako(["run", "--detach", "--bundle", user.bundle, user.id]));
  const root = ["--root", `${user.runtimeDirectory}/hako`];
  const commands = [["state", user.id], ["kill", user.id, "KILL"], ["exec", user.id, "id"], [
    "delete",
    user.id,
  ], [
    "delete",
    "--force",
    user.id,
  ]];
  for (const command of commands) {
    const { status, stderr } = await user.hako([...root, ...command], { uid: OTHER });
    assert(status !== 0, command.join(" "));
    assertMatch(stderr, /others could have written to /);
  }
  assertEquals(JSON.parse(await ok(user.hako(["state", user.id]))).status, "running");
  await ok(user.hako(["delete", "--force", user.id]));
});

userTest("it runs, and takes commands, where /proc shows nobody else (hidepid=2)", async (user) => {
  await user.spec("echo hello; exec sleep 1000");
  const commands = [
    ["run", "--detach", "--bundle", user.bundle, user.id],
    ["exec", user.id, "sh", "-c", "echo $0 is here; exit 7"],
    ["delete", "--force", user.id],
  ].map((args) => user.words(args).map((word) => `'${word}'`).join(" "));
  const script = `mount -o remount,hidepid=2 /proc
${commands[0]} >${user.box.directory}/out
${commands[1]} || echo $?
${commands[2]}`;
  const hidden = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-ec", script];
  const { status, stdout, stderr } = await run(hidden);
  assertEquals([status, stdout], [0, "sh is here\n7\n"], stderr);
  assertEquals(Deno.readTextFileSync(`${user.box.directory}/out`), "hello\n");
});

userTest("with few processes (ulimit -u) it runs, or fails and leaves nothing", async (user) => {
  await user.spec("echo hello");
  const seen = new Set<string>();
  for (const limit of [1, 2, 3, 4, 5, 6, 7, 8, 30]) {
    const words = user.words(["run", "--bundle", user.bundle, user.id]);
    const { status, stdout, stderr } = await run(["prlimit", `--nproc=${limit}`, ...words]);
    if (status === 0) assertEquals(stdout, "hello\n");
    else {assertMatch(
        stderr,
        /Deno could not start|\(EAGAIN\)[^\n]*: the limit of processes [^\n]* is reached\n$|can't fork/,
      );}
    seen.add(status === 0 ? "runs" : /EAGAIN/.test(stderr) ? "says so" : "cannot");
    const state = `${user.runtimeDirectory}/hako`;
    assertEquals(await ok(user.hako(["list", "--quiet"])), "", `${limit}: ${state}`);
  }
  assertEquals([...seen].sort(), ["cannot", "runs", "says so"]);
});
