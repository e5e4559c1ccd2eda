import { assertEquals } from "@std/assert";
import { assertions, passes, retry, TRIES } from "./verdict.ts";

const outcome = (stdout: string, status = 0) => ({ stdout: `TAP version 13\n${stdout}`, status });
const error = (text: string) => `  ---\n  {\n    "error": "${text}"\n  }\n  ...\n`;

Deno.test("a program passes if all it asserts holds, or it asserts nothing and tells of no error", () => {
  assertEquals(passes(outcome("ok 1 - a\nok 2 # SKIP b\n1..2\n")), true);
  assertEquals(passes(outcome("1..0\n")), true);
  assertEquals(passes(outcome(`ok 1 - fails as it must\n${error("exit status 1")}1..1\n`)), true);
});

Deno.test("a program fails by an assertion, by its exit status or by a diagnostic alone", () => {
  assertEquals(passes(outcome("ok 1 - a\nnot ok 2 - b\n1..2\n")), false);
  assertEquals(passes(outcome("ok 1 - a\n1..1\n", 1)), false);
  assertEquals(passes(outcome(`${error("Hooks MUST be called")}1..0\n`)), false);
});

Deno.test("assertions are counted", () => {
  assertEquals(assertions(outcome("ok 1 - not ok\nnot ok 2\nok 3\n1..3\n")), { ok: 2, notOk: 1 });
});

Deno.test("a program that loses a race is run again until it passes, and fails if it never does", async () => {
  const lost = outcome(`${error("too early")}1..0\n`);
  const won = outcome("1..0\n");
  for (const wins of [1, 3, TRIES, TRIES + 1]) {
    let runs = 0;
    const told: number[] = [];
    const last = await retry(
      () => Promise.resolve(++runs < wins ? lost : won),
      (_, number) => told.push(number),
    );
    const expected = Math.min(wins, TRIES);
    assertEquals([runs, passes(last)], [expected, wins <= TRIES]);
    assertEquals(told, Array.from({ length: expected - 1 }, (_, index) => index + 1));
  }
});
