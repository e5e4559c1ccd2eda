/** Hooks that are programs of the image's: what they write is theirs, and not to fill our memory. @module */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";

const HOOK = { path: "/bin/sh", timeout: 20 };

containerTest("the output of a startContainer hook has no end", async (box) => {
  for (
    const program of [
      "truncate -s 1000000000M /proc/self/fd/1",
      "yes | head -c 64m; truncate -s 100000M /proc/self/fd/1",
    ]
  ) {
    const { status, stdout, stderr } = await box.run({
      config: { hooks: { startContainer: [{ ...HOOK, args: ["sh", "-c", program] }] } },
      script: "echo runs",
      under: ["sh", "-c", 'ulimit -t 30; exec "$@"', "sh"],
    });
    assertEquals({ status, stdout, stderr: stderr.slice(0, 1000) }, {
      status: 0,
      stdout: "runs\n",
      stderr: "",
    });
  }
});
