/** `run` in the foreground, without a terminal: streams, exit status, signals, and the end of the runtime itself. */

import { assertEquals } from "@std/assert";
import { capabilities } from "../support/bundle.ts";
import { assertResult, containerCases, containerTest } from "../support/fixture.ts";
import { finish, HAKO, run, spawn } from "../support/hako.ts";

const MEGABYTES = new Uint8Array(10_000_000).map((_, index) => index % 251);

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toHex();
}

containerTest("streams: 10 MB in, and the same 10 MB out", async (box) => {
  const { path } = box.bundle({ args: ["cat"] });
  const child = spawn(box.command(path), { stdin: "" });
  const [, output] = await Promise.all([
    new Blob([MEGABYTES]).stream().pipeTo(child.stdin),
    child.output(),
  ]);
  assertEquals([output.code, await digest(output.stdout)], [0, await digest(MEGABYTES)]);
});

containerCases({
  "streams: stdout and stderr are apart": {
    script: "echo out; echo err >&2",
    stdout: "out",
    stderr: "err",
  },
  "streams: the end of stdin": { args: ["cat"], stdin: "" },
  "streams: closed ones are /dev/null": {
    under: ["sh", "-c", '"$@" <&- >&- 2>&-; echo $?', "sh"],
    script:
      "cat; echo lost; echo lost >&2; for fd in 0 1 2; do test $(stat -L -c %t:%T /proc/$$/fd/$fd) = 1:3 || exit; done",
    stdout: "0",
  },
  "streams: a reader that goes away is met by SIGPIPE": {
    under: ["sh", "-c", '"$@" | head -c 4', "sh"],
    script: "(yes); echo $? >&2",
    stdout: "y\ny",
    stderr: `${128 + 13}`,
  },
  "streams: files are passed as they are, at their offsets": (box) => ({
    under: [
      "sh",
      "-c",
      `printf 'one\\ntwo\\n' > ${box.directory}/in; { read line; "$@"; } < ${box.directory}/in`,
      "sh",
    ],
    script: "read line; echo got $line",
    stdout: "got two",
  }),
  "streams: a user who is not root may open them again": {
    config: { process: { user: { uid: 1000, gid: 1000 } } },
    script: "echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin",
    stdin: "in",
    stdout: "out\nin",
    stderr: "err",
  },
  "streams: the host's /dev/null is not given away": {
    config: { process: { user: { uid: 1000, gid: 1000 } } },
    script: "stat -L -c '%u %a' /proc/self/fd/0",
    stdout: "0 666",
  },
  "streams: the host's /dev/null gives way to the container's": {
    under: ["sh", "-c", '"$@" 2>/dev/null', "sh"],
    config: { process: { capabilities: capabilities("CAP_CHOWN", "CAP_FOWNER") } },
    // The leak check looks at the host's.
    script:
      "for fd in 0 2; do chmod 600 /proc/$$/fd/$fd; chown 5 /proc/$$/fd/$fd; done; stat -c '%u %a' /dev/null",
    stdout: "5 600",
  },
  ...Object.fromEntries([0, 1, 42, 255].map((status) => [
    `status: exit ${status}`,
    { script: `exit ${status}`, status },
  ])),
  ...Object.fromEntries([[9, "KILL"], [15, "TERM"], [11, "SEGV"], [34, "34"]].map(([number, name]) => [
    `status: 128 and the signal, ${name}`,
    {
      // The first process of a PID namespace cannot signal itself.
      config: { linux: { namespaces: [{ type: "mount" as const }] }, hostname: null },
      script: `kill -${name} $$`,
      status: 128 + Number(number),
    },
  ])),
  "status: what the first process leaves is killed with its PID namespace": {
    script: "sleep 60 & (sleep 1; echo late) & exit 3",
    status: 3,
  },
  "status: what the first process leaves is killed with its cgroup": {
    config: { linux: { namespaces: [{ type: "mount" }] }, hostname: null },
    script: "sleep 60 & (sleep 1; echo late) & exit 3",
    status: 3,
  },
});

containerTest("streams: the host's /dev/null is not exec's either", async (box) => {
  const { path } = box.bundle({
    config: { process: { capabilities: capabilities("CAP_FOWNER") } },
    script: "echo ready; read end",
  });
  const container = spawn(box.command(path, { id: box.id }), { stdin: "" });
  const reader = container.stdout.getReader();
  await reader.read();
  const chmod = ["exec", box.id, "chmod", "600", "/proc/self/fd/0"];
  assertEquals((await run([...HAKO, "--root", box.state, ...chmod])).status, 0);
  await container.stdin.close();
  await reader.cancel();
  await container.stderr.cancel();
  await container.status;
});

for (
  const name of [
    "HUP",
    "INT",
    "QUIT",
    "TERM",
    "USR1",
    "USR2",
    "ALRM",
    "CONT",
    "TSTP",
    "TTIN",
    "TTOU",
    "IO",
    "PWR",
  ]
) {
  containerTest(`signals: SIG${name} is forwarded`, async (box) => {
    const { path } = box.bundle({
      script: `trap "echo got; exit 7" ${name}; echo ready; while :; do sleep 0.02; done`,
    });
    const child = spawn(box.command(path));
    const { output, status } = await signalled(child, [`SIG${name}` as Deno.Signal]);
    assertEquals([status, output], [7, "ready\ngot\n"]);
  });
}

