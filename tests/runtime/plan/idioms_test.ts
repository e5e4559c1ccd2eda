import { assertEquals } from "@std/assert";
import { byteLength, memberPointer, writeProc } from "../../../runtime/plan/idioms.ts";
import { assertPlan } from "./fixture.ts";

Deno.test("writeProc writes all of a text at once", () => {
  assertPlan(
    writeProc({ label: "say é", pointer: "runtime" }, "self/x", "é"),
    `
    say é  runtime
    1  openat($proc, "self/x", O_WRONLY|O_CLOEXEC) -> $file
    2  write($file, "é", 2)
    3  close($file)
    `,
  );
});

Deno.test("memberPointer escapes as RFC 6901", () => {
  assertEquals(memberPointer("/linux/sysctl", "a/b~c"), "/linux/sysctl/a~1b~0c");
});

Deno.test("byteLength counts bytes", () => {
  assertEquals(byteLength(""), 0);
  assertEquals(byteLength("aé€"), 6);
});
