import { assertEquals } from "@std/assert";
import { memoryPolicy } from "../../../runtime/plan/memory_policy.ts";
import { assertPlan, testConfig } from "./fixture.ts";

Deno.test("memoryPolicy passes the nodes as an array of longs", () => {
  assertPlan(
    memoryPolicy(testConfig({
      memoryPolicy: { mode: "MPOL_BIND", nodes: "0-1,3,64", flags: ["MPOL_F_STATIC_NODES"] },
    })),
    `
    set memory policy MPOL_BIND for nodes 0-1,3,64  /linux/memoryPolicy
    1  set_mempolicy(MPOL_BIND|MPOL_F_STATIC_NODES, {0-1, 3, 64}, 129)
    `,
  );
});

Deno.test("memoryPolicy passes no mask for no nodes", () => {
  const expected = `
    set memory policy MPOL_PREFERRED  /linux/memoryPolicy
    1  set_mempolicy(MPOL_PREFERRED, NULL, 0)
  `;
  assertPlan(memoryPolicy(testConfig({ memoryPolicy: { mode: "MPOL_PREFERRED" } })), expected);
  assertPlan(memoryPolicy(testConfig({ memoryPolicy: { mode: "MPOL_PREFERRED", nodes: "" } })), expected);
  assertEquals(memoryPolicy(testConfig()), []);
});
