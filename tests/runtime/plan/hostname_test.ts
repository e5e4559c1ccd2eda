import { assertEquals } from "@std/assert";
import { hostname } from "../../../runtime/plan/hostname.ts";
import { assertPlan, testConfig } from "./fixture.ts";

Deno.test("hostname and domainname are passed with their lengths in bytes", () => {
  assertPlan(
    hostname({ ...testConfig(), hostname: "bücher", domainname: "example.org" }),
    `
    set hostname to "bücher"  /hostname
    1  sethostname("bücher", 7)
    set domainname to "example.org"  /domainname
    2  setdomainname("example.org", 11)
    `,
  );
  assertEquals(hostname(testConfig()), []);
});
