import { assertEquals } from "@std/assert";
import { nullStreams } from "../../../runtime/plan/streams.ts";
import { testHost, testProcess } from "./fixture.ts";

const NULLS = testHost({ nullStdio: [true, false, true] });

Deno.test("nullStreams turns those that are the host's /dev/null to the container's", () => {
  const [open] = nullStreams(testProcess(), NULLS);
  assertEquals(open?.kind === "attempt" && open.step.args[1], "/dev/null");
  assertEquals(
    open?.kind === "attempt" && open.then.map((node) => node.kind === "step" && node.args[1]),
    [0, 2],
  );
});

Deno.test("nullStreams has nothing to do without one, and with a terminal", () => {
  assertEquals(nullStreams(testProcess(), testHost()), []);
  assertEquals(nullStreams(testProcess({ terminal: true }), NULLS), []);
});
