import { assertEquals } from "@std/assert";
import { keyring } from "../../../runtime/plan/keyring.ts";
import { assertPlan, testConfig, testHost, testProcess, USERNS } from "./fixture.ts";

const joined = (permissions: string) => `
  join session keyring _ses.c1  runtime
  1  keyctl(KEYCTL_JOIN_SESSION_KEYRING, "_ses.c1") -> $keyring  (ENOSYS, EPERM are fine)
     on success:
  2  keyctl(KEYCTL_SETPERM, $keyring, ${permissions})
`;

Deno.test("keyring makes the session keyring searchable for exec", () => {
  assertPlan(keyring(testConfig(), testProcess(), testHost()), joined("0x3f1b0000"));
  assertPlan(keyring(USERNS, testProcess(), testHost()), joined("0x3f1b0008"));
});

Deno.test("keyring keeps the caller's with --no-new-keyring", () => {
  assertEquals(keyring(testConfig(), testProcess(), testHost({ noNewKeyring: true })), []);
});
