/** The runtime is killed at any moment of any command: what is left can be listed, and is removed by `delete --force`. */

import { assertEquals } from "@std/assert";
import { livingChildren, reapOrphans } from "../support/children.ts";
import { type Hako, hakoOf, intoFiles, ok, statusOf } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { assertNothingLeft, snapshot } from "../support/leaks.ts";
import { seeded, TORTURE } from "../support/torture.ts";

const MOMENTS = 30 * TORTURE;

const MAPS = [{ containerID: 0, hostID: 1000, size: 1 }];

/** What a command is killed in, and what comes before it. */
const COMMANDS: readonly { readonly before: readonly string[]; readonly command: string }[] = [
  { before: [], command: "create --bundle BUNDLE ID" },
  { before: [], command: "run --detach --bundle BUNDLE ID" },
  { before: [], command: "run --bundle BUNDLE ID" },
  { before: ["create --bundle BUNDLE ID"], command: "start ID" },
  { before: ["run --detach --bundle BUNDLE ID"], command: "exec ID true" },
  { before: ["run --detach --bundle BUNDLE ID"], command: "exec --detach ID sleep 1000" },
  { before: ["run --detach --bundle BUNDLE ID"], command: "pause ID" },
  { before: ["run --detach --bundle BUNDLE ID"], command: "update --pids-limit 77 ID" },
  { before: ["run --detach --bundle BUNDLE ID"], command: "delete --force ID" },
];

/** A container with hooks, id maps and a filled tmpfs, so that there are many moments. */
function bundleOf(box: Box): string {
  const hook = [{ path: "/bin/true" }];
  return box.bundle({
    args: ["sleep", "1000"],
    config: {
      hooks: {
        createRuntime: hook,
        createContainer: hook,
        startContainer: hook,
        poststart: hook,
        poststop: hook,
      },
      linux: { resources: { pids: { limit: 100 } } },
    },
    mounts: [
      {
        destination: "/a",
        source: "/etc",
        options: ["rbind", "idmap"],
        uidMappings: MAPS,
        gidMappings: MAPS,
      },
      { destination: "/etc", type: "tmpfs", options: ["tmpcopyup"] },
    ],
  }).path;
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts a command and kills it after `milliseconds`, if it has not ended. @returns how long it lived */
async function killAfter(box: Box, args: readonly string[], milliseconds: number): Promise<number> {
  const [program, ...words] = [
    ...intoFiles(`${box.directory}/killed.out`, `${box.directory}/killed.err`),
    ...HAKO,
    "--root",
    box.state,
    ...args,
  ];
  const start = performance.now();
  const child = new Deno.Command(program!, { args: words, stdin: "null" }).spawn();
  await Promise.race([sleep(milliseconds), child.status]);
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended.
  }
  await child.status;
  return performance.now() - start;
}

/** As an engine does after it has lost the runtime. */
async function recover(hako: Hako, id: string): Promise<void> {
  await ok(hako("list"));
  await ok(hako("list", "--format", "json"));
  const { status, stderr } = await hako("state", id);
  if (status !== 0) assertEquals(stderr, `hako: container does not exist: ${id}\n`);
  // A pid namespace ends when its last process has been reaped, and those of a killed exec are ours.
  const shim = setInterval(() => reapOrphans(), 20);
  try {
    await ok(hako("delete", "--force", id));
  } finally {
    clearInterval(shim);
  }
  assertEquals(await ok(hako("list", "--quiet")), "");
}

containerTest(
  `the runtime is killed at ${MOMENTS} random moments, and delete --force removes what is left`,
  async (box) => {
    const random = seeded();
    const hako = hakoOf(box);
    const bundle = bundleOf(box);
    const before = snapshot(box.id);
    const durations = new Map<string, number>();
    for (let moment = 0; moment < MOMENTS; moment++) {
      const chosen = COMMANDS[moment % COMMANDS.length]!;
      const id = `${box.id}-${moment}`;
      const words = (text: string) =>
        text.split(" ").map((word) => ({ BUNDLE: bundle, ID: id })[word] ?? word);
      for (const earlier of chosen.before) await ok(hako(...words(earlier)));
      const whole = durations.get(chosen.command) ?? 100;
      const milliseconds = random.below(Math.ceil(whole * 1000)) / 1000;
      try {
        const lived = await killAfter(box, words(chosen.command), milliseconds);
        // The first ones of their kind say how long it is worth while to wait.
        if (lived < milliseconds) durations.set(chosen.command, lived);
        await recover(hako, id);
        await assertNothingLeft(before, box.id);
      } catch (error) {
        throw new Error(`${chosen.command}, killed after ${milliseconds} ms: ${error}`, { cause: error });
      }
    }
  },
);

containerTest("an init whose runtime is killed right after the spawn always ends by itself", async (box) => {
  const random = seeded();
  const { path } = box.bundle({ args: ["sleep", "1000"] });
  const program = new URL("../faults/killed_runtime.ts", import.meta.url).pathname;
  for (let moment = 0; moment < 10 * TORTURE; moment++) {
    const id = `${box.id}-${moment}`;
    const microseconds = moment === 0 ? 0 : random.below(5000);
    const args = ["run", "-A", "--no-check", program, `spawned+${microseconds}`, path, box.state, id];
    const { signal } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
    assertEquals(signal, "SIGKILL");
    // Nobody helps it.
    for (let tries = 0; livingChildren().length > 0; tries++) {
      assertEquals(tries < 400, true, `the init lives on, ${microseconds} us after the spawn`);
      await sleep(25);
    }
    await recover(hakoOf(box), id);
  }
});

containerTest(
  "what is left of a container that asked for another one's cgroup does not end that one",
  async (box) => {
    const hako = hakoOf(box);
    const { path } = box.bundle({
      args: ["sleep", "1000"],
      config: { linux: { cgroupsPath: `/${box.id}` } },
    });
    await ok(hako("run", "--detach", "--bundle", path, box.id));
    // At the first directory of the cgroup, behind those of the state.
    const killed = ["strace", "-f", "-o", "/dev/null", "-e", "inject=mkdir:signal=SIGKILL:when=3"];
    await run([...killed, ...HAKO, "--root", box.state, "create", "--bundle", path, `${box.id}-2`]);
    await hako("delete", "--force", `${box.id}-2`);
    assertEquals(await statusOf(hako, box.id), "running");
    await ok(hako("delete", "--force", box.id));
  },
  { needs: ["strace"] },
);
