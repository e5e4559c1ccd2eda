import { assertEquals } from "@std/assert";
import { oomScoreAdj } from "../../../runtime/plan/oom_score_adj.ts";
import { assertPlan, testProcess } from "./fixture.ts";

Deno.test("oomScoreAdj writes 0, too, and nothing if it is absent", () => {
  assertPlan(
    oomScoreAdj(testProcess({ oomScoreAdj: 0 })),
    `
    set oom_score_adj to 0  /process/oomScoreAdj
    1  openat($proc, "self/oom_score_adj", O_WRONLY|O_CLOEXEC) -> $file
    2  write($file, "0", 1)
    3  close($file)
    `,
  );
  assertEquals(oomScoreAdj(testProcess()), []);
});
