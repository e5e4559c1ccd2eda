/** Who holds the caller's streams after a command that leaves a process behind: that process, and nobody else. */

import { assertEquals } from "@std/assert";
import { livingChildren } from "../support/children.ts";
import { hakoOf, ok, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO } from "../support/hako.ts";

/** Runs a command with one pipe for stdout and stderr. @returns what came, when the last holder of the pipe has gone */
async function withPipe(box: Box, ...args: string[]): Promise<{ readonly output: Promise<string> }> {
  const [program, ...rest] = [...HAKO, "--root", box.state, ...args];
  const script = 'exec "$@" 2>&1';
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", program!, ...rest],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = new Response(child.stdout).text();
  const { code } = await child.status;
  if (code !== 0) throw new Error(await output);
  return { output };
}

/** The processes beside us that have the pipe of `pid`'s stdout open. */
function holders(pid: number): number[] {
  const pipe = Deno.readLinkSync(`/proc/${pid}/fd/1`);
  assertEquals(/^pipe:/.test(pipe), true, pipe);
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((other) => other > 0 && other !== Deno.pid && descriptors(other).includes(pipe));
}

function descriptors(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) =>
      Deno.readLinkSync(`/proc/${pid}/fd/${name}`)
    );
  } catch {
    return []; // It has just ended, or closed one.
  }
}

function numbers(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name).sort();
}

/** Becomes a program that says something and waits; the shell would have a descriptor of its own. */
const SCRIPT = "echo first; echo second >&2; exec sleep 1000";

/** The output has an end when the process has, and not before. */
async function assertEnds(pid: number, output: Promise<string>): Promise<void> {
  assertEquals([holders(pid), numbers(pid)], [[pid], ["0", "1", "2"]]);
  let ended = false;
  const end = output.then(() => ended = true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(ended, false);
  Deno.kill(pid, "SIGKILL");
  await end;
  assertEquals(await output, "first\nsecond\n");
  // We are its reaper: the pid file's reader of an engine is, too.
  await until(() => !livingChildren().some((child) => child.pid === pid));
}

const becomesSleep = (pid: number) =>
  until(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("sleep"));

containerTest("create and start: only the container holds the streams of create", async (box) => {
  const hako = hakoOf(box);
  const { output } = await withPipe(box, "create", "--bundle", box.bundle({ script: SCRIPT }).path, box.id);
  const { pid } = JSON.parse(await ok(hako("state", box.id)));
  assertEquals(holders(pid), [pid]);
  await ok(hako("start", box.id));
  await becomesSleep(pid);
  await assertEnds(pid, output);
  await ok(hako("delete", box.id));
});

containerTest("run --detach: only the container holds its streams", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({ script: SCRIPT });
  const { output } = await withPipe(box, "run", "--detach", "--bundle", path, box.id);
  const { pid } = JSON.parse(await ok(hako("state", box.id)));
  await becomesSleep(pid);
  await assertEnds(pid, output);
  await ok(hako("delete", box.id));
});

containerTest(
  "exec --detach: only the process holds its streams, and the container none of them",
  async (box) => {
    const hako = hakoOf(box);
    await ok(hako("run", "--detach", "--bundle", box.bundle({ args: ["sleep", "1000"] }).path, box.id));
    const pidFile = `${box.directory}/pid`;
    const { output } = await withPipe(
      box,
      "exec",
      "--detach",
      "--pid-file",
      pidFile,
      box.id,
      "sh",
      "-c",
      SCRIPT,
    );
    const pid = Number(Deno.readTextFileSync(pidFile));
    await becomesSleep(pid);
    await assertEnds(pid, output);
    await ok(hako("delete", "--force", box.id));
  },
);
