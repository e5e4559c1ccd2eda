/**
 * Every step of real plans, and every call of the runtime's own, fails once: the error names it, and nothing is left
 * behind. `deno task faults` has them fail in every way.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { GOLDEN } from "./golden.ts";
import { surveyGolden } from "./run.ts";

for (const golden of GOLDEN) {
  containerTest(`${golden}: whatever fails is named and leaves nothing`, async () => {
    const deadline = Date.now() + 40_000;
    const { cases, skipped, leaks, unnamed } = await surveyGolden(golden, { quick: true, deadline });
    assertEquals([leaks, unnamed], [[], []]);
    console.log(`${golden}: ${cases} faults, ${skipped} left out for want of time`);
  });
}
