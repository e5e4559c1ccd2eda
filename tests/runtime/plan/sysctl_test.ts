import { assertEquals } from "@std/assert";
import { sysctl } from "../../../runtime/plan/sysctl.ts";
import { assertPlan, testConfig } from "./fixture.ts";

Deno.test("sysctl writes through the runtime's own procfs", () => {
  assertPlan(
    sysctl(testConfig({ sysctl: { "net.ipv4.ip_forward": "1", "net/ipv4/conf/eth0.1/forwarding": "0" } })),
    `
    set sysctl net.ipv4.ip_forward to "1"  /linux/sysctl/net.ipv4.ip_forward
    1  openat($proc, "sys/net/ipv4/ip_forward", O_WRONLY|O_CLOEXEC) -> $file
    2  write($file, "1", 1)
    3  close($file)
    set sysctl net/ipv4/conf/eth0.1/forwarding to "0"  /linux/sysctl/net~1ipv4~1conf~1eth0.1~1forwarding
    4  openat($proc, "sys/net/ipv4/conf/eth0.1/forwarding", O_WRONLY|O_CLOEXEC) -> $file
    5  write($file, "0", 1)
    6  close($file)
    `,
  );
  assertEquals(sysctl(testConfig()), []);
});
