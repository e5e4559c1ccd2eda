import { assert, assertStringIncludes } from "@std/assert";
import { containerTest } from "../support/fixture.ts";

containerTest("the benchmark measures each case, in short", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("run.ts", import.meta.url).pathname, "--quick"],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, new TextDecoder().decode(stderr));
  for (const name of ["run, as `spec`", "create, start, delete", "compiled", "20 runs at once", "exec"]) {
    assertStringIncludes(text, name);
  }
}, { needs: ["hyperfine", "gcc"] });
