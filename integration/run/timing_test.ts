/** `hako explain --timing` runs a container, and tells where the time went. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { fails, hakoOf, ok } from "../support/commands.ts";
import { HAKO, run } from "../support/hako.ts";

containerTest("explain --timing: every moment of a run belongs to a member of the config", async (box) => {
  const bundle = box.bundle({
    script: "sleep 0.5",
    // A filter that would refuse to note the time.
    config: {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["clock_gettime"], action: "SCMP_ACT_KILL_PROCESS" }],
        },
      },
    },
  }).path;
  const svg = `${box.directory}/timing.svg`;
  const { status, stdout, stderr } = await run([
    ...[...HAKO, "--root", box.state],
    ...["explain", "--timing", "--svg", svg, "--bundle", bundle],
  ]);
  assertEquals([status, stderr], [0, ""]);
  const rows = stdout.trim().split("\n").slice(1, -1).map((line) => ({
    start: Number(line.slice(0, 8)),
    length: Number(line.slice(8, 17)),
    pointer: line.trim().split(/\s+/).at(-1)!,
  }));
  rows.forEach(({ start, length }, index) => {
    const { start: next } = rows[index + 1] ?? { start: start + length };
    assert(length >= 0 && Math.abs(start + length - next) < 0.002, stdout);
  });
  const pointers = rows.map(({ pointer }) => pointer);
  for (
    const pointer of ["/linux/namespaces", "/mounts/0", "/mounts/1", "/linux/maskedPaths", "/process/cwd"]
  ) {
    assert(pointers.includes(pointer), `${pointer} is missing: ${stdout}`);
  }
  const at = rows.findIndex(({ pointer }) => pointer === "/process/args");
  const [before, program] = [rows[at - 1]!, rows[at]!];
  // It begins when the runtime hears of it: on a busy machine later than it does, at the cost of the step before.
  assert(before.length + program.length >= 500, stdout);
  assert(program.length >= 250 && program.length < 10_000, stdout);
  const picture = Deno.readTextFileSync(svg);
  assertEquals([picture.match(/<g>/g)?.length, picture.endsWith("</svg>\n")], [rows.length, true]);
});

containerTest(
  "explain --timing: a shell that asks for a terminal reads the caller's input, and ends with it",
  async (box) => {
    const bundle = box.bundle({ config: { process: { terminal: true } }, args: ["/bin/sh"] }).path;
    const { status, stdout, stderr } = await run(
      [...HAKO, "--root", box.state, "explain", "--timing", "--bundle", bundle],
      { stdin: "echo typed\n" },
    );
    assertEquals([status, stderr], [0, ""]);
    assertMatch(stdout, /^typed\n[^]*the program runs/);
  },
);

containerTest(
  "explain --timing: with Docker's config, each mount and the filter have their time",
  async (box) => {
    const bundle = box.bundle({
      golden: "docker-default",
      args: ["/bin/true"],
      config: { hooks: null, linux: { cgroupsPath: null } },
    }).path;
    const { status, stdout, stderr } = await run([
      ...[...HAKO, "--root", box.state],
      ...["explain", "--timing", "--bundle", bundle],
    ]);
    assertEquals([status, stderr], [0, ""]);
    for (
      const pointer of [
        ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `/mounts/${index}`),
        ...["/linux/seccomp", "/linux/namespaces", "/linux/cgroupsPath", "/process/capabilities/bounding"],
      ]
    ) {
      assertMatch(stdout, new RegExp(`  ${pointer}\n`));
    }
  },
);

containerTest(
  "explain --timing --exec: where the time of a command in a container that runs goes",
  async (box) => {
    const hako = hakoOf(box);
    const bundle = box.bundle({
      golden: "docker-default",
      args: ["/bin/sleep", "1000"],
      config: { hooks: null, linux: { cgroupsPath: null } },
    })
      .path;
    await ok(hako("run", "--detach", "--bundle", bundle, box.id));
    try {
      const svg = `${box.directory}/exec.svg`;
      const timed = (...args: string[]) => hako("explain", "--timing", "--exec", box.id, ...args);
      const stdout = await ok(timed("--svg", svg, "--", "/bin/sh", "-c", "echo inside; sleep 0.1"));
      assertMatch(stdout, /^inside\n {3}at ms {2}for ms\n/);
      for (const pointer of ["/linux/namespaces", "/linux/seccomp", "/process/args", "hako"]) {
        assertMatch(stdout, new RegExp(`  ${pointer}\n`));
      }
      // As above: the step before counts too.
      const lengths = /^ +\S+ +(\S+) .*\n +\S+ +(\S+) +#+ +the program runs/m.exec(stdout)!.slice(1);
      assert(lengths.reduce((sum, length) => sum + Number(length), 0) >= 100, stdout);
      assertMatch(Deno.readTextFileSync(svg), /the program runs/);
      await fails(timed("--", "/bin/none"), "no such file or directory (ENOENT)");
      await fails(timed(), "explain --exec ID takes a COMMAND");
      await fails(hako("explain", "--exec", box.id, "--", "true"), "explain --exec goes with --timing");
      // Nothing of either is left in the container's directory.
      assertEquals(
        [...Deno.readDirSync(`${box.state}/${box.id}`)].filter(({ name }) => name.startsWith("exec-")),
        [],
      );
    } finally {
      await ok(hako("delete", "--force", box.id));
    }
  },
);

containerTest(
  "explain --timing: a config that fails gives the error of run, and leaves nothing",
  async (box) => {
    const bundle = box.bundle({
      mounts: [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=zzz"] }],
    }).path;
    const svg = `${box.directory}/timing.svg`;
    const hako = hakoOf(box);
    await fails(
      hako("explain", "--timing", "--svg", svg, "--bundle", bundle),
      `size=zzz: fsconfig($fs, "size", "zzz"): invalid argument (EINVAL), asked for by config.json /mounts/`,
    );
    await fails(hako("explain", "--timing", bundle), "explain --timing takes a bundle, and no FILE");
    await fails(hako("explain", "--svg", svg, "--bundle", bundle), "explain --svg goes with --timing");
    await fails(
      hako("explain", "--timing", "--json", "--bundle", bundle),
      "explain --timing does not go with --json",
    );
    await fails(hako("explain", "--bundle", bundle, svg), "explain FILE does not go with --bundle");
    assertEquals([...Deno.readDirSync(box.directory)].filter(({ name }) => name === "timing.svg"), []);
  },
);