/** Sends signals once the command has written something. */
async function signalled(
  child: Deno.ChildProcess,
  signals: readonly Deno.Signal[],
): Promise<{ readonly output: string; readonly status: number }> {
  let output = "";
  for await (const bytes of child.stdout) {
    if (output === "") signals.forEach((signal) => child.kill(signal));
    output += new TextDecoder().decode(bytes);
  }
  await child.stderr.cancel();
  return { output, status: (await child.status).code };
}

containerTest(
  "signals: SIGWINCH is not forwarded, and SIGCHLD and SIGPIPE are not the container's",
  async (box) => {
    const { path } = box.bundle({
      script: `trap "exit 7" TERM; trap "echo got" WINCH PIPE URG; echo ready; while :; do sleep 0.02; done`,
    });
    const child = spawn(box.command(path));
    const { output, status } = await signalled(child, [
      "SIGWINCH",
      "SIGCHLD",
      "SIGPIPE",
      "SIGURG",
      "SIGTERM",
    ]);
    assertEquals([status, output], [7, "ready\n"]);
  },
);

containerTest(
  "signals: where the caller has SIGCHLD ignored there is an exit status all the same",
  async (box) => {
    const main = new URL("../../main.ts", import.meta.url).pathname;
    for (const runtime of [HAKO, [Deno.execPath(), "run", "--allow-all", "--no-check", main]]) {
      assertResult(await box.run({ runtime, under: ["env", "--ignore-signal=CHLD"], script: "exit 4" }), {
        status: 4,
        stderr: "",
      });
    }
  },
);

containerTest("signals: without a PID namespace the default action ends the program", async (box) => {
  const { path } = box.bundle({
    config: { linux: { namespaces: [{ type: "mount" }] }, hostname: null },
    script: "echo ready; exec sleep 60",
  });
  const { status } = await signalled(spawn(box.command(path)), ["SIGTERM"]);
  assertEquals(status, 128 + 15);
});

containerTest(
  "signals: one that comes when the program has just ended is lost, and no error",
  async (box) => {
    const { path } = box.bundle({ script: "echo ready; sleep 0.2; exit 4" });
    const child = spawn(box.command(path));
    const reader = child.stdout.getReader();
    await reader.read();
    // The runtime finds both at once: the dead program, and the signals for it.
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 400));
    for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR1"] as const) child.kill(signal);
    child.kill("SIGCONT");
    await reader.cancel();
    const stderr = await new Response(child.stderr).text();
    assertEquals([(await child.status).code, stderr], [4, ""]);
  },
);

containerTest("signals: at whatever moment one comes, nothing is left", async (box) => {
  const { path } = box.bundle({
    // Where nothing but the signal's default action has to end the program.
    config: { linux: { namespaces: [{ type: "mount" }] }, hostname: null },
    args: ["sleep", "1"],
  });
  for (let round = 0; round < 40; round++) {
    const child = spawn(box.command(path));
    await new Promise((resolve) => setTimeout(resolve, 2 * round));
    child.kill("SIGTERM");
    assertEquals(await finish(child), { status: 128 + 15, stdout: "", stderr: "" });
  }
});

containerTest(
  "a runtime that is killed leaves the container running, and delete --force removes it",
  async (box) => {
    const { path } = box.bundle({ script: "echo ready; while :; do sleep 0.02; done" });
    const command = box.command(path);
    const child = spawn(command);
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGKILL");
    await child.status;
    const id = command.at(-1)!;
    const hako = (...args: string[]) => run([...HAKO, "--root", box.state, ...args]);
    assertEquals(JSON.parse((await hako("state", id)).stdout).status, "running");
    assertEquals((await hako("delete", id)).status, 1);
    assertEquals(await hako("delete", "--force", id), { status: 0, stdout: "", stderr: "" });
    assertEquals((await hako("state", id)).status, 1);
    await reader.cancel();
    await child.stderr.cancel();
  },
);

containerTest("ten containers at once", async (box) => {
  const { path } = box.bundle({ script: "echo $$; cat /proc/sys/kernel/hostname" });
  const results = await Promise.all(Array.from({ length: 10 }, () => run(box.command(path))));
  for (const result of results) assertEquals(result, { status: 0, stdout: "1\nhako\n", stderr: "" });
});

containerTest(
  "the caller's working directory is the bundle without --bundle, and relative paths begin there",
  async (box) => {
    const { path } = box.bundle({ script: "echo found" });
    const [program, ...args] = HAKO;
    const result = await run([program!, ...args, "--root", "state", "run", box.id], { cwd: path });
    assertEquals(result, { status: 0, stdout: "found\n", stderr: "" });
  },
);

containerTest("without any environment", async (box) => {
  const { path } = box.bundle({ args: ["env"], config: { process: { env: ["A=1", "PATH=/bin"] } } });
  const result = await run(box.command(path, { under: ["env", "-i"] }));
  assertEquals(result, { status: 0, stdout: "A=1\nPATH=/bin\nHOME=/root\n", stderr: "" });
});
