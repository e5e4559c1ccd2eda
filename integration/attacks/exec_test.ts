/**
 * What a process gets that is run in a container beside its own, and what keeps it from getting there.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { reapOrphans } from "../support/children.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** Runs `use` beside a container whose first process runs `script`. */
async function beside(
  box: Box,
  script: string,
  use: (exec: (...words: string[]) => ReturnType<typeof run>) => Promise<void>,
  config = {},
): Promise<void> {
  // A hang is a failure of the test, and not of the suite: what is stopped is killed after a while. A process that stays
  // stopped would hold a pipe open.
  let count = 0;
  const hako = async (...words: string[]) => {
    const [out, err] = [`${box.directory}/out${count}`, `${box.directory}/err${count++}`];
    const patience = ["timeout", "--signal=KILL", "10"];
    const shell = ["sh", "-c", `"$@" </dev/null >${out} 2>${err}; exit $?`, "sh"];
    const { status } = await run([...shell, ...patience, ...HAKO, "--root", box.state, ...words]);
    return { status, stdout: Deno.readTextFileSync(out), stderr: Deno.readTextFileSync(err) };
  };
  const { path } = box.bundle({ script, config });
  // Its streams are no pipes of ours, which it would hold open.
  const detached = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1', "sh", ...HAKO, "--root", box.state];
  assertEquals((await run([...detached, "run", "--detach", "--bundle", path, box.id])).status, 0);
  try {
    await use((...words) => hako("exec", ...words));
  } finally {
    // What a killed command has left is ours to reap: until then it keeps the container's pid namespace.
    const reaping = setInterval(reapOrphans, 50);
    await hako("delete", "--force", box.id);
    clearInterval(reaping);
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

containerTest(
  "a container with all its descriptors in use does not keep an exec from its own",
  (box) =>
    beside(
      box,
      // As many as there may be, with processes that have as many each.
      `ulimit -S -n 64; for process in 1 2 3 4 5 6 7 8; do
       (fd=3; while [ $fd -lt 64 ]; do eval "exec $fd</dev/null" || break; fd=$((fd + 1)); done; echo full >>/dev/shm/full
        exec sleep 600) &
     done; wait`,
      async (exec) => {
        const count = async () =>
          (await exec(box.id, "cat", "/dev/shm/full")).stdout.split("full").length - 1;
        for (let tries = 0; await count() < 8 && tries < 100; tries++);
        // Hako's own need more than these four while it joins.
        const { status, stdout, stderr } = await exec(
          box.id,
          "sh",
          "-c",
          "ulimit -n; ls /proc/self/fd",
        );
        assertEquals({ status, stdout, stderr }, { status: 0, stdout: "4\n0\n1\n2\n3\n", stderr: "" });
      },
      { process: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 4, hard: 64 }] } },
    ),
);

containerTest("a container with all its memory in use lives on, whatever becomes of an exec", (box) =>
  beside(
    box,
    "while :; do dd if=/dev/zero of=/dev/shm/$((i += 1)) bs=256k count=1; done",
    async (exec) => {
      for (let round = 0; round < 10; round++) {
        const { status, stderr } = await exec(box.id, "true");
        assert(status === 0 || status === 137 || status === 255, `${status}`);
        assert(stderr.trim().split("\n").length === 1, stderr);
      }
      const { stdout } = await run([...HAKO, "--root", box.state, "state", box.id]);
      assertMatch(stdout, /"status": "(running|stopped)"/);
    },
    { linux: { resources: { memory: { limit: 16 << 20 } } } },
  ));

containerTest(
  "a container that kills all it can see has no say in how an exec ends, and is not disturbed",
  (box) =>
    beside(box, "while :; do kill -9 -1; done", async (exec) => {
      for (let round = 0; round < 10; round++) {
        const { status, stderr } = await exec(box.id, "sleep", "0.01");
        assert(status === 0 || status === 137 || status === 255, `${status}`);
        assert(stderr.trim().split("\n").length === 1, stderr);
      }
      const { stdout } = await run([...HAKO, "--root", box.state, "state", box.id]);
      assertEquals(JSON.parse(stdout).status, "running");
    }),
);

containerTest(
  "what a container has stopped is gone with the container",
  (box) =>
    beside(box, "while :; do kill -STOP -1; done", async (exec) => {
      // 137: it was killed by our own patience.
      const { status } = await exec(box.id, "sleep", "600");
      assert(status === 137 || status === 255, `${status}`);
    }),
);

containerTest(
  "a container that stops what joins it does not keep exec waiting",
  (box) =>
    beside(box, "while :; do kill -STOP -1; done", async (exec) => {
      // Detached, exec waits only until the program is there: some may get so far.
      const results = [];
      for (let round = 0; round < 3; round++) results.push(await exec("--detach", box.id, "sleep", "600"));
      const refused = results.filter(({ status }) => status !== 0);
      assert(refused.length > 0, "none was stopped in time");
      for (const { status, stderr } of refused) {
        assertMatch(
          stderr,
          /^hako: [^\n]+: the init was stopped, or is traced, by another process(, asked for by config\.json \S+)?\n$/,
        );
        assertEquals(status, 255);
      }
    }),
);
