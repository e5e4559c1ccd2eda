/** The kernel itself against the interpreter: every number with many arguments, in a child where nothing is executed. */

import { assertEquals } from "@std/assert";
import {
  type Call,
  callWords,
  decodeProgram,
  encodeProgram,
  type Instruction,
  interpret,
  OPCODES,
  type Policy,
} from "../../bpf-compiler/mod.ts";
import { callsOf } from "../../bpf-compiler/syscalls.ts";
import { interestingCalls, Random, randomCase } from "../../tests/bpf-compiler/random.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { build, run, tested } from "./native.ts";

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const FIRST_ERRNO = 1000;
/** uretprobe and uprobe: the kernel lets them pass by every filter (__secure_computing). */
const UNFILTERED: readonly number[] = [335, 336];

const binary = Deno.build.arch === "x86_64" ? build("kernel") : undefined;

const test = (name: string, fn: () => Promise<void>) => tested(name, binary, fn);

/** Whether a program of 64 bits may make the calls of i386: CONFIG_IA32_EMULATION. */
const hasI386 = binary !== undefined && await makesCallsOfI386();
if (binary !== undefined && !hasI386) console.log("calls of i386 are skipped: the kernel does not take them");

async function makesCallsOfI386(): Promise<boolean> {
  try {
    const denied = { code: OPCODES.result, jt: 0, jf: 0, k: 0x50000 };
    await checkOnKernel([denied], [{ number: 20, auditArch: I386, args: [] }]);
    return true;
  } catch {
    return false;
  }
}

/** With each RET a different errno, so that its place is seen and nothing is executed. */
function withErrnos(program: readonly Instruction[]): Instruction[] {
  let errno = FIRST_ERRNO;
  return program.map((instruction) =>
    instruction.code === OPCODES.result ? { ...instruction, k: 0x50000 + errno++ } : instruction
  );
}

async function checkOnKernel(program: readonly Instruction[], calls: readonly Call[]): Promise<void> {
  const rewritten = withErrnos(program);
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(file, encodeProgram(rewritten));
    const lines = calls.map(({ number, auditArch, args }) =>
      [
        auditArch === I386 ? 32 : 64,
        number,
        ...Array.from({ length: 6 }, (_, at) => BigInt.asIntN(64, args[at] ?? 0n)),
      ].join(" ")
    );
    const { code, stdout, stderr } = await run(binary!, [file], lines.join("\n"));
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const seen = new TextDecoder().decode(stdout).trim().split("\n").map(Number);
    const expected = calls.map((call) => interpret(rewritten, callWords(call)).verdict & 0xffff);
    assertEquals(seen, expected);
  } finally {
    Deno.removeSync(file);
  }
}

function profile(name: string): Policy {
  const file = new URL(`../../tests/bpf-compiler/profiles/${name}.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(file));
}

/** What can be called here. Of the registers of i386 the low halves count. */
function possible(calls: Iterable<Call>): Call[] {
  return [...calls].flatMap((call) => {
    if (call.auditArch === X86_64) return UNFILTERED.includes(call.number) ? [] : [call];
    if (call.auditArch !== I386 || !hasI386) return [];
    return [{ ...call, args: call.args.map((arg) => BigInt.asUintN(32, arg)) }];
  });
}

const ARGUMENTS = [0n, 1n, 8n, 38n, 40n, 0xffffffffn, 1n << 32n, 0x7e020000n, 0x8000000000000000n];

for (const name of ["moby-default", "docker20.10.24-default", "podman431-default"]) {
  test(`the kernel runs ${name} as the interpreter does`, async () => {
    const policy = profile(name);
    const native = "SCMP_ARCH_X86_64";
    const numbers = [
      ...Array.from({ length: 1100 }, (_, number) => [number, number + 0x40000000]).flat(),
      ...callsOf("x32").numbers.map((number) => number + 0x40000000),
      0x3fffffff,
      0x7fffffff,
      0x80000000,
      0xbfffffff,
      0xc0000000,
      0xfffffffe,
    ];
    const every = numbers.flatMap((number) =>
      [X86_64, I386].flatMap((auditArch) => ARGUMENTS.map((arg) => ({ number, auditArch, args: [arg] })))
    );
    const around = interestingCalls({ policy, native }, new Random(1), 10_000);
    const program = decodeProgram(compileSeccomp(policy, { native }).program);
    await checkOnKernel(program, possible([...every, ...around]));
  });
}

/** SECCOMP_KERNEL_POLICIES=2000 for many more. */
const POLICIES = Number(Deno.env.get("SECCOMP_KERNEL_POLICIES") ?? 60);

test(`the kernel runs programs of ${POLICIES} random policies as the interpreter does`, async () => {
  for (let seed = 0; seed < POLICIES; seed++) {
    const random = new Random(seed);
    const families = [["SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_X86"]];
    const found = randomCase(random, { families });
    const { program } = compileSeccomp(found.policy, { native: found.native });
    await checkOnKernel(decodeProgram(program), possible(interestingCalls(found, random, 2000)));
  }
});

test("4096 instructions are installed", async () => {
  const most: Instruction[] = Array.from(
    { length: 4095 },
    () => ({ code: OPCODES.load, jt: 0, jf: 0, k: 0 }),
  );
  most.push({ code: OPCODES.result, jt: 0, jf: 0, k: 0 });
  await checkOnKernel(most, [{ number: 39, auditArch: X86_64, args: [] }]);
});
