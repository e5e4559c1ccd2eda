/**
 * Writes `compiler.ts`, the WebAssembly module of `bpf-compiler/assembly/` as text. `--check` builds and compares.
 *
 * Needs the network once, for the AssemblyScript compiler that deno.json names. Its output depends on nothing else.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const OUTPUT = new URL("compiler.ts", import.meta.url);
/** Without `abort`, a failed assertion of the module is a trap: it imports nothing. */
const OPTIONS = ["-O3", "--converge", "--runtime", "stub", "--use", "abort="];

function build(): Uint8Array {
  const file = Deno.makeTempFileSync({ suffix: ".wasm" });
  try {
    const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-lock",
        `${config.imports.assemblyscript}/asc`,
        "bpf-compiler/assembly/index.ts",
        ...OPTIONS,
        "--outFile",
        file,
      ],
      cwd: ROOT,
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    return Deno.readFileSync(file);
  } finally {
    Deno.removeSync(file);
  }
}

function source(module: Uint8Array): string {
  return `// Built from bpf-compiler/assembly by wasm/build.ts. Do not edit.
// deno-fmt-ignore-file

export const MODULE = "${module.toBase64()}";
`;
}

const text = source(build());
if (!Deno.args.includes("--check")) Deno.writeTextFileSync(OUTPUT, text);
else if (Deno.readTextFileSync(OUTPUT) !== text) {
  console.error("wasm/compiler.ts is not what bpf-compiler/assembly compiles to: run `deno task wasm`");
  Deno.exit(1);
}
