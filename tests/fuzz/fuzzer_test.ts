import { assert, assertEquals } from "@std/assert";
import { Coverage } from "./coverage.ts";
import { distil, Fuzzer, minimiseFailure } from "./fuzzer.ts";
import { minimise } from "./minimise.ts";
import type { Target } from "./target.ts";

const WORD = "crash";

/** Tells how much of the word an input begins with, and fails for the whole of it somewhere. */
const planted: Target = {
  seeds: ["x"],
  mutate(input, _, random) {
    const at = random.below(input.length + 1);
    return input.slice(0, at) + String.fromCharCode(97 + random.below(26)) +
      input.slice(at + random.below(2));
  },
  run(input) {
    if (input.includes(WORD)) throw new TypeError("planted");
    let known = 0;
    while (input.includes(WORD.slice(0, known + 1))) known++;
    return [`${known}`];
  },
};

async function search(coverage: Coverage, seed: number): Promise<Fuzzer> {
  const fuzzer = new Fuzzer(planted, coverage, seed);
  for (const input of planted.seeds) await fuzzer.add(input);
  while (fuzzer.failures.length === 0 && fuzzer.cases < 20_000) await fuzzer.add(fuzzer.next());
  return fuzzer;
}

Deno.test("what comes nearer to a fault is kept until the fault is found, and then made small", async () => {
  const coverage = await Coverage.start();
  try {
    const fuzzer = await search(coverage, 1);
    const [failure] = fuzzer.failures;
    assert(failure !== undefined, `${fuzzer.cases} cases, and the last is ${fuzzer.corpus.at(-1)}`);
    assertEquals(await minimiseFailure(planted, failure), WORD);
    const inputs = fuzzer.corpus;
    const kept = await distil(planted, coverage, { seeds: planted.seeds, inputs, characters: 1000 });
    assertEquals(kept.length, WORD.length - 1);
    assertEquals((await search(coverage, 1)).cases, fuzzer.cases);
  } finally {
    coverage.close();
  }
});

Deno.test("coverage is what has run since the last time, and never before", async () => {
  const { parseMountinfo } = await import("../../runtime/host/mountinfo.ts");
  const coverage = await Coverage.start();
  try {
    await coverage.take();
    const line = "36 35 98:0 /a /b rw - ext3 /dev/root rw";
    assertEquals(parseMountinfo("").length, 0);
    const first = await coverage.take();
    parseMountinfo(line);
    const second = await coverage.take();
    parseMountinfo(line);
    assert(first > 0 && second > 0, `${first} and ${second} characters`);
    assertEquals(await coverage.take(), 0);
  } finally {
    coverage.close();
  }
});

Deno.test("an input loses what does not matter: members of JSON, characters of another text", async () => {
  const json = JSON.stringify({ a: [1, { b: 2, c: 3 }, 4], d: "e" });
  assertEquals(
    await minimise(json, (input) => JSON.parse(input).a?.some((one: { c?: 3 }) => one.c)),
    '{"a":[{"c":3}]}',
  );
  assertEquals(await minimise("some (text) here", (input) => /\(.*\)/.test(input)), "()");
});
