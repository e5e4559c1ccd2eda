/** `hako compile` and what it makes as somebody uses them who has read docs/compile.md. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ok, until } from "../support/commands.ts";
import { exists } from "../support/files.ts";
import { type Box, containerTest, type RunOptions } from "../support/fixture.ts";
import { finish, HAKO, run, spawn } from "../support/hako.ts";
import { compile, groupsOf } from "./compiled.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/compile.md", import.meta.url));

/** A `hako` in PATH. */
function withHako(box: Box): Record<string, string> {
  const words = HAKO.map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(`${box.directory}/hako`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return { PATH: `${box.directory}:${Deno.env.get("PATH")}` };
}

containerTest("compile: the example of docs/compile.md does what it says", async (box) => {
  const [, example = ""] = /## An example\n+```sh\n([^]*?)```/.exec(PAGE) ?? [];
  const script = example.replaceAll("/tmp/", `${box.directory}/`);
  const { status, stdout, stderr } = await run(["sh", "-ec", script], { env: withHako(box) });
  assertEquals([status, stderr], [0, ""]);
  const [date, seconds, ...plan] = stdout.split("\n");
  assertMatch(date!, /\d\d:\d\d:\d\d/);
  assert(Math.abs(Number(seconds) - Date.now() / 1000) < 60, seconds);
  assertStringIncludes(plan.join("\n"), "When the container has ended:");
});

containerTest("compile: what cannot be written is one clear error, and no file", async (box) => {
  const bundle = box.bundle().path;
  const to = async (output: string, ...options: string[]) => {
    const { status, stdout, stderr } = await run([
      ...[...HAKO, "compile", "--bundle", bundle],
      ...["--name", "tool", "--output", output, ...options],
    ]);
    assertEquals([status, stdout, stderr.split("\n").length], [1, "", 2], stderr);
    return stderr;
  };
  assertMatch(
    await to(`${box.directory}/none/tool`),
    /^hako: cannot write .*\/none\/tool: [a-z]+ .*: no such file or directory \(ENOENT\)$/m,
  );
  Deno.mkdirSync(`${box.directory}/directory`);
  assertMatch(await to(`${box.directory}/directory`), /^hako: cannot write .*\/directory: .*is a directory/);
  const pipe = `${box.directory}/pipe`;
  await ok(run(["mkfifo", pipe]));
  Deno.symlinkSync("pipe", `${box.directory}/link`);
  for (const name of ["pipe", "link"]) {
    assertMatch(await to(`${box.directory}/${name}`), /^hako: cannot write .*: it is no regular file/);
  }
  assert(Deno.lstatSync(pipe).isFifo && Deno.lstatSync(`${box.directory}/link`).isSymlink);
  assertMatch(await to(`${box.directory}/tool`, "--keep-args", "9"), /--keep-args must be from 1 to/);
  assertEquals([...Deno.readDirSync(box.directory)].map(({ name }) => name).sort(), [
    "bundle0",
    "directory",
    "link",
    "pipe",
  ]);
  assertEquals(
    (await run([...HAKO, "compile", "--bundle", bundle])).stderr,
    "hako: compile needs -o FILE, where the executable goes\n",
  );
  const explained = await run([...HAKO, "explain", bundle]);
  assertEquals([explained.status, explained.stderr], [
    1,
    `hako: ${bundle} is a directory: hako explain --bundle ${bundle}\n`,
  ]);
});

/** All that docs/compile.md says is refused, by the member that asks for it. */
const REFUSED: Readonly<
  Record<string, { readonly container: RunOptions; readonly options?: readonly string[] }>
> = {
  "/hooks/poststop": { container: { config: { hooks: { poststop: [{ path: "/bin/true" }] } } } },
  "/process/terminal": { container: { config: { process: { terminal: true } } } },
  "/linux/netDevices": { container: { config: { linux: { netDevices: { eth7: {} } } } } },
  "/linux/intelRdt": { container: { config: { linux: { intelRdt: { closID: "x" } } } } },
  "/linux/seccomp": {
    container: {
      config: {
        linux: {
          seccomp: {
            defaultAction: "SCMP_ACT_ALLOW",
            listenerPath: "/none",
            syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
          },
        },
      },
    },
  },
  "/mounts/\\d+": {
    container: { mounts: [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }] },
  },
  "/linux/namespaces": {
    container: {},
    options: ["--rootless"],
  },
};

