import { assertEquals } from "@std/assert";
import { raiseHardLimits, RLIM_INFINITY, setLimits } from "../../../runtime/plan/rlimits.ts";
import type { Rlimit } from "../../../runtime/spec/config.ts";
import { assertPlan, testConfig, testHost, testProcess, USERNS } from "./fixture.ts";

const process = (...rlimits: Rlimit[]) => testProcess({ rlimits });

Deno.test("setLimits sets what is configured, and restores the limit that Deno raised", () => {
  assertPlan(
    setLimits(process({ type: "RLIMIT_NPROC", soft: 64, hard: RLIM_INFINITY }), testHost()),
    `
    set RLIMIT_NPROC to 64:unlimited  /process/rlimits/0
    1  prlimit64(0, RLIMIT_NPROC, {rlim_cur=64, rlim_max=RLIM_INFINITY}, NULL)
    restore RLIMIT_NOFILE to 1024:524288  runtime
    2  prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=524288}, NULL)
    `,
  );
});

Deno.test("setLimits leaves RLIMIT_NOFILE to the config if that sets it", () => {
  assertPlan(
    setLimits(
      process({ type: "RLIMIT_CORE", soft: 0, hard: 0 }, { type: "RLIMIT_NOFILE", soft: 8, hard: 9 }),
      testHost(),
    ),
    `
    set RLIMIT_CORE to 0:0  /process/rlimits/0
    1  prlimit64(0, RLIMIT_CORE, {rlim_cur=0, rlim_max=0}, NULL)
    set RLIMIT_NOFILE to 8:9  /process/rlimits/1
    2  prlimit64(0, RLIMIT_NOFILE, {rlim_cur=8, rlim_max=9}, NULL)
    `,
  );
});

Deno.test("raiseHardLimits raises only what is too low, and no soft limit", () => {
  const host = testHost({
    rlimits: {
      RLIMIT_NOFILE: { soft: 20000, hard: 20000 },
      RLIMIT_NPROC: { soft: 100, hard: 200 },
      RLIMIT_CORE: { soft: 0, hard: RLIM_INFINITY },
    },
  });
  const limited = process(
    { type: "RLIMIT_NPROC", soft: 10, hard: 200 },
    { type: "RLIMIT_NOFILE", soft: 10, hard: 30000 },
    { type: "RLIMIT_CORE", soft: RLIM_INFINITY, hard: RLIM_INFINITY },
  );
  assertPlan(
    raiseHardLimits(USERNS, limited, host),
    `
    raise the hard RLIMIT_NOFILE to 30000  /process/rlimits/1/hard
    1  prlimit64(0, RLIMIT_NOFILE, {rlim_cur=20000, rlim_max=30000}, NULL)
    `,
  );
});

Deno.test("raiseHardLimits leaves everything to setLimits without a user namespace", () => {
  const host = testHost({ rlimits: { RLIMIT_NPROC: { soft: 1, hard: 1 } } });
  assertEquals(raiseHardLimits(testConfig(), process({ type: "RLIMIT_NPROC", soft: 2, hard: 2 }), host), []);
});
