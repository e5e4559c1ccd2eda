/**
 * Writes `compiler.ts`, the WebAssembly module of `bpf-compiler/assembly/` as text, and `fingerprint.ts`, which tells it
 * and what prepares its input from any other version of them. `--check` builds and compares.
 *
 * Needs the network once, for the AssemblyScript compiler that deno.json names. Its output depends on nothing else.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
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

/** `fingerprint.ts`, for `compiler`, the text of `compiler.ts`. */
export async function fingerprint(compiler: string): Promise<string> {
  const folder = new URL("bpf-compiler/", ROOT);
  const sources = ["", "generated/"].flatMap((name) =>
    [...Deno.readDirSync(new URL(name, folder))].filter(({ isFile }) => isFile).map((file) =>
      name + file.name
    )
  ).sort();
  const texts = sources.map((name) => Deno.readTextFileSync(new URL(name, folder)));
  const bytes = new TextEncoder().encode([compiler, ...texts].join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return `// Of bpf-compiler, by wasm/build.ts. Do not edit.

/** The same for two compilers only if they make the same program of a policy. */
export const COMPILER = "${digest.slice(0, 32)}";
`;
}

function write(name: string, text: string): void {
  const path = new URL(name, import.meta.url);
  if (!Deno.args.includes("--check")) return Deno.writeTextFileSync(path, text);
  if (Deno.readTextFileSync(path) === text) return;
  console.error(`wasm/${name} is not what bpf-compiler compiles to: run \`deno task wasm\``);
  Deno.exit(1);
}

if (import.meta.main) {
  const compiler = source(build());
  write("compiler.ts", compiler);
  write("fingerprint.ts", await fingerprint(compiler));
}
