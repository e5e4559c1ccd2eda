/**
 * `deno task npm [DIR]` makes two npm packages in `dist/npm`, or in DIR.
 *
 * - `hako`: the program, for which Deno comes as a dependency, and the library for programs of Deno, with its types
 * - `bpf-compiler`: the seccomp compiler, one module without dependencies for Node, Deno and the browser, with its types;
 *   and its command line, `hako-bpf`, for Node
 *
 * @module
 */
import { parseArgs } from "node:util";
import { FLAGS, writeModules } from "./build.ts";
import { FORGOTTEN } from "./environment.ts";
import { refuseForeignAbove, VARIABLES } from "./place.ts";
import { manual } from "./runtime/cli/manual.ts";
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
  writeModules(hako, { script: "hako", firstLines: firstLines() });
  bundle(hako, "runtime/mod.ts");
  writeTypes(`${hako}/types`);
  Deno.writeTextFileSync(`${hako}/hako.1`, manual());
  // Where npm runs no install scripts, Deno would make the folder in its first run, as writable as the caller's umask allows.
  Deno.mkdirSync(`${hako}/cache`, { recursive: true });
  Deno.writeTextFileSync(`${hako}/cache/CACHEDIR.TAG`, "Signature: 8a477f597d28d172789f06886806bc55\n");
  writePackage(hako, {
    name: "@hako/hako",
    description: "OCI container runtime that compiles containers",
    bin: { hako: "./hako" },
    man: ["./hako.1"],
    os: ["linux"],
    cpu: ["x64", "arm64"],
    exports: { types: "./types/runtime/mod.d.ts", default: "./mod.js" },
    files: ["hako", "hako.1", "*.js", "types", "cache/CACHEDIR.TAG"],
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
  const words = ["bundle", "--quiet", "--minify", "--outdir", directory, ...options];
  run(Deno.execPath(), [...words, `${import.meta.dirname}/${module}`]);
}

function run(program: string, args: readonly string[], options: { readonly cwd?: string } = {}): void {
  const { success, stderr } = new Deno.Command(program, { args: [...args], ...options }).outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Writes the types of all that the library exports, a file for each module. */
function writeTypes(directory: string): void {
  const archive = Deno.makeTempFileSync({ suffix: ".tgz" });
  try {
    Deno.mkdirSync(directory, { recursive: true });
    // `deno bundle --declaration` leaves out what a module takes from one that the library does not export.
    const options = [
      "--allow-dirty",
      "--no-source-maps",
      "--ignore=tests,integration,docs",
      "--output",
      archive,
    ];
    run(Deno.execPath(), ["pack", "--quiet", ...options], { cwd: import.meta.dirname! });
    run("tar", ["-xzf", archive, "-C", directory, "--strip-components=1", "--wildcards", "*.d.ts"]);
  } finally {
    Deno.removeSync(archive);
  }
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
    // Nobody's readlink who has a say in the caller's PATH, unless there is no other.
    `here=$(PATH=/usr/bin:/bin:$PATH; readlink -f "$0")`,
    `here=\${here%/*}`,
    `for deno in ${places.join(" ")} "$(command -v deno)"; do [ -x "$deno" ] && break; done`,
    refuseForeignAbove([`"$deno"`, `"$here/cache"`, `"$here/hako"`, `"$here/"*.js`]),
    `unset ${[...VARIABLES, ...FORGOTTEN].join(" ")}`,
    `DENO_DIR="$here/cache" DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 ` +
    `exec "$deno" run --quiet ${FLAGS.join(" ")} --ext=js "$here/hako" "$@"`,
  ].join("; ");
  return `#!/bin/sh\n":" //; ${line}\n`;
}

if (import.meta.main) {
  const { positionals: [directory = `${import.meta.dirname}/dist/npm`] } = parseArgs({
    allowPositionals: true,
  });
  makeNpmPackages(directory);
  console.log(`${directory}: npm install ${directory}/hako`);
}
