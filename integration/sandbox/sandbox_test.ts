/** Sandbox, the library's place for one untrusted program. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Sandbox, type SandboxOptions, StateError, SyscallError } from "../../runtime/mod.ts";
import { livingChildren } from "../support/children.ts";
import { until } from "../support/commands.ts";
import { containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The container tests look for what is left by a part of the name. */
function sandboxTest(name: string, options: SandboxOptions, fn: (sandbox: Sandbox) => Promise<void>): void {
  containerTest(name, async () => {
    await using sandbox = await Sandbox.create(options);
    await fn(sandbox);
  });
}

sandboxTest("a program has a status, and what it has written", {}, async (sandbox) => {
  const output = await sandbox.run("sh", { args: ["-c", "echo out; echo err >&2; exit 7"] });
  assertEquals({ ...output, stdout: text(output.stdout), stderr: text(output.stderr) }, {
    success: false,
    code: 7,
    signal: null,
    stdout: "out\n",
    stderr: "err\n",
  });
  assertEquals((await sandbox.run("true")).success, true);
  const error = assertThrows(() => sandbox.spawn("nothing"), SyscallError);
  assertMatch(error.message, /executable file not found in \$PATH/);
});

sandboxTest("streams: what goes in comes out, more than a pipe holds", {}, async (sandbox) => {
  const child = sandbox.spawn("cat", { stdin: "piped", stderr: "null" });
  const bytes = new Uint8Array(3 << 20).map((_, index) => index % 251);
  const [output] = await Promise.all([child.output(), new Blob([bytes]).stream().pipeTo(child.stdin)]);
  assertEquals([output.code, output.stdout.length, output.stdout.every((byte, i) => byte === bytes[i])], [
    0,
    bytes.length,
    true,
  ]);
  assertThrows(() => child.stderr, TypeError, "not piped");
});

sandboxTest("kill, and an AbortSignal", {}, async (sandbox) => {
  const killed = sandbox.spawn("sleep", { args: ["1000"] });
  killed.kill("SIGINT");
  assertEquals(await killed.status, { success: false, code: 130, signal: "SIGINT" });
  killed.kill();
  const controller = new AbortController();
  const aborted = sandbox.spawn("sleep", { args: ["1000"], signal: controller.signal });
  controller.abort();
  assertEquals((await aborted.status).signal, "SIGKILL");
  assertThrows(() => sandbox.spawn("true", { signal: controller.signal }), DOMException);
});

sandboxTest("files go in and out, and links lead nowhere else", {}, async (sandbox) => {
  await sandbox.writeFile("/tmp/script", "#!/bin/sh\nid -u; echo $0 > /tmp/out", { mode: 0o755 });
  assertEquals(text((await sandbox.run("/tmp/script")).stdout), "65534\n");
  assertEquals(await sandbox.readTextFile("/tmp/out"), "/tmp/script\n");
  await sandbox.run("sh", {
    args: ["-c", "ln -s /etc/shadow /tmp/link; mkfifo /tmp/fifo; ln -s /root/x /tmp/out2"],
  });
  assertThrows(() => sandbox.readFile("/tmp/fifo"), SyscallError, "permission denied");
  assertThrows(() => sandbox.writeFile("/etc/passwd", "x"), SyscallError, "read-only file system");
  assertThrows(() => sandbox.readFile("/tmp/missing"), SyscallError, "no such file");
  await sandbox.run("ln", { args: ["-s", "../../../../proc/self/environ", "/tmp/env"] });
  // The sandbox's own, and not ours.
  assert(!(await sandbox.readTextFile("/tmp/env").catch(() => "")).includes("NO_COLOR"));
});

const PROBE = `
grep -E '^(Uid|CapBnd|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t ' ' '
ls /sys/class/net | tr '\\n' ' '; echo
touch /usr/x /etc/x /x 2>/dev/null || echo read-only
unshare --user true 2>/dev/null || echo no namespaces
grep -v ':/$' /proc/self/cgroup || echo no cgroups of the host
ps -e | wc -l
`;

sandboxTest("it has no rights, no network and nothing to write to", {}, async (sandbox) => {
  const { stdout } = await sandbox.run("sh", { args: ["-c", PROBE] });
  const lines = text(stdout).trim().split("\n");
  assertEquals(lines.slice(0, 9), [
    "Uid: 65534 65534 65534 65534",
    "CapPrm: 0000000000000000",
    "CapBnd: 0000000000000000",
    "NoNewPrivs: 1",
    "Seccomp: 2",
    "lo ",
    "read-only",
    "no namespaces",
    "no cgroups of the host",
  ]);
  assert(Number(lines[9]) < 7, "it sees other processes");
});

