/** SCMP_ACT_NOTIFY: the listener reaches its socket, and what it answers is what a process of the container gets. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { close } from "../../runtime/linux/files.ts";
import { ERRNO } from "../../runtime/linux/generated/errno.ts";
import { SYSCALLS } from "../../runtime/linux/generated/syscalls.ts";
import { isErrno } from "../../runtime/linux/libc.ts";
import { connectUnix } from "../../runtime/linux/sockets.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { Seccomp, SeccompFlag } from "../../runtime/spec/seccomp.ts";
import type { Changes } from "../support/bundle.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";
import { Agent, type Answer, type Notification } from "./agent.ts";

/** What a container does: mkdir(2), and look at what has come of it. */
const TRY = "mkdir /tmp/made 2>&1; test -d /tmp/made && echo made || echo missing";

const NOTIFY_MKDIR = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }] as const;

function seccomp(box: Box, policy: Partial<Seccomp> = {}): Seccomp {
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: socketOf(box),
    listenerMetadata: 'for "the" agent',
    syscalls: NOTIFY_MKDIR,
    ...policy,
  };
}

function socketOf(box: Box): string {
  return `${box.directory}/agent`;
}

/** Runs `command` beside an agent. */
async function withAgent(
  box: Box,
  command: () => Promise<Result>,
  answer: (call: Notification) => Answer | undefined,
): Promise<{ readonly result: Result; readonly agent: Agent }> {
  using agent = new Agent(socketOf(box));
  const running = command();
  await agent.serve(running, answer);
  return { result: await running, agent };
}

/** Into files: a pipe would stay open for as long as a container that has it. */
async function hako(box: Box, ...args: string[]): Promise<Result> {
  const [out, err] = [`${box.directory}/out`, `${box.directory}/err`];
  const redirect = ["sh", "-c", `exec "$@" </dev/null >${out} 2>${err}`, "sh"];
  const { status } = await run([...redirect, ...HAKO, "--root", box.state, ...args]);
  return { status, stdout: Deno.readTextFileSync(out), stderr: Deno.readTextFileSync(err) };
}

const ANSWERS: Readonly<Record<string, readonly [Answer, found: string]>> = {
  "a value, and nothing is done": [{ value: 0 }, "missing\n"],
  "an errno": [
    { errno: ERRNO.EXDEV },
    "mkdir: can't create directory '/tmp/made': Invalid cross-device link\nmissing\n",
  ],
  "that it is to go on": ["continue", "made\n"],
};

for (const [name, [answer, found]] of Object.entries(ANSWERS)) {
  containerTest(`the agent answers ${name}`, async (box) => {
    const config = { linux: { seccomp: seccomp(box) } };
    const { result, agent } = await withAgent(box, () => box.run({ config, script: TRY }), () => answer);
    assertEquals(result, { status: 0, stdout: found, stderr: "" });
    assertEquals(agent.messages.length, 1);
    assertEquals(agent.notifications.length, 1);
  });
}

containerTest("the agent is told who it is about, by create and start", async (box) => {
  const { id } = box;
  const annotations = { "org.example": "ä" };
  const { path } = box.bundle({
    args: ["/bin/sh", "-c", `${TRY}; exec sleep 60`],
    config: { annotations, linux: { seccomp: seccomp(box) } },
  });
  assertEquals((await hako(box, "create", "--bundle", path, id)).stderr, "");
  const { result, agent } = await withAgent(box, () => hako(box, "start", id), () => "continue");
  assertEquals([result.status, result.stderr], [0, ""]);
  const { pid, ociVersion } = JSON.parse((await hako(box, "state", id)).stdout);
  assertEquals(agent.messages.map((text) => JSON.parse(text)), [{
    ociVersion,
    fds: ["seccompFd"],
    pid,
    metadata: 'for "the" agent',
    state: { ociVersion, id, status: "creating", pid, bundle: path, annotations },
  }]);
  await hako(box, "delete", "--force", id);
});

containerTest("exec has a listener of its own", async (box) => {
  const { id } = box;
  const { path } = box.bundle({ args: ["/bin/sleep", "60"], config: { linux: { seccomp: seccomp(box) } } });
  await withAgent(box, () => hako(box, "run", "--detach", "--bundle", path, id), () => "continue");
  Deno.removeSync(socketOf(box));
  const exec = () => hako(box, "exec", id, "/bin/sh", "-c", `${TRY}; echo $$ > /pid`);
  const { result, agent } = await withAgent(box, exec, () => ({ value: 0 }));
  assertEquals([result.stdout, result.stderr], ["missing\n", ""]);
  const [{ pid, state }] = agent.messages.map((text) => JSON.parse(text));
  assertEquals(state.status, "running");
  assert(pid !== state.pid, "the process is not the container's first");
  assertEquals(state.pid, JSON.parse((await hako(box, "state", id)).stdout).pid);
  await hako(box, "delete", "--force", id);
});

/** Processes that load their filter at either place, with and without the rights of root. */
const PROCESSES: Readonly<Record<string, Changes<Config>>> = {
  "root": { process: { noNewPrivileges: false } },
  "root, without new privileges": { process: { noNewPrivileges: true } },
  "a user": { process: { noNewPrivileges: false, user: { uid: 1000, gid: 1000 } } },
  "a user, without new privileges": { process: { noNewPrivileges: true, user: { uid: 1000, gid: 1000 } } },
  "root of a user namespace": {
    linux: {
      namespaces: ["mount", "pid", "ipc", "uts", "network", "user"].map((type) => ({ type })) as never,
      uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
      gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    },
  },
};

