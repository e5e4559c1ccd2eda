import {
  SECCOMP_FILTER_FLAG_LOG as LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW as SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_TSYNC as TSYNC,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV as WAIT_KILLABLE_RECV,
} from "../../../runtime/linux/generated/constants.ts";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import { type Filter, seccomp } from "../../../runtime/plan/seccomp.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatPlan } from "../../../runtime/plan/format.ts";
import { assertPlan, testConfig, testHost, testProcess } from "./fixture.ts";

function filter(members: Partial<Filter> = {}): Filter {
  return { program: new Uint8Array(16), flags: 0, notifies: false, ...members };
}

Deno.test("a filter is loaded by one call", () => {
  assertPlan(seccomp(undefined), "");
  assertPlan(
    seccomp(filter({ flags: LOG | SPEC_ALLOW })),
    `load the seccomp filter                                                         /linux/seccomp
     1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_SPEC_ALLOW, {len=2, filter=<16 bytes>})`,
  );
});

Deno.test("the listener of a filter is given away before the next call", () => {
  assertPlan(
    seccomp(filter({ notifies: true })),
    `load the seccomp filter                                                         /linux/seccomp
     1  seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, {len=2, filter=<16 bytes>}) -> $listener
     2  -- barrier listener: the runtime gives the filter's listener to who answers it --`,
  );
});

Deno.test("flags that the kernel refuses with or without a listener are adapted", () => {
  const text = (flags: number, notifies: boolean) => formatPlan(seccomp(filter({ flags, notifies })));
  assertStringIncludes(text(WAIT_KILLABLE_RECV, false), "FILTER, 0,");
  assertStringIncludes(text(WAIT_KILLABLE_RECV, true), "FLAG_WAIT_KILLABLE_RECV");
  assertStringIncludes(text(TSYNC, false), "FILTER, SECCOMP_FILTER_FLAG_TSYNC,");
  assertStringIncludes(text(TSYNC, true), "SECCOMP_FILTER_FLAG_TSYNC_ESRCH");
});

for (const noNewPrivileges of [false, true]) {
  for (const uid of [0, 1000]) {
    Deno.test(`with a listener a plan keeps the rules: user ${uid}, noNewPrivileges ${noNewPrivileges}`, () => {
      const capabilities = { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"] };
      const process = testProcess({ user: { uid, gid: 0 }, noNewPrivileges, capabilities });
      const config = {
        ...testConfig({ namespaces: [{ type: "mount" }, { type: "pid" }] }),
        process,
      };
      assertEquals(checkPlan(planCreate(config, testHost(), filter({ notifies: true }))), []);
    });
  }
}
