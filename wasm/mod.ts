/**
 * The compiler of seccomp policies, ready to use: `bpf-compiler` with its WebAssembly module.
 *
 * The module is text in this folder and is instantiated with the first call, synchronously, in about a millisecond; a
 * program that never compiles a policy pays nothing. Works in Deno, Node and browsers.
 *
 * @example
 * ```ts
 * const { program } = compileSeccomp({
 *   defaultAction: "SCMP_ACT_ALLOW",
 *   syscalls: [{ names: ["mount"], action: "SCMP_ACT_ERRNO" }],
 * }, { native: "x86_64" });
 * ```
 *
 * @module
 */

import {
  comparePrograms,
  type Comparison,
  compile,
  type Compiled,
  type CompileOptions,
  type CompilerModule,
} from "../bpf-compiler/mod.ts";
import { MODULE } from "./compiler.ts";

let instance: CompilerModule | undefined;

function compilerModule(): CompilerModule {
  return instance ??= new WebAssembly.Instance(new WebAssembly.Module(decode(MODULE)))
    .exports as unknown as CompilerModule;
}

/** Uint8Array.fromBase64 is free, but Node has it only since 25. */
function decode(base64: string): Uint8Array<ArrayBuffer> {
  const builtin: ((text: string) => Uint8Array<ArrayBuffer>) | undefined = Uint8Array.fromBase64;
  return builtin === undefined ? decodeBase64(base64) : builtin.call(Uint8Array, base64);
}

function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const digits = base64.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor(digits.length * 3 / 4));
  let [bits, at] = [0, 0];
  for (let i = 0; i < digits.length; i++) {
    bits = (bits << 6 | ALPHABET.indexOf(digits[i]!)) & 0xffff;
    // Of every four digits, the first completes no byte.
    if (i % 4 !== 0) bytes[at++] = bits >> (6 - 2 * (i % 4)) & 0xff;
  }
  return bytes;
}

/**
 * Compiles `linux.seccomp` of config.json to classic BPF, and proves that the program does what the policy says.
 *
 * @throws PolicyError with the pointer of the member that is wrong
 */
export function compileSeccomp(policy: unknown, options?: CompileOptions): Compiled {
  return compile(compilerModule(), policy, options);
}

/** Whether two programs (arrays of struct sock_filter, little-endian) return the same for every call there is. */
export function compareFilters(first: Uint8Array, second: Uint8Array): Comparison {
  return comparePrograms(compilerModule(), first, second);
}
