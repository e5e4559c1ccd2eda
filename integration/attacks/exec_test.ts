/**
 * What a process gets that is run in a container beside its own, and what keeps it from getting there.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** Runs `use` beside a container whose first process runs `script`. */
async function beside(
  box: Box,
  script: string,
  use: (exec: (...words: string[]) => ReturnType<typeof run>) => Promise<void>,
  config = {},
): Promise<void> {
  const hako = (...words: string[]) => run([...HAKO, "--root", box.state, ...words]);
  const { path } = box.bundle({ script, config });
  // Its streams are no pipes of ours, which it would hold open.
  const detached = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1', "sh", ...HAKO, "--root", box.state];
  assertEquals((await run([...detached, "run", "--detach", "--bundle", path, box.id])).status, 0);
  try {
    await use((...words) => hako("exec", ...words));
  } finally {
    await hako("delete", "--force", box.id);
  }
}

containerTest(
  "exec --cap gives nothing to the inheritable set (CVE-2022-29162)",
  (box) =>
    beside(box, "sleep 600", async (exec) => {
      const { stdout } = await exec(
        "--cap",
        "CAP_KILL",
        box.id,
        "grep",
        "-E",
        "CapInh|CapEff",
        "/proc/self/status",
      );
      assertMatch(stdout, /^CapInh:\t0{16}\nCapEff:\t[0-9a-f]+\n$/);
      assertEquals(BigInt(`0x${/CapEff:\t(.*)/.exec(stdout)![1]}`) >> 5n & 1n, 1n);
    }),
);

containerTest("a container with all its pids in use refuses an exec, and lives on", (box) =>
  beside(
    box,
    "sleep 600 & sleep 600 & sleep 600 & wait",
    async (exec) => {
      // The three are not there at once.
      let result = await exec(box.id, "true");
      for (let tries = 0; result.status === 0 && tries < 100; tries++) result = await exec(box.id, "true");
      assertEquals(result.status, 255);
      assertStringIncludes(result.stderr, "(EAGAIN)");
      const { stdout } = await run([...HAKO, "--root", box.state, "state", box.id]);
      assertEquals(JSON.parse(stdout).status, "running");
    },
    { linux: { resources: { pids: { limit: 4 } } } },
  ));
