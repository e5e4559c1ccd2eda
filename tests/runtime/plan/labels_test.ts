import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { apparmorProfile, selinuxKeyLabel, selinuxLabel } from "../../../runtime/plan/labels.ts";
import { assertPlan, testHost, testProcess } from "./fixture.ts";

const host = testHost({ apparmor: true, selinux: true });

Deno.test("apparmorProfile writes to AppArmor's own file where the kernel has one", () => {
  assertPlan(
    apparmorProfile(testProcess({ apparmorProfile: "docker-default" }), host),
    `
    apply AppArmor profile docker-default  /process/apparmorProfile
    1  openat($proc, "thread-self/attr/apparmor/exec", O_WRONLY|O_CLOEXEC) -> $file
       on ENOENT:
    2  openat($proc, "thread-self/attr/exec", O_WRONLY|O_CLOEXEC) -> $file
    3  write($file, "exec docker-default", 19)
    4  close($file)
    `,
  );
});

Deno.test("selinuxLabel and selinuxKeyLabel write the context", () => {
  const process = testProcess({ selinuxLabel: "u:r:t:s0" });
  assertPlan(
    [...selinuxLabel(process, host), ...selinuxKeyLabel(process, host)],
    `
    apply SELinux label u:r:t:s0  /process/selinuxLabel
    1  openat($proc, "thread-self/attr/exec", O_WRONLY|O_CLOEXEC) -> $file
    2  write($file, "u:r:t:s0", 8)
    3  close($file)
    label new keyrings u:r:t:s0  /process/selinuxLabel
    4  openat($proc, "thread-self/attr/keycreate", O_WRONLY|O_CLOEXEC) -> $file
    5  write($file, "u:r:t:s0", 8)
    6  close($file)
    `,
  );
});

Deno.test("a label that the host cannot enforce is an error", () => {
  const process = testProcess({ apparmorProfile: "p", selinuxLabel: "l" });
  const builders = [apparmorProfile, selinuxLabel, selinuxKeyLabel];
  for (const builder of builders) {
    assertThrows(() => builder(process, testHost()), ConfigError, "but the host has no");
    assertEquals(builder(testProcess(), testHost()), []);
  }
});
