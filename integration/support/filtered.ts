/**
 * `deno run -A filtered.ts POLICY COMMAND...` becomes COMMAND behind the seccomp filter of the policy POLICY, as JSON.
 *
 * @module
 */
import { compileSeccomp } from "../../wasm/mod.ts";

const [policy = "", ...command] = Deno.args;
const { program } = compileSeccomp(JSON.parse(policy), { native: Deno.build.arch });

const { symbols } = Deno.dlopen(`libc.so.6`, {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  syscall: { parameters: ["i64", "u64", "u64", "buffer"], result: "i64" },
  execvp: { parameters: ["buffer", "buffer"], result: "i32" },
});
const address = (bytes: Uint8Array<ArrayBuffer>) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
const text = (word: string) => new TextEncoder().encode(`${word}\0`);

// struct sock_fprog: seccomp(2).
const fprog = new BigUint64Array([BigInt(program.length / 8), address(new Uint8Array(program))]);
const [SYS_seccomp, SET_MODE_FILTER, TSYNC] = [Deno.build.arch === "x86_64" ? 317n : 277n, 1n, 1n];
const set = symbols.syscall(SYS_seccomp, SET_MODE_FILTER, TSYNC, new Uint8Array(fprog.buffer));
if (set !== 0n) throw new Error(`seccomp(2) gave ${set}`);
const words = command.map(text);
symbols.execvp(words[0]!, new Uint8Array(new BigUint64Array([...words.map(address), 0n]).buffer));
throw new Error(`cannot execute ${command[0]}`);