const LIMITS = { memory: 32 << 20, pids: 10, disk: 1 << 20 };

sandboxTest("limits of memory, processes and files", LIMITS, async (sandbox) => {
  const sh = async (script: string) => await sandbox.run("sh", { args: ["-c", script] });
  // The one that keeps it all in memory is killed.
  const { stdout } = await sh("head -c 100000000 /dev/zero | tail -c 100000000 | wc -c");
  assertEquals(text(stdout), "0\n");
  assertMatch(text((await sh("head -c 2000000 /dev/zero > /tmp/file")).stderr), /No space left/);
  assertThrows(() => sandbox.writeFile("/tmp/more", new Uint8Array(2 << 20)), SyscallError, "no space left");
  const { stderr } = await sh("for i in $(seq 30); do sleep 1000 >/dev/null 2>&1 & done");
  assertMatch(text(stderr), /fork|Resource/);
  assertThrows(() => sandbox.spawn("true"), SyscallError, "resource temporarily unavailable");
});

sandboxTest("orphans that have ended do not count", { pids: 10 }, async (sandbox) => {
  for (let round = 0; round < 12; round++) {
    assertEquals((await sandbox.run("sh", { args: ["-c", "(true & true &) ; :"] })).code, 0);
  }
});

sandboxTest("a timeout is the end of everything", { timeout: 300 }, async (sandbox) => {
  const child = sandbox.spawn("sh", { args: ["-c", "sleep 1000 & sleep 1000"] });
  assertEquals((await child.output()).signal, "SIGKILL");
  await until(() => {
    try {
      sandbox.spawn("true");
      return false;
    } catch (error) {
      return error instanceof StateError;
    }
  });
});

containerTest("a signal that is aborted, and a program that is not there, leave nothing", async () => {
  await assertRejects(() => Sandbox.create({ signal: AbortSignal.abort() }), DOMException);
  await assertRejects(() => Sandbox.create({ rootfs: "/nowhere" }), Error, "/nowhere");
  const controller = new AbortController();
  await using sandbox = await Sandbox.create({ signal: controller.signal });
  const child = sandbox.spawn("sleep", { args: ["1000"] });
  controller.abort();
  assertEquals((await child.status).signal, "SIGKILL");
});

for (
  const end of [
    "await new Promise(() => setTimeout(() => Deno.kill(Deno.pid, 'SIGKILL'), 50))",
    "Deno.exit(0)",
    "",
  ]
) {
  containerTest(`nothing lives on when our program ends by ${end || "its last line"}`, async () => {
    const file = Deno.makeTempFileSync({ suffix: ".ts" });
    const library = new URL("../../runtime/mod.ts", import.meta.url).href;
    Deno.writeTextFileSync(
      file,
      `import { Sandbox } from "${library}";
       const sandbox = await Sandbox.create();
       const child = sandbox.spawn("sh", { args: ["-c", "sleep 1000 & echo x; exec sleep 999"] });
       await child.stdout.getReader().read();
       ${end === "" ? "await sandbox[Symbol.asyncDispose]()" : end};`,
    );
    try {
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const { stderr } = await run([Deno.execPath(), "run", "-A", "--no-check", "--config", config, file]);
      assertEquals(stderr, "");
      // Dead ones are reaped by whoever adopts them, which is us.
      await until(() => livingChildren().length === 0);
      // What only a SIGKILL leaves is a directory, which the next one removes.
      await (await Sandbox.create())[Symbol.asyncDispose]();
      assertEquals([...Deno.readDirSync("/run/hako-sandbox/state")], []);
      assertEquals([...Deno.readDirSync("/run/hako-sandbox/bundles")], []);
    } finally {
      Deno.removeSync(file);
    }
  });
}

for (const page of ["README.md", "docs/library.md"]) {
  containerTest(`the example of ${page} runs`, async () => {
    const root = new URL("../../", import.meta.url).pathname;
    const [, example] = /^```ts\n(.*?)^```$/ms.exec(Deno.readTextFileSync(`${root}${page}`))!;
    const code = example!.replace("./runtime/mod.ts", `${root}runtime/mod.ts`);
    const file = Deno.makeTempFileSync({ suffix: ".ts" });
    Deno.writeTextFileSync(file, code);
    try {
      const result = await run([
        Deno.execPath(),
        "run",
        "-A",
        "--config",
        `${root}deno.json`,
        "--quiet",
        file,
      ]);
      assertEquals([result.status, result.stderr], [0, ""]);
      const expected = page === "README.md"
        ? /uid=65534.*untrusted.sh.*Permission denied/s
        : /^0 1\n2\n3\n\n137 SIGKILL\n$/;
      assertMatch(result.stdout, expected);
    } finally {
      Deno.removeSync(file);
    }
  });
}
