/** That every row can be measured; figures are for `deno task bench` on a machine at rest. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO } from "../support/hako.ts";
import { type Benchmark, type Row, summarize } from "./benchmark.ts";
import { smallest } from "./memory.ts";
import { plot } from "./plot.ts";
import { formatTable, markdownTable } from "./report.ts";

const ROW: Benchmark = {
  name: "row",
  title: "a row",
  unit: "ms",
  targets: [
    { command: "hako", times: 0.5, of: "runc" },
    { command: "hako", times: 0.9, of: "crun" },
    { command: "hako", most: 9 },
    { command: "hako", times: 2, of: "youki" },
  ],
  measure: () => Promise.reject(new Error("not measured")),
};

Deno.test("a row has the median and the least, and is judged by its targets, but not by who is not there", () => {
  const row = summarize(ROW, { hako: [10, 30, 2], runc: [20], crun: [12, 10, 11] });
  assertEquals(row.commands[0], { command: "hako", median: 10, min: 2, runs: 3 });
  assertEquals(row.targets, [
    { command: "hako", target: "≤ 0.5 × runc", found: 0.5, met: true },
    { command: "hako", target: "≤ 0.9 × crun", found: 10 / 11, met: false },
    { command: "hako", target: "≤ 9 ms", found: 10, met: false },
  ]);
  const met = "≤ 0.5 × runc: met (0.50), ≤ 0.9 × crun: missed (0.91), ≤ 9 ms: missed (10.0)";
  assertEquals(
    markdownTable([row]).split("\n")[2],
    `| a row | hako | 10.0 ms | 2.00 | 0.50 | 0.91 | 3 | ${met} |`,
  );
  assertStringIncludes(formatTable([row]), met);
  assertStringIncludes(plot([row]), "missed: hako ≤ 0.9 × crun, hako ≤ 9 ms");
});

async function bench(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("run.ts", import.meta.url).pathname, ...args],
    stdin: "null",
    env,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function rows(box: Box, args: readonly string[], env: Record<string, string> = {}): Promise<Row[]> {
  const [json, svg] = [`${box.directory}/figures.json`, `${box.directory}/plot.svg`];
  const { code, stderr } = await bench(["--quick", "--json", json, "--svg", svg, ...args], env);
  assertEquals([code, code === 0 ? "" : stderr], [0, ""]);
  assert(Deno.readTextFileSync(svg).endsWith("</svg>\n"));
  return JSON.parse(Deno.readTextFileSync(json)).rows;
}

containerTest("every row can be measured", async (box) => {
  const names = (await bench(["--list"])).stdout.trim().split("\n").map((line) => line.split(" ")[0]);
  const measured = await rows(box, []);
  assertEquals(measured.map(({ name }) => name), names);
  for (const { name, commands } of measured) {
    assert(commands.length >= 2 && commands.every(({ median, min }) => min > 0 && median >= min), name);
  }
}, { needs: ["hyperfine", "gcc", "bwrap", "runc", "crun"] });

containerTest(
  "rows are chosen by parts of their names, and YOUKI is measured beside the others",
  async (box) => {
    // There is no package of youki: crun takes its place, under its name.
    const measured = await rows(box, ["init-p", "exec-bare"], { YOUKI: "/usr/bin/crun" });
    assertEquals(measured.map(({ name }) => name), ["exec-bare", "init-pss"]);
    for (const { commands } of measured) {
      assertEquals(commands.map(({ command }) => command), ["hako", "runc", "crun", "youki"]);
    }
    assertEquals((await bench(["nothing-like-it"])).code, 1);
  },
  { needs: ["hyperfine", "runc", "/usr/bin/crun"] },
);

containerTest("a container of /bin/true starts with a memory limit of 256 kB", async (box) => {
  const limit = await smallest([...HAKO, "--root", box.state], { box, under: [] }, 10);
  assert(limit <= 256, `${limit} kB`);
});
