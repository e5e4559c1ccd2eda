import { assertEquals } from "@std/assert";

const PROGRAM = new URL("errnos.ts", import.meta.url).pathname;

// V8 makes calls of its own in the middle of our code, once in a process, and in one of a hundred where it matters.
Deno.test("the errno of a call is that of the call, whatever V8 does next", async () => {
  const args = ["run", "--quiet", "--allow-ffi", "--no-check", PROGRAM];
  for (let round = 0; round < 150; round++) {
    const both = [1, 2].map(() => new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output());
    for (const { code, stdout } of await Promise.all(both)) {
      assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
    }
  }
});
