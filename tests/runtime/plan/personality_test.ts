import { assertEquals } from "@std/assert";
import { personality } from "../../../runtime/plan/personality.ts";
import { assertPlan, testConfig } from "./fixture.ts";

Deno.test("personality is set only if asked for", () => {
  assertPlan(
    personality(testConfig({ personality: { domain: "LINUX32" } })),
    "set personality LINUX32  /linux/personality\n1  personality(PER_LINUX32)",
  );
  assertPlan(
    personality(testConfig({ personality: { domain: "LINUX" } })),
    "set personality LINUX  /linux/personality\n1  personality(PER_LINUX)",
  );
  assertEquals(personality(testConfig()), []);
});
