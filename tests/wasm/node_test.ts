/** The compiler as a library of Node. */

import { assertEquals } from "@std/assert";

const SCRIPT = `
import { compileSeccomp } from "./wasm/mod.js";
const { program, stats } = compileSeccomp({
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, op: "SCMP_CMP_EQ", value: 1n << 40n }] }],
}, { native: "x86_64" });
console.log(JSON.stringify({ instructions: program.length / 8, proven: stats.proven }));
`;

function hasNode(): boolean {
  try {
    return new Deno.Command("node", { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const ignore = !hasNode();

Deno.test(
  { name: `Node imports and uses the compiler${ignore ? " (skipped: no node)" : ""}`, ignore },
  async () => {
    const root = new URL("../../", import.meta.url).pathname;
    const folder = Deno.makeTempDirSync();
    try {
      Deno.mkdirSync(`${folder}/wasm`);
      const { success } = new Deno.Command(Deno.execPath(), {
        args: [
          "bundle",
          "--quiet",
          "--platform",
          "browser",
          "-o",
          `${folder}/wasm/mod.js`,
          `${root}wasm/mod.ts`,
        ],
        stderr: "null",
      }).outputSync();
      assertEquals(success, true);
      Deno.writeTextFileSync(`${folder}/package.json`, '{"type":"module"}');
      Deno.writeTextFileSync(`${folder}/main.js`, SCRIPT);
      const { stdout, stderr } = await new Deno.Command("node", { args: ["main.js"], cwd: folder }).output();
      const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertEquals(errors, "");
      assertEquals(JSON.parse(output!), { instructions: 13, proven: true });
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);
