/**
 * `deno task npm [DIR]` makes two npm packages in `dist/npm`, or in DIR.
 *
 * - `hako`: the program; Deno comes as its dependency
 * - `bpf-compiler`: the seccomp compiler, one module without dependencies for Node, Deno and the browser, with its types;
 *   and its command line, `hako-bpf`, for Node
 *
 * @module
 */
import { FLAGS, writeModules } from "./build.ts";
import { FORGOTTEN } from "./environment.ts";
import { VERSION } from "./runtime/cli/version.ts";

/** Deno's executable, by the CPU: no package with install scripts, which npm may not run. */
const DENO_PACKAGES: readonly string[] = ["@deno/linux-x64-glibc", "@deno/linux-arm64-glibc"];

/** Makes both in the folder `directory`. */
export function makeNpmPackages(directory: string): void {
  const [hako, compiler] = [`${directory}/hako`, `${directory}/bpf-compiler`];
  for (const [folder, readme] of [[hako, "README.md"], [compiler, "docs/bpf.md"]] as const) {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.copyFileSync(`${import.meta.dirname}/LICENSE`, `${folder}/LICENSE`);
    Deno.copyFileSync(`${import.meta.dirname}/${readme}`, `${folder}/README.md`);
  }
  writeModules(hako, firstLines());
  writePackage(hako, {
    name: "@hako/hako",
    description: "OCI container runtime that compiles containers",
    bin: { hako: "./hako" },
    os: ["linux"],
    cpu: ["x64", "arm64"],
    files: ["hako", "*.js"],
    optionalDependencies: Object.fromEntries(DENO_PACKAGES.map((name) => [name, Deno.version.deno])),
    // Fills V8's code cache.
    scripts: { postinstall: "./hako --warm-up --version" },
  });

  bundle(compiler, "wasm/package.ts", "--platform", "browser", "--declaration");
  for (const extension of ["js", "d.ts"]) {
    Deno.renameSync(`${compiler}/package.${extension}`, `${compiler}/mod.${extension}`);
  }
  bundle(compiler, "bpf-compiler/main.ts");
  const tool = Deno.readTextFileSync(`${compiler}/main.js`);
  Deno.removeSync(`${compiler}/main.js`);
  Deno.writeTextFileSync(`${compiler}/hako-bpf.js`, `#!/usr/bin/env node\n${tool}`, { mode: 0o755 });
  writePackage(compiler, {
    name: "@hako/bpf-compiler",
    description: "Compiles OCI seccomp profiles to classic BPF",
    exports: { types: "./mod.d.ts", default: "./mod.js" },
    bin: { "hako-bpf": "./hako-bpf.js" },
    files: ["mod.js", "mod.d.ts", "hako-bpf.js"],
    sideEffects: false,
  });
}

/** Writes `module` with all that it imports to `directory`. */
function bundle(directory: string, module: string, ...options: readonly string[]): void {
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--minify", "--outdir", directory],
      ...options,
      `${import.meta.dirname}/${module}`,
    ],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function writePackage(folder: string, members: Readonly<Record<string, unknown>>): void {
  const { name, ...rest } = members;
  const manifest = { name, version: VERSION, license: "Apache-2.0", type: "module", ...rest };
  Deno.writeTextFileSync(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** As those that `deno task build` writes, but for a place that only npm knows: Deno lies beside us or below. */
function firstLines(): string {
  const places = DENO_PACKAGES.flatMap((
    name,
  ) => [`"$here"/node_modules/${name}/deno`, `"$here"/../../${name}/deno`]);
  const line = [
    `unset ${FORGOTTEN.join(" ")}`,
    // Nobody's readlink who has a say in the caller's PATH, unless there is no other.
    `here=$(PATH=/usr/bin:/bin:$PATH; readlink -f "$0")`,
    `here=\${here%/*}`,
    `for deno in ${places.join(" ")} "$(command -v deno)"; do [ -x "$deno" ] && break; done`,
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
