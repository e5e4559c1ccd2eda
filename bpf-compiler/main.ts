/**
 * The command line of the seccomp compiler, by itself: `deno run -R bpf-compiler/main.ts help`.
 *
 * @module
 */

import { compareFilters, compileSeccomp } from "../wasm/mod.ts";
import { errorText, type Result, runCommand } from "./cli/commands.ts";

function readStdin(): Uint8Array {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  for (let count = Deno.stdin.readSync(buffer); count !== null; count = Deno.stdin.readSync(buffer)) {
    chunks.push(buffer.slice(0, count));
  }
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function write(stream: { writeSync(bytes: Uint8Array): number }, output: string | Uint8Array): void {
  let bytes = typeof output === "string" ? new TextEncoder().encode(output) : output;
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

function main(): Result {
  try {
    return runCommand(Deno.args, {
      native: Deno.build.arch,
      read: (path) => path === "-" ? readStdin() : Deno.readFileSync(path),
      compile: compileSeccomp,
      compare: compareFilters,
    });
  } catch (error) {
    const known = errorText(error) ?? (error instanceof Deno.errors.NotFound ? error.message : undefined);
    if (known === undefined) throw error;
    return { code: 2, stdout: "", stderr: `bpf-compiler: ${known}\n` };
  }
}

const { code, stdout, stderr = "" } = main();
write(Deno.stdout, stdout);
write(Deno.stderr, stderr);
Deno.exitCode = code;
