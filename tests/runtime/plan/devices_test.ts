import { assertEquals } from "@std/assert";
import { devices } from "../../../runtime/plan/devices.ts";
import { formatPlan } from "../../../runtime/plan/format.ts";
import { testConfig, testHost } from "./fixture.ts";

/** Whether /dev/null is made, or bound from the host. */
function makes(host: Parameters<typeof testHost>[0]): boolean {
  const text = formatPlan(devices(testConfig(), testHost(host)));
  return /mknodat\(\$dev, "null", S_IFCHR/.test(text) && !/open_tree\(.*"\/dev\/null"/.test(text);
}

Deno.test("nodes are made, but bound for whoever may not make them: root of a user namespace, or without CAP_MKNOD", () => {
  assertEquals(makes({}), true);
  assertEquals(makes({ userNamespace: true }), false);
  assertEquals(makes({ capabilities: 0n }), false);
});
