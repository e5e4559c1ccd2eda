import { assertEquals } from "@std/assert";
import { ioPriority } from "../../../runtime/plan/io_priority.ts";
import { assertPlan, testProcess } from "./fixture.ts";

Deno.test("ioPriority puts class and priority in one number", () => {
  const [node] = ioPriority(testProcess({ ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 7 } }));
  assertEquals(node?.kind === "step" && node.args, [1, 0, 3 << 13 | 7]);
  assertPlan(
    [node!],
    `
    set I/O priority IOPRIO_CLASS_IDLE 7  /process/ioPriority
    1  ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7))
    `,
  );
  assertEquals(ioPriority(testProcess()), []);
});
