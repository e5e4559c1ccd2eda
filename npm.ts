/**
 * `deno task npm [DIR]` makes two npm packages in `dist/npm`, or in DIR.
 *
 * - `hako`: the program; Deno comes as its dependency
 * - `bpf-compiler`: the seccomp compiler, one module without dependencies for Node, Deno and the browser
 *
 * @module
 */
import { FLAGS, writeModules } from "./build.ts";
import { VERSION } from "./runtime/cli/version.ts";

/** Makes both in the folder `directory`. */
export function makeNpmPackages(directory: string): void {
  const [hako, compiler] = [`${directory}/hako`, `${directory}/bpf-compiler`];
  for (const folder of [hako, compiler]) {
    Deno.mkdirSync(folder, { recursive: true });
    for (const file of ["LICENSE", "README.md"]) {
      Deno.copyFileSync(`${import.meta.dirname}/${file}`, `${folder}/${file}`);
    }
  }
  writeModules(hako, firstLines());
  writePackage(hako, {
    name: "@hako/hako",
    description: "OCI container runtime that compiles containers",
    bin: { hako: "./hako" },
    os: ["linux"],
    cpu: ["x64", "arm64"],
    files: ["hako", "*.js"],
    dependencies: { deno: Deno.version.deno },
    // Fills V8's code cache.
    scripts: { postinstall: "./hako --warm-up --version" },
  });
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--minify", "--platform", "browser"],
      ...["-o", `${compiler}/mod.js`, `${import.meta.dirname}/wasm/mod.ts`],
    ],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  writePackage(compiler, {
    name: "@hako/bpf-compiler",
    description: "Compiles OCI seccomp profiles to classic BPF",
    exports: "./mod.js",
    files: ["mod.js"],
  });
}

function writePackage(folder: string, members: Readonly<Record<string, unknown>>): void {
  const { name, ...rest } = members;
  const manifest = { name, version: VERSION, license: "Apache-2.0", type: "module", ...rest };
  Deno.writeTextFileSync(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** As those that `deno task build` writes, but for a place that only npm knows: Deno lies beside us or below. */
function firstLines(): string {
  const line = [
    `here=$(dirname "$(readlink -f "$0")")`,
    `for deno in "$here"/node_modules/deno/deno "$here"/../../deno/deno "$(command -v deno)"; do [ -x "$deno" ] && break; done`,
    `DENO_DIR="$here/cache" DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 ` +
    `exec "$deno" run --quiet ${FLAGS.join(" ")} --ext=js "$here/hako" "$@"`,
  ].join("; ");
  return `#!/bin/sh\n":" //; ${line}\n`;
}

if (import.meta.main) {
  const directory = Deno.args[0] ?? `${import.meta.dirname}/dist/npm`;
  makeNpmPackages(directory);
  console.log(`${directory}: npm install ${directory}/hako`);
}
