/** Each of runc's rules and of the strict reading, one by one. The names say what holds. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Arg,
  callWords,
  type CompileOptions,
  decodeProgram,
  type Entry,
  interpret,
  type Policy,
  PolicyError,
  verdictText,
} from "../../bpf-compiler/mod.ts";
import { compileSeccomp } from "../../wasm/mod.ts";

const X86_64 = 0xc000003e;
const I386 = 0x40000003;

interface CallOptions extends CompileOptions {
  readonly number?: number;
  readonly auditArch?: number;
}

function verdict(policy: Policy, args: readonly bigint[], options: CallOptions = {}): string {
  const { number = 41, auditArch = X86_64, ...rest } = options;
  const { program } = compileSeccomp(policy, { native: "x86_64", ...rest });
  return verdictText(interpret(decodeProgram(program), callWords({ number, auditArch, args })).verdict);
}

const errno = (errnoRet: number, ...args: Arg[]): Entry => ({
  names: ["socket"],
  action: "SCMP_ACT_ERRNO",
  errnoRet,
  args,
});
const allow = (...args: Arg[]): Entry => ({ names: ["socket"], action: "SCMP_ACT_ALLOW", args });
const is = (index: number, value: number | bigint): Arg => ({ index, value, op: "SCMP_CMP_EQ" });
const allowing = (...syscalls: Entry[]): Policy => ({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
const denying = (...syscalls: Entry[]): Policy => ({ defaultAction: "SCMP_ACT_ERRNO", syscalls });
const strict = { semantics: "strict" } as const;

Deno.test("the first of two unconditional entries counts", () => {
  assertEquals(verdict(allowing(errno(5), errno(6)), []), "ERRNO(5)");
});

Deno.test("an unconditional entry beats a conditional one before it; strictly, the first that matches counts", () => {
  const policy = allowing(errno(5, is(0, 1)), errno(6));
  assertEquals(verdict(policy, [1n]), "ERRNO(6)");
  assertEquals(verdict(policy, [1n], strict), "ERRNO(5)");
  assertEquals(verdict(policy, [2n], strict), "ERRNO(6)");
});

Deno.test("an entry with the default's verdict is skipped; strictly, it shadows those behind it", () => {
  const policy = denying(errno(1), allow());
  assertEquals(verdict(policy, []), "ALLOW");
  assertEquals(verdict(policy, [], strict), "ERRNO(1)");
});

Deno.test("one argument compared twice: any comparison of the entry is enough; strictly, all are needed", () => {
  const range = allow({ index: 0, value: 5, op: "SCMP_CMP_GE" }, { index: 0, value: 9, op: "SCMP_CMP_LE" });
  assertEquals(verdict(denying(range), [3n]), "ALLOW");
  assertEquals(verdict(denying(range), [3n], strict), "ERRNO(1)");
  assertEquals(verdict(denying(range), [7n], strict), "ALLOW");
  const { diagnostics } = compileSeccomp(denying(range), { native: "x86_64" });
  assertEquals(diagnostics.map(({ code, pointer }) => ({ code, pointer })), [
    { code: "or-split", pointer: "/syscalls/0/args" },
  ]);
});

Deno.test("a mask of 0 makes a rule unconditional", () => {
  const tautology = errno(6, { index: 0, value: 0, valueTwo: 7, op: "SCMP_CMP_MASKED_EQ" });
  assertEquals(verdict(allowing(errno(5, is(0, 1)), tautology), [1n]), "ERRNO(6)");
});

Deno.test("value is the mask of MASKED_EQ, valueTwo what must be left", () => {
  const masked = errno(5, { index: 1, value: 0xf0, valueTwo: 0x123, op: "SCMP_CMP_MASKED_EQ" });
  assertEquals(verdict(allowing(masked), [0n, 0xf2fn]), "ERRNO(5)");
  assertEquals(verdict(allowing(masked), [0n, 0x123n]), "ERRNO(5)");
  assertEquals(verdict(allowing(masked), [0n, 0x133n]), "ALLOW");
});

Deno.test("comparisons are of 64 bits, and of the low 32 on ABIs of 32 bits", () => {
  const policy: Policy = { ...allowing(errno(5, is(0, 0x100000001n))), architectures: ["SCMP_ARCH_X86"] };
  assertEquals(verdict(policy, [1n]), "ALLOW");
  assertEquals(verdict(policy, [0x100000001n]), "ERRNO(5)");
  assertEquals(verdict(policy, [1n], { auditArch: I386, number: 359 }), "ERRNO(5)");
});

Deno.test("64-bit inequalities that share words do not disturb each other", () => {
  // Another compiler tests what is left of an earlier comparison here.
  const policy = allowing(
    errno(77, { index: 0, value: 1, op: "SCMP_CMP_LE" }),
    errno(77, { index: 0, value: 0x100000005, op: "SCMP_CMP_GT" }),
  );
  for (const value of [2n, 3n, 0xffffffffn, 0x100000005n]) assertEquals(verdict(policy, [value]), "ALLOW");
  for (const value of [0n, 1n, 0x100000006n, 1n << 63n]) assertEquals(verdict(policy, [value]), "ERRNO(77)");
});

Deno.test("socketcall: the call takes the place of the first argument's condition; strictly, conditions deny", () => {
  const policy: Policy = {
    ...denying(allow({ index: 0, value: 38, op: "SCMP_CMP_NE" })),
    architectures: ["SCMP_ARCH_X86"],
    syscalls: [{
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 38, op: "SCMP_CMP_NE" }],
    }, {
      names: ["sendmmsg"],
      action: "SCMP_ACT_ALLOW",
    }],
  };
  const socketcall = { auditArch: I386, number: 102 };
  assertEquals(verdict(policy, [1n], socketcall), "ALLOW");
  assertEquals(verdict(policy, [2n], socketcall), "ERRNO(1)");
  assertEquals(verdict(policy, [1n], { ...socketcall, ...strict }), "ERRNO(1)");
  assertEquals(verdict(policy, [20n], { ...socketcall, ...strict }), "ALLOW");
});

Deno.test("x32 is killed if it is not listed, but not -1, by which a tracer skips a call", () => {
  const policy = allowing(errno(5));
  assertEquals(verdict(policy, [], { number: 0x40000000 }), "KILL_THREAD");
  assertEquals(verdict(policy, [], { number: 0xfffffffe }), "KILL_THREAD");
  assertEquals(verdict(policy, [], { number: 0xffffffff }), "ALLOW");
});

Deno.test("a number above all that the policy names is ENOSYS, unless the default allows or that is not wanted", () => {
  const newer = { number: 42 };
  assertEquals(verdict(denying(allow()), [], newer), "ERRNO(38)");
  assertEquals(verdict(denying(allow()), [], { ...newer, newer: "default" }), "ERRNO(1)");
  assertEquals(verdict(allowing(errno(5)), [], newer), "ALLOW");
  // As runc: what the default's verdict makes an entry without effect is named nevertheless.
  assertEquals(
    verdict(denying(allow(), { names: ["connect"], action: "SCMP_ACT_ERRNO" }), [], newer),
    "ERRNO(1)",
  );
});

Deno.test("the native architecture is part of the filter without being listed", () => {
  const policy: Policy = { ...allowing(errno(5)), architectures: ["SCMP_ARCH_X86"] };
  assertEquals(verdict(policy, []), "ERRNO(5)");
  assertEquals(verdict(policy, [], { native: undefined }), "KILL_THREAD");
});

Deno.test("an unknown name is left out, and said", () => {
  const { diagnostics } = compileSeccomp(allowing({ names: ["read", "raed"], action: "SCMP_ACT_KILL" }), {
    native: "x86_64",
  });
  assertEquals(diagnostics.map(({ code, pointer }) => [code, pointer]), [[
    "unknown-name",
    "/syscalls/0/names/1",
  ]]);
});

Deno.test("flags: absent is SPEC_ALLOW, none is 0", () => {
  const flags = (flags?: Policy["flags"]) =>
    compileSeccomp({ ...allowing(), flags }, { native: "x86_64" }).flags;
  assertEquals(flags(undefined), 4);
  assertEquals(flags([]), 0);
  assertEquals(flags(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]), 3);
});

const WRONG: readonly [what: string, policy: unknown, pointer: string, options?: CompileOptions][] = [
  ["no object", [], ""],
  ["no default action", {}, "/defaultAction"],
  ["NOTIFY as the default", { defaultAction: "SCMP_ACT_NOTIFY" }, "/defaultAction"],
  [
    "an unknown architecture",
    { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_Z80"] },
    "/architectures/0",
  ],
  [
    "two byte orders",
    { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_MIPS"] },
    "/architectures",
  ],
  ["an unknown flag", { defaultAction: "SCMP_ACT_ALLOW", flags: ["FAST"] }, "/flags/0"],
  ["NOTIFY on write", allowing({ names: ["write"], action: "SCMP_ACT_NOTIFY" }), "/syscalls/0/names/0"],
  ["an errno above MAX_ERRNO", allowing(errno(4095)), "/syscalls/0/errnoRet"],
  ["an argument that is not there", allowing(errno(1, is(6, 0))), "/syscalls/0/args/0/index"],
  ["a datum that has lost digits", allowing(errno(1, is(0, 2 ** 60))), "/syscalls/0/args/0/value"],
  ["a negative datum", allowing(errno(1, is(0, -1))), "/syscalls/0/args/0/value"],
  [
    "strictly, an errno for an action without",
    { defaultAction: "SCMP_ACT_KILL", defaultErrnoRet: 1 },
    "/defaultErrnoRet",
    strict,
  ],
];

for (const [what, policy, pointer, options] of WRONG) {
  Deno.test(`refused at ${pointer || "the top"}: ${what}`, () => {
    const error = assertThrows(() => compileSeccomp(policy, { native: "x86_64", ...options }), PolicyError);
    assertEquals(error.pointer, pointer);
  });
}
