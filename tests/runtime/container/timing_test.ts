import { assertEquals, assertStringIncludes } from "@std/assert";
import { drawSpans, type Span } from "../../../runtime/container/timing.ts";

/** A run of `total` milliseconds. */
function spansOf(total: number, label = "mount tmpfs on /x"): Span[] {
  return [
    { start: 0, end: total / 2, label: "make the plan", pointer: "hako" },
    { start: total / 2, end: total * 0.75, label, pointer: "/mounts/0" },
    { start: total * 0.75, end: total, label: "barrier ready: wait", pointer: "runtime" },
  ];
}

const ticksOf = (svg: string) => [...svg.matchAll(/>([\d.]+) ms</g)].map(([, time]) => Number(time));

const TICKS: readonly (readonly [total: number, ticks: number[]])[] = [
  [0.9, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]],
  [15, [0, 2, 4, 6, 8, 10, 12, 14]],
  [35, [0, 5, 10, 15, 20, 25, 30, 35]],
  [1200, [0, 200, 400, 600, 800, 1000, 1200]],
];

for (const [total, ticks] of TICKS) {
  Deno.test(`the picture of a run of ${total} ms has ${ticks.length} round times on its axis`, () => {
    assertEquals(ticksOf(drawSpans(spansOf(total))), ticks);
  });
}

Deno.test("the picture of a run shows who is at work, each span from its start to its end", () => {
  const svg = drawSpans(spansOf(40));
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="12" fill="(#\w+)"/g)];
  assertEquals(bars.map(([, ...bar]) => bar), [
    ["330", "280.0", "#9aa5b1"],
    ["610", "140.0", "#2f6f4f"],
    ["750", "140.0", "#d9a441"],
  ]);
  for (const who of ["hako", "the container's process", "the container's process waits for hako"]) {
    assertStringIncludes(svg, `>${who}</text>`);
  }
});

Deno.test("the picture of a run shortens a long label, and quotes what is markup", () => {
  const label = `bind ${"x".repeat(60)} on </text>&`;
  const svg = drawSpans(spansOf(1, label));
  assertStringIncludes(svg, `>${label.slice(0, 51)}…</text>`);
  assertStringIncludes(svg, `<title>bind ${"x".repeat(60)} on &lt;/text>&amp; (/mounts/0)</title>`);
});
