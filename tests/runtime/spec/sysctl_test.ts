import { assertEquals } from "@std/assert";
import { sysctlPath } from "../../../runtime/spec/sysctl.ts";

Deno.test("sysctlPath takes the first of . and / as the separator, as sysctl.d(5)", () => {
  assertEquals(sysctlPath("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  assertEquals(sysctlPath("net/ipv4/ip_forward"), "net/ipv4/ip_forward");
  assertEquals(sysctlPath("net.ipv4.conf.eno2/100.rp_filter"), "net/ipv4/conf/eno2.100/rp_filter");
  assertEquals(sysctlPath("net/ipv4/conf/eno2.100/rp_filter"), "net/ipv4/conf/eno2.100/rp_filter");
  assertEquals(sysctlPath("kernel"), "kernel");
});
