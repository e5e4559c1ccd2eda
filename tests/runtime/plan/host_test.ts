import { assertEquals } from "@std/assert";
import { hostFromJson, hostToJson } from "../../../runtime/plan/host.ts";
import { testHost } from "./fixture.ts";

Deno.test("a host survives host.json", () => {
  const host = testHost({ rlimits: { RLIMIT_CORE: { soft: 0, hard: 2n ** 64n - 1n } } });
  assertEquals(hostFromJson(hostToJson(host)), host);
  assertEquals(JSON.parse(hostToJson(host)).capabilities, "0x1ffffffffff");
});
