/** Many clients at once, as an engine with many containers is. */

import { assertEquals } from "@std/assert";
import { fails, type Hako, hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { containerTest } from "../support/fixture.ts";
import { TORTURE } from "../support/torture.ts";

const CONTAINERS = 50 * TORTURE;
const CLIENTS = 8;

/** Has `clients` take jobs until there are none left. */
async function together(clients: number, jobs: (() => Promise<unknown>)[]): Promise<void> {
  const rest = [...jobs];
  const client = async () => {
    for (let job; (job = rest.pop()) !== undefined;) await job();
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function live(hako: Hako, id: string, bundle: string): Promise<void> {
  await ok(hako("create", "--bundle", bundle, id));
  assertEquals(await statusOf(hako, id), "created");
  await ok(hako("start", id));
  assertEquals(await ok(hako("exec", id, "sh", "-c", "echo in $(hostname)")), `in ${id}\n`);
  await ok(hako("kill", id, "KILL"));
  await until(async () => await statusOf(hako, id) === "stopped");
  await ok(hako("delete", id));
}

containerTest(
  `${CONTAINERS} containers of ${CLIENTS} clients live and die beside each other`,
  async (box) => {
    const hako = hakoOf(box);
    const ids = Array.from({ length: CONTAINERS }, (_, index) => `${box.id}-${index}`);
    let done = false;
    const watch = async () => {
      while (!done) await ok(hako("list", "--format", "json"));
    };
    const work = async () => {
      try {
        await together(
          CLIENTS,
          ids.map((id) => () =>
            live(hako, id, box.bundle({ args: ["sleep", "1000"], config: { hostname: id } }).path)
          ),
        );
      } finally {
        done = true;
      }
    };
    await Promise.all([work(), watch()]);
    assertEquals(await ok(hako("list", "-q")), "");
  },
);

containerTest(
  "of many clients that create one container one succeeds, and of those that start it",
  async (box) => {
    const hako = hakoOf(box);
    const { path } = box.bundle({ args: ["sleep", "1000"] });
    const race = async (...args: string[]) => {
      const results = await Promise.all(Array.from({ length: CLIENTS }, () => hako(...args)));
      const messages = results.filter(({ status }) => status !== 0).map(({ stderr }) => stderr.trim());
      assertEquals(messages.length, CLIENTS - 1, JSON.stringify(results));
      return new Set(messages);
    };
    assertEquals(
      await race("create", "--bundle", path, box.id),
      new Set([`hako: container with given ID already exists: ${box.id}`]),
    );
    assertEquals(await race("start", box.id), new Set(["hako: cannot start an already running container"]));
    // With --force it need not be there.
    await Promise.all(Array.from({ length: CLIENTS }, () => ok(hako("delete", "--force", box.id))));
    await fails(hako("state", box.id), "does not exist");
  },
);

containerTest("of many updates none is lost", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({ args: ["sleep", "1000"] });
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  const options = [["--pids-limit", "77"], ["--memory", "64m"], ["--cpu-share", "500"], [
    "--memory-reservation",
    "32m",
  ]];
  await Promise.all(options.map((option) => ok(hako("update", ...option, box.id))));
  const { resources } = JSON.parse(Deno.readTextFileSync(`${box.state}/${box.id}/state.json`));
  assertEquals([resources.pids, resources.memory, resources.cpu], [
    { limit: 77 },
    { limit: 64 << 20, reservation: 32 << 20 },
    { shares: 500 },
  ]);
  await ok(hako("delete", "--force", box.id));
});

containerTest("a container in the foreground takes commands of others", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({ args: ["sleep", "1000"] });
  const foreground = hako("run", "--bundle", path, box.id);
  await until(async () => (await hako("state", box.id)).stdout.includes('"running"'));
  await ok(hako("pause", box.id));
  await ok(hako("resume", box.id));
  await ok(hako("update", "--pids-limit", "77", box.id));
  await ok(hako("delete", "--force", box.id));
  assertEquals(await foreground, { status: 137, stdout: "", stderr: "" });
});
