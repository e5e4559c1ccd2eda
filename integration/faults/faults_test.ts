/**
 * Every step of real plans, and every call of the runtime's own, fails once: the error names it, and nothing is left
 * behind. `deno task faults` has them fail in every way.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { unexplained } from "./left_out.ts";
import { ALL } from "./run.ts";
import { allSites } from "./sites.ts";

const reached = new Set<string>();
let late = 0;

for (const [name, survey] of Object.entries(ALL)) {
  containerTest(`${name}: whatever fails is named and leaves nothing`, async () => {
    const deadline = Date.now() + 35_000;
    const { cases, skipped, unreached, leaks, unnamed, sites } = await survey({ quick: true, deadline });
    sites.forEach((site) => reached.add(site));
    late += unreached;
    assertEquals([leaks, unnamed], [[], []]);
    console.log(`${name}: ${cases} faults, ${skipped} left out for want of time`);
  }, { needs: ["ip", "unshare", "findmnt"] });
}

containerTest("every call in the runtime's source is among those, or is left out for a reason", () => {
  if (late > 0) console.log(`not looked at: ${late} lines were not made to fail for want of time`);
  else assertEquals(unexplained(allSites(), reached), []);
});
