/**
 * The command line of the seccomp compiler, by itself, for Deno and Node: `deno run -R bpf-compiler/main.ts help`.
 *
 * @module
 */

// The global `process`: an import of "node:process" makes Node open stdin, and not to wait for it.
// deno-lint-ignore-file no-process-global

import { readFileSync, writeFileSync } from "node:fs";
import { runTool } from "../wasm/tool.ts";

const [STDIN, STDOUT, STDERR] = [0, 1, 2];
/** As Node calls them. */
const CPUS: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64", ia32: "x86" };

try {
  const { code, stdout, stderr = "" } = runTool(process.argv.slice(2), {
    native: CPUS[process.arch] ?? process.arch,
    read: (path) => readFileSync(path === "-" ? STDIN : path),
  });
  writeFileSync(STDOUT, stdout);
  writeFileSync(STDERR, stderr.replaceAll(/^(?=.)/gm, "hako-bpf: "));
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof Error && "code" in error)) throw error;
  // A file of the caller's, or whoever has read stdout.
  writeFileSync(STDERR, `hako-bpf: ${error.message}\n`);
  process.exitCode = 2;
}
