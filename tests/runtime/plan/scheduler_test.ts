import { assertEquals } from "@std/assert";
import { scheduler } from "../../../runtime/plan/scheduler.ts";
import { assertPlan, testProcess } from "./fixture.ts";

Deno.test("scheduler sets the policy with all its parameters", () => {
  assertPlan(
    scheduler(testProcess({
      scheduler: {
        policy: "SCHED_DEADLINE",
        flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"],
        runtime: 10_000_000,
        deadline: 2n ** 60n,
        period: 2n ** 60n,
      },
    })),
    `
    set scheduling policy SCHED_DEADLINE  /process/scheduler
    1  sched_setattr(0, {size=56, sched_policy=SCHED_DEADLINE, sched_flags=SCHED_FLAG_RESET_ON_FORK|SCHED_FLAG_RECLAIM, sched_runtime=10000000, sched_deadline=1152921504606846976, sched_period=1152921504606846976}, 0)
    `,
  );
});

Deno.test("scheduler takes what is absent as 0", () => {
  assertPlan(
    scheduler(testProcess({ scheduler: { policy: "SCHED_OTHER", nice: -5 } })),
    `
    set scheduling policy SCHED_OTHER  /process/scheduler
    1  sched_setattr(0, {size=56, sched_policy=SCHED_OTHER, sched_nice=-5}, 0)
    `,
  );
  assertEquals(scheduler(testProcess()), []);
});
