/** linux.intelRdt: no machine without such a CPU has resctrl, so a directory stands in for it, and its files for the groups. */

import { assertEquals, assertMatch } from "@std/assert";
import { readMountinfo } from "../../runtime/host/mountinfo.ts";
import { createContainer } from "../../runtime/mod.ts";
import { containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

const isMounted = readMountinfo().some(({ type }) => type === "resctrl");

containerTest("intelRdt: an error where no resctrl is mounted", async (box) => {
  const { status, stderr } = await box.run({ config: { linux: { intelRdt: {} } }, script: ":" });
  assertEquals(status, 1);
  assertMatch(
    stderr,
    /^hako: config\.json \/linux\/intelRdt: intelRdt is specified in config, but Intel RDT is not supported or enabled[^\n]*\n$/,
  );
}, isMounted ? { skip: "resctrl is mounted" } : {});

containerTest(
  "intelRdt: processes join their groups, and delete removes the container's own",
  async (box) => {
    const resctrl = `${box.directory}/resctrl`;
    const tasks = `${resctrl}/gold/tasks`;
    Deno.mkdirSync(`${resctrl}/gold/mon_groups`, { recursive: true });
    Deno.writeTextFileSync(tasks, "");
    const { path, config } = box.bundle({
      args: ["sleep", "1000"],
      config: { linux: { intelRdt: { closID: "gold" } } },
    });
    const container = await createContainer(config, { id: box.id, bundle: path, root: box.state, resctrl });
    container.start();
    assertEquals(Deno.readTextFileSync(tasks), `${container.pid}`);
    const state = `${box.state}/${box.id}/state.json`;
    const written = JSON.parse(Deno.readTextFileSync(state));
    assertEquals(written.resctrl, { paths: [`${resctrl}/gold`], own: [] });
    container.close();

    // A directory has no files by itself: one to be removed stands beside the one with tasks.
    const own = `${resctrl}/gold/mon_groups/own`;
    Deno.mkdirSync(own);
    Deno.writeTextFileSync(
      state,
      JSON.stringify({ ...written, resctrl: { ...written.resctrl, own: [own] } }),
    );
    const hako = (...args: string[]) => run([...HAKO, "--root", box.state, ...args]);
    const executed = await hako("exec", box.id, "true");
    assertEquals(executed, { status: 0, stdout: "", stderr: "" });
    const joined = Deno.readTextFileSync(tasks);
    assertMatch(joined, /^\d+$/);
    assertEquals(joined === `${container.pid}`, false);

    assertEquals(await hako("delete", "--force", box.id), { status: 0, stdout: "", stderr: "" });
    assertEquals([...Deno.readDirSync(`${resctrl}/gold/mon_groups`)], []);
  },
);

containerTest("intelRdt: a class of service that is not there, and nothing is left", async (box) => {
  const { path, config } = box.bundle({ config: { linux: { intelRdt: { closID: "gold" } } } });
  const options = { id: box.id, bundle: path, root: box.state, resctrl: box.directory };
  const error = await createContainer(config, options).then(() => undefined, (error) => error);
  assertEquals([error?.name, error?.pointer], ["ConfigError", "/linux/intelRdt/closID"]);
});

containerTest("without intelRdt nothing is read or written in resctrl", async (box) => {
  const { path, config } = box.bundle({ args: ["sleep", "1000"] });
  // To touch it would be an error: there is no such directory.
  const container = await createContainer(config, {
    id: box.id,
    bundle: path,
    root: box.state,
    resctrl: `${box.directory}/nowhere`,
  });
  container.start();
  assertEquals(container.state.resctrl, undefined);
  container.delete(true);
});
