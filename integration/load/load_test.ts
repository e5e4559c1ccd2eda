import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

containerTest("containers in a row, alive at once and in flight: none fails, nothing is left", async () => {
  const program = new URL("run.ts", import.meta.url).pathname;
  const few = ["--row", "100", "--alive", "20", "--flight", "20"];
  const { status, stdout } = await run([
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--v8-flags=--expose-gc",
    program,
    ...few,
  ]);
  assertEquals(status, 0, stdout);
});