/** What the init itself calls behind its filter, in any of them. */
const OWN_CALLS = ["read", "capset", "prctl", "setresuid", "execve"];

for (const [name, changes] of Object.entries(PROCESSES)) {
  containerTest(`the last calls of an init are answered: ${name}`, async (box) => {
    const policy = seccomp(box, { syscalls: [{ names: OWN_CALLS, action: "SCMP_ACT_NOTIFY" }] });
    const config = { ...changes, linux: { ...changes.linux, seccomp: policy } };
    const image = (rootfs: string) => run(["chown", "-R", "100000:100000", rootfs]);
    const options = { config: config as Changes<Config>, args: ["/bin/true"], image };
    const { result, agent } = await withAgent(box, () => box.run(options), () => "continue");
    assertEquals(result, { status: 0, stdout: "", stderr: "" });
    const called = (call: "read" | "execve") =>
      agent.notifications.some(({ number }) => number === SYSCALLS[Deno.build.arch][call]);
    assert(
      called("read") && called("execve"),
      JSON.stringify(agent.notifications.map(({ number }) => number)),
    );
  });
}

const FLAGS: readonly SeccompFlag[][] = [
  [],
  ["SECCOMP_FILTER_FLAG_TSYNC"],
  ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
  ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
  ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
];

for (const flags of FLAGS) {
  const names = flags.map((flag) => flag.replace("SECCOMP_FILTER_FLAG_", "")).join(", ") || "no flags";
  containerTest(`a listener and ${names}`, async (box) => {
    const config = { linux: { seccomp: seccomp(box, { flags }) } };
    const { result } = await withAgent(box, () => box.run({ config, script: TRY }), () => ({ value: 0 }));
    assertEquals(result, { status: 0, stdout: "missing\n", stderr: "" });
  });

  containerTest(`no listener and ${names}`, async (box) => {
    const syscalls = [{ ...NOTIFY_MKDIR[0], action: "SCMP_ACT_ERRNO" }] as const;
    const config = { linux: { seccomp: seccomp(box, { flags, syscalls }) } };
    // Nobody listens, and nobody needs to.
    const { status, stdout, stderr } = await box.run({ config, script: TRY });
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, "Operation not permitted\nmissing");
  });
}

const REFUSED: Readonly<Record<string, readonly [Partial<Seccomp>, message: string]>> = {
  "without a socket": [{ listenerPath: undefined, listenerMetadata: undefined }, "listenerPath: must be set"],
  "whose socket is not there": [{ listenerPath: "/nothing/there" }, "no such file or directory"],
  "for write(2)": [
    { syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }] },
    "SCMP_ACT_NOTIFY cannot be used for the write syscall",
  ],
  "for everything": [
    { defaultAction: "SCMP_ACT_NOTIFY" },
    "SCMP_ACT_NOTIFY cannot be used as default action",
  ],
};

for (const [name, [policy, message]] of Object.entries(REFUSED)) {
  containerTest(`refused: a listener ${name}`, async (box) => {
    const { status, stderr } = await box.run({
      config: { linux: { seccomp: seccomp(box, policy) } },
      script: TRY,
    });
    assertEquals(status, 1);
    assertStringIncludes(stderr, message);
    assertMatch(stderr, /config.json \/linux\/seccomp/);
  });
}

containerTest("a socket where nobody listens any more is an error", async (box) => {
  new Agent(socketOf(box))[Symbol.dispose]();
  const { status, stderr } = await box.run({ config: { linux: { seccomp: seccomp(box) } }, script: TRY });
  assertEquals(status, 1);
  assertMatch(stderr, /ECONNREFUSED.*\/linux\/seccomp\/listenerPath/);
});

containerTest("a socket where nobody accepts is an error, in the end", async (box) => {
  using _agent = new Agent(socketOf(box));
  const waiting = fillQueue(socketOf(box));
  const { status, stderr } = await box.run({ config: { linux: { seccomp: seccomp(box) } }, script: TRY });
  waiting.forEach(close);
  assertEquals(status, 1);
  assertMatch(stderr, /EAGAIN.*\/linux\/seccomp\/listenerPath/);
});

/** Connects until there is no more room. */
function fillQueue(path: string): number[] {
  const connections: number[] = [];
  for (;;) {
    try {
      connections.push(connectUnix(path, 1));
    } catch (error) {
      if (isErrno(error, "EAGAIN")) return connections;
      throw error;
    }
  }
}

containerTest("an agent that goes away leaves calls that do not exist", async (box) => {
  const config = { linux: { seccomp: seccomp(box) } };
  using agent = new Agent(socketOf(box));
  const running = box.run({ config, script: `sleep 1; ${TRY}` });
  while (agent.messages.length === 0) await agent.serve(Promise.resolve(), () => "continue");
  agent.dropListeners();
  assertStringIncludes((await running).stdout, "Function not implemented\nmissing");
});

containerTest("an agent that never answers can be left by kill", async (box) => {
  const { id } = box;
  // The init's own execve(2).
  const policy = seccomp(box, { syscalls: [{ names: ["execve"], action: "SCMP_ACT_NOTIFY" }] });
  const { path } = box.bundle({ args: ["/bin/true"], config: { linux: { seccomp: policy } } });
  using agent = new Agent(socketOf(box));
  const running = run(box.command(path, { id }));
  while (agent.notifications.length === 0) await agent.serve(Promise.resolve(), () => undefined);
  assertEquals((await run([...HAKO, "--root", box.state, "kill", id, "KILL"])).stderr, "");
  const stderr =
    'hako: exec "/bin/true": execve(): the init was killed, asked for by config.json /process/args\n';
  assertEquals(await running, { status: 1, stdout: "", stderr });
});
