/**
 * The command line of the seccomp compiler, by itself: `deno run -R bpf-compiler/main.ts help`.
 *
 * @module
 */

import { runTool } from "../wasm/tool.ts";

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

try {
  const { code, stdout, stderr = "" } = runTool(Deno.args, {
    native: Deno.build.arch,
    read: (path) => path === "-" ? readStdin() : Deno.readFileSync(path),
  });
  write(Deno.stdout, stdout);
  write(Deno.stderr, stderr.replaceAll(/^(?=.)/gm, "bpf-compiler: "));
  Deno.exitCode = code;
} catch (error) {
  if (!(error instanceof Error && "code" in error)) throw error;
  // A file of the caller's, or whoever has read stdout.
  write(Deno.stderr, `bpf-compiler: ${error.message}\n`);
  Deno.exitCode = 2;
}
