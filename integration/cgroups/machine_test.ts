import { assertEquals } from "@std/assert";
import { readHierarchies } from "../../cgroups/hierarchies.ts";
import { withDefaultDevices } from "../../cgroups/mod.ts";
import { runCgroupTests } from "../../tests/cgroups/suite.ts";
import { runRuncTests } from "./runc.ts";
import { restoreAtExit, thisMachine } from "./machine.ts";

const root = Deno.uid() === 0;

if (root) {
  restoreAtExit();
  runCgroupTests(thisMachine("this machine"));
} else Deno.test({ name: "cgroups of this machine (skipped: needs root)", ignore: true, fn() {} });

/** Runs a file of tests where nothing but cgroup v2 is mounted. */
Deno.test({
  name: `the suite holds on pure v2${root ? "" : " (skipped: needs root)"}`,
  ignore: !root,
  async fn() {
    const file = (name: string) => new URL(name, import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(file("../guest/v2.sh"), {
      args: [Deno.execPath(), "test", "-A", "--no-check", file("pure_v2.ts")],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(success, true, decoder.decode(stdout) + decoder.decode(stderr));
  },
});

/** The cgroups at the top of a hierarchy that begin with `prefix`. */
function left(prefix: string): string[] {
  return readHierarchies().flatMap(({ mountPoint }) =>
    [...Deno.readDirSync(mountPoint)].map(({ name }) => `${mountPoint}/${name}`)
  ).filter((path) => path.includes(`/${prefix}`));
}

Deno.test({ name: "200 cgroups in a row and 20 at once leave nothing behind", ignore: !root }, async () => {
  const { locate, start } = thisMachine("this machine");
  const prefix = `hako-many-${Deno.pid}-`;
  const make = (name: string) => {
    const cgroup = locate(`/${prefix}${name}`);
    cgroup.create(withDefaultDevices({ pids: { limit: 5 }, memory: { limit: 1 << 24 } }));
    return cgroup;
  };
  for (let index = 0; index < 200; index++) make(`row-${index}`).delete();
  const busy = Array.from({ length: 20 }, async (_, index) => {
    const cgroup = make(`once-${index}`);
    const { end } = start!(cgroup, "sleep 100 & sleep 100");
    cgroup.kill();
    cgroup.delete();
    await end;
  });
  await Promise.all(busy);
  assertEquals(left(prefix), []);
});

runRuncTests();
