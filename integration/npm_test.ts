/** The npm packages, packed and installed in an empty prefix, without a registry. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeNpmPackages } from "../npm.ts";

function run(cwd: string, env: Record<string, string>, program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args, cwd, env, stdin: "null" })
    .outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${program} ${args.join(" ")}: ${text(stdout)}${text(stderr)}`);
  return text(stdout);
}

const SCRIPT = `
import { compileSeccomp } from "@hako/bpf-compiler";
const { program } = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW" }, { native: "x86_64" });
console.log(program.length / 8);
`;

const ignore = !new Deno.Command("sh", { args: ["-c", "command -v npm"], stdout: "null" }).outputSync()
  .success;

Deno.test({
  name: `both npm packages can be installed and used${ignore ? " (skipped: no npm)" : ""}`,
  ignore,
  fn() {
    const directory = Deno.makeTempDirSync({ prefix: "hako-npm-" });
    try {
      makeNpmPackages(`${directory}/packages`);
      const prefix = `${directory}/prefix`;
      Deno.mkdirSync(prefix);
      Deno.writeTextFileSync(`${prefix}/package.json`, '{"type":"module"}');
      // This Deno in the place of the one that the registry has.
      const bin = `${directory}/bin`;
      Deno.mkdirSync(bin);
      Deno.symlinkSync(Deno.execPath(), `${bin}/deno`);
      const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
      const manifest = `${directory}/packages/hako/package.json`;
      const { dependencies, ...rest } = JSON.parse(Deno.readTextFileSync(manifest));
      assertEquals(dependencies, { deno: Deno.version.deno });
      Deno.writeTextFileSync(manifest, JSON.stringify(rest));

      const packed = ["hako", "bpf-compiler"].map((name) =>
        run(directory, env, "npm", "pack", "--silent", `./packages/${name}`).trim()
      );
      const archives = packed.map((name) => `${directory}/${name}`);
      run(prefix, env, "npm", "install", "--offline", "--no-audit", "--no-fund", ...archives);
      assertMatch(run(prefix, env, "node_modules/.bin/hako", "--version"), /^hako version /);
      assertMatch(run(prefix, env, "node_modules/.bin/hako", "bpf", "help"), /compile/);
      Deno.writeTextFileSync(`${prefix}/main.js`, SCRIPT);
      assert(Number(run(prefix, env, "node", "main.js")) > 0);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
