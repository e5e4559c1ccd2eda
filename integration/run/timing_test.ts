/** `hako explain --timing` runs a container, and tells where the time went. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

containerTest("explain --timing: every moment of a run belongs to a member of the config", async (box) => {
  const bundle = box.bundle({
    script: "sleep 0.2",
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
  const program = rows.find(({ pointer }) => pointer === "/process/args")!;
  assert(program.length >= 200 && program.length < 10_000, stdout);
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