for (const [pointer, { container, options = [] }] of Object.entries(REFUSED)) {
  containerTest(`compile: ${pointer} is refused, and nothing is written`, async (box) => {
    const { path } = box.bundle(container);
    const words = ["compile", "--bundle", path, "--output", `${box.directory}/tool`, ...options];
    const { status, stdout, stderr } = await run([...HAKO, ...words]);
    assertEquals([status, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^hako: config.json ${pointer}\\S*: cannot be compiled: .*\n$`));
    assertEquals([...Deno.readDirSync(box.directory)].map(({ name }) => name), ["bundle0"]);
  });
}

containerTest("compile: a file is replaced while it runs, and what runs goes on", async (box) => {
  const options = { script: "echo $1; read line; echo $line", compile: ["--name", box.id] };
  const tool = await compile(box, options);
  const child = spawn([tool], { stdin: "" });
  await until(() => groupsOf(box).length > 0);
  await compile(box, { ...options, script: "echo second" });
  assertEquals((await finish(child, "first\n")).stdout, "\nfirst\n");
  assertEquals((await run([tool])).stdout, "second\n");
});

/** The one child of a process. */
function childOf(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ")[0]);
}

containerTest("compile: a process killed by a signal gives 128 and the signal", async (box) => {
  const child = spawn([await compile(box, { script: "exec sleep 1000" })]);
  await until(() => childOf(child.pid) > 0 && name(childOf(child.pid)) === "sleep");
  Deno.kill(childOf(child.pid), "SIGKILL");
  assertEquals((await finish(child)).status, 137);
  assertEquals(groupsOf(box), []);
});

containerTest(
  "compile: with the executable killed the container ends, and its cgroup is left",
  async (box) => {
    const child = spawn([await compile(box, { script: "exec sleep 1000" })]);
    await until(() => childOf(child.pid) > 0 && name(childOf(child.pid)) === "sleep");
    const init = childOf(child.pid);
    child.kill("SIGKILL");
    assertEquals((await finish(child)).status, 137);
    await until(() => !exists(`/proc/${init}`) || / Z /.test(Deno.readTextFileSync(`/proc/${init}/stat`)));
    const left = groupsOf(box);
    assert(left.length > 0);
    // The kernel counts its process until it is reaped.
    await until(() => left.every((group) => removed(`/sys/fs/cgroup/${group}`)));
  },
);

function name(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
}

function removed(path: string): boolean {
  new Deno.Command("rmdir", { args: [path], stderr: "null" }).outputSync();
  return !exists(path);
}

containerTest(
  "compile: an executable for aarch64 starts under qemu-user, and names the call that qemu lacks",
  async (box) => {
    const other = await compile(box, { script: "echo no", compile: ["--arch", "aarch64"] });
    const { status, stdout, stderr } = await run(["qemu-aarch64-static", other]);
    // Of Debian 12's: PR_SET_MM of prctl(2). Nor are there fsopen(2), openat2(2) and seccomp(2).
    assertEquals([status, stdout], [125, ""]);
    assertMatch(
      stderr,
      new RegExp(`^${box.id}: .*: (prctl|fsopen|openat2|move_mount): .* \\((EINVAL|ENOSYS)\\)\n$`),
    );
    assertEquals(groupsOf(box), []);
    assertMatch((await run([...HAKO, "explain", other])).stdout, /: for aarch64\n/);
  },
  { needs: ["qemu-aarch64-static"] },
);
