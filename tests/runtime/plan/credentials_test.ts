import { assertEquals } from "@std/assert";
import { noNewPrivileges, privileges, stdioOwner, umask, user } from "../../../runtime/plan/credentials.ts";
import { walk } from "../../../runtime/plan/format.ts";
import { assertPlan, testConfig, testHost, testProcess } from "./fixture.ts";

Deno.test("user changes groups before the user", () => {
  assertPlan(
    user(testProcess({ user: { uid: 1000, gid: 100, additionalGids: [10, 4294967294] } })),
    `
    become user 1000  /process/user/uid
    1  prctl(PR_SET_KEEPCAPS, 1)
    set supplementary groups 10, 4294967294  /process/user/additionalGids
    2  setgroups(2, [10, 4294967294])
    become group 100  /process/user/gid
    3  setresgid(100, 100, 100)
    become user 1000  /process/user/uid
    4  setresuid(1000, 1000, 1000)
    `,
  );
});

Deno.test("root keeps its capabilities anyway, and drops the caller's groups where that is allowed", () => {
  assertPlan(
    user(testProcess()),
    `
    drop supplementary groups  /process/user/additionalGids
    1  setgroups(0, NULL)  (EPERM is fine)
    become group 0  /process/user/gid
    2  setresgid(0, 0, 0)
    become user 0  /process/user/uid
    3  setresuid(0, 0, 0)
    `,
  );
});

Deno.test("stdioOwner gives away all streams but /dev/null", () => {
  assertPlan(
    stdioOwner(testProcess({ user: { uid: 1000, gid: 0 } }), testHost({ nullStdio: [true, false, false] })),
    `
    give descriptor 1 to user 1000  /process/user/uid
    1  fchown(1, 1000, -1)  (EPERM, EROFS, EOPNOTSUPP, ENOSYS are fine)
    give descriptor 2 to user 1000  /process/user/uid
    2  fchown(2, 1000, -1)  (EPERM, EROFS, EOPNOTSUPP, ENOSYS are fine)
    `,
  );
});

Deno.test("stdioOwner gives a terminal away once, whatever the streams were before", () => {
  const process = testProcess({ terminal: true, user: { uid: 1000, gid: 0 } });
  assertPlan(
    stdioOwner(process, testHost({ nullStdio: [true, true, true] })),
    `
    give descriptor 0 to user 1000  /process/user/uid
    1  fchown(0, 1000, -1)  (EPERM, EROFS, EOPNOTSUPP, ENOSYS are fine)
    `,
  );
});

Deno.test("stdioOwner leaves root's streams alone", () => {
  assertEquals(stdioOwner(testProcess(), testHost()), []);
});

Deno.test("umask is 0022 unless the config has one", () => {
  assertPlan(umask(testProcess()), "set umask to 0022  /process/user/umask\n1  umask(022)");
  assertPlan(
    umask(testProcess({ user: { uid: 0, gid: 0, umask: 0 } })),
    "set umask to 0000  /process/user/umask\n1  umask(0)",
  );
});

Deno.test("noNewPrivileges is set only if asked for", () => {
  assertPlan(
    noNewPrivileges(testProcess({ noNewPrivileges: true })),
    "forbid new privileges  /process/noNewPrivileges\n1  prctl(PR_SET_NO_NEW_PRIVS, 1)",
  );
  assertEquals(noNewPrivileges(testProcess({ noNewPrivileges: false })), []);
});

Deno.test("privileges are given up in an order in which each step still has the right to do so", () => {
  const process = testProcess({ user: { uid: 1, gid: 1 }, noNewPrivileges: true });
  const plan = privileges(testConfig(), process, testHost({ lastCapability: 0 }));
  const calls = [...walk(plan)].map(({ node }) => {
    const step = node.kind === "attempt" ? node.step : node;
    return step.kind === "step" ? step.call : step.kind;
  });
  assertEquals(calls, [
    ...["fchown", "fchown", "fchown"],
    "prctl", // the bounding set
    "prctl", // PR_SET_KEEPCAPS
    "setgroups",
    "setresgid",
    "setresuid",
    "capset",
    "prctl", // ambient
    "prctl", // no_new_privs
  ]);
});
