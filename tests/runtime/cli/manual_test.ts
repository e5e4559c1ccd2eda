import { assert, assertEquals } from "@std/assert";
import { manual } from "../../../runtime/cli/manual.ts";
import { commands } from "../../../runtime/cli/mod.ts";

/** What man(1) prints of a page. Undefined where it is not installed. */
function man(page: string): { readonly text: string; readonly warnings: string } | undefined {
  const file = Deno.makeTempFileSync({ suffix: ".1" });
  try {
    Deno.writeTextFileSync(file, page);
    const { stdout, stderr } = new Deno.Command("man", {
      args: ["--local-file", "--warnings=w", "--encoding=utf8", file],
      env: { MANWIDTH: "200", LC_ALL: "C.UTF-8" },
    }).outputSync();
    const [text, warnings] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { text: text!, warnings: warnings! };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    Deno.removeSync(file);
  }
}

const page = man(manual());
const reason = page === undefined ? " (skipped: no man)" : "";

Deno.test({
  name: `man prints the manual without a warning, with every command and option${reason}`,
  ignore: page === undefined,
  fn() {
    assertEquals(page!.warnings, "");
    const lines = page!.text.split("\n").map((line) => line.trim());
    for (const { name, options } of Object.values(commands)) {
      assert(lines.some((line) => line.startsWith(`hako ${name}`)), name);
      for (const option of Object.keys(options)) {
        assert(page!.text.includes(`--${option}`) || page!.text.includes(` -${option} `), option);
      }
    }
    // A page that man cannot read has a warning; one that says nothing has none.
    assert(man(manual().replace(".SH NAME", ".XX NAME"))!.warnings !== "");
  },
});
