/** Options that crun has and runc does not, and those of runc that need hardware: kill, delete, spec, update. */

import { assertEquals } from "@std/assert";
import { parseConfig } from "../../runtime/spec/parse.ts";
import { fails, type Hako, hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

const SLEEP = ["sleep", "1000"];

async function start(hako: Hako, box: Box, names: readonly string[]): Promise<string[]> {
  const ids = names.map((name) => `${box.id}-${name}`);
  for (const id of ids) {
    await ok(hako("run", "--detach", "--bundle", box.bundle({ args: SLEEP }).path, id));
  }
  return ids;
}

containerTest("--regex kills and deletes the containers whose ids match, and no other", async (box) => {
  const hako = hakoOf(box);
  const [a1, a2, b] = await start(hako, box, ["a1", "a2", "b"]) as [string, string, string];
  await ok(hako("kill", "--regex", "a[0-9]$", "KILL"));
  for (const id of [a1, a2]) await until(async () => await statusOf(hako, id) === "stopped");
  assertEquals(await statusOf(hako, b), "running");
  await ok(hako("delete", "-r", "a[0-9]$"));
  for (const id of [a1, a2]) await fails(hako("state", id), `container does not exist: ${id}`);
  assertEquals(await statusOf(hako, b), "running");
  await ok(hako("delete", "--regex", "--force", `^${box.id}-`));
  await fails(hako("state", b), `container does not exist: ${b}`);
});

containerTest("--regex goes on behind a container that it cannot delete, with a warning", async (box) => {
  const hako = hakoOf(box);
  const [running, stopped] = await start(hako, box, ["1", "2"]) as [string, string];
  await ok(hako("kill", stopped, "KILL"));
  await until(async () => await statusOf(hako, stopped) === "stopped");
  await fails(hako("delete", "--regex", "."), `cannot delete container ${running} that is not stopped`, 0);
  assertEquals(await ok(hako("list", "--quiet")), `${running}\n`);
  await ok(hako("delete", "--force", running));
});

containerTest("--regex that is no regular expression, or matches nothing", async (box) => {
  const hako = hakoOf(box);
  await fails(hako("kill", "--regex", "a(", "KILL"), 'invalid regular expression "a("');
  await fails(hako("delete", "--regex", "a("), 'invalid regular expression "a("');
  await ok(hako("kill", "--regex", "nothing", "KILL"));
});

containerTest("spec --file writes the config under another name, again and again", async (box) => {
  const hako = hakoOf(box);
  const file = `${box.directory}/other.json`;
  for (let times = 0; times < 2; times++) {
    await ok(hako("spec", "--bundle", box.directory, "--file", "other.json"));
  }
  assertEquals(parseConfig(Deno.readTextFileSync(file)).process?.args, ["sh"]);
  await ok(hako("spec", "--bundle", box.directory));
  assertEquals(Deno.readTextFileSync(`${box.directory}/config.json`), Deno.readTextFileSync(file));
  await fails(hako("spec", "--bundle", box.directory), "exists. Remove it first");
  await ok(hako("spec", "-f", `${box.directory}/absolute.json`));
  assertEquals(Deno.readTextFileSync(`${box.directory}/absolute.json`), Deno.readTextFileSync(file));
});

const pureV2 = new URL("../guest/v2.sh", import.meta.url).pathname;

for (const [where, under] of Object.entries({ "this machine": [], "pure v2": [pureV2] })) {
  containerTest(`spec has a cgroup namespace if /sys/fs/cgroup is cgroup v2: ${where}`, async (box) => {
    const type = (await ok(run([...under, "stat", "-fc", "%T", "/sys/fs/cgroup"]))).trim();
    if (where === "pure v2") assertEquals(type, "cgroup2fs");
    for (const options of [[], ["--rootless"]]) {
      const file = `${box.directory}/config.json`;
      await ok(run([...under, ...HAKO, "spec", "--file", file, ...options]));
      const { namespaces = [] } = parseConfig(Deno.readTextFileSync(file)).linux!;
      assertEquals(namespaces.some((one) => one.type === "cgroup"), type === "cgroup2fs");
    }
  });
}

containerTest(
  "update of the class of service of a container that has none",
  async (box) => {
    const hako = hakoOf(box);
    const [without] = await start(hako, box, ["without"]) as [string];
    const schemas = ["--l3-cache-schema", "L3:0=f", "--mem-bw-schema", "MB:0=50"];
    await fails(
      hako("update", ...schemas, without),
      "its class of service cannot be changed: its config has no /linux/intelRdt",
    );
    await ok(hako("delete", "--regex", "--force", "."));
  },
);
