/** Large and strange policies: a right program, or a clean error. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Arg,
  callWords,
  decodeProgram,
  type Entry,
  interpret,
  type Policy,
  PolicyError,
  refusal,
  verdictFor,
} from "../../bpf-compiler/mod.ts";
import { callsOf, nameOf, syscallNames } from "../../bpf-compiler/syscalls.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { expectedVerdict } from "./oracle.ts";
import { interestingCalls, Random, randomCase } from "./random.ts";

const X86_64 = 0xc000003e;
const native = "SCMP_ARCH_X86_64";

function checkAgainstOracle(policy: Policy, calls = 1000) {
  const { program, stats } = compileSeccomp(policy, { native });
  const instructions = decodeProgram(program);
  assertEquals(refusal(instructions), undefined);
  for (const call of interestingCalls({ policy, native }, new Random(7), calls)) {
    assertEquals(verdictFor(instructions, callWords(call)), expectedVerdict(policy, call, { native }));
  }
  return stats;
}

Deno.test("300 scattered calls with an errno each, on three ABIs: jumps over 255 instructions", () => {
  const names = callsOf("x86_64").numbers.filter((number) => number % 5 !== 0).slice(0, 300);
  const policy: Policy = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: names.map((number, at) => ({
      names: [nameOf("x86_64", number)!],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 100 + at,
    })),
  };
  const { proven, instructions } = checkAgainstOracle(policy, 3000);
  assert(proven && instructions > 1000);
});

const equal = (index: number, value: bigint): Arg => ({ index, value, op: "SCMP_CMP_EQ" });

Deno.test("a call with 150 values of an argument and an errno each", () => {
  const syscalls = Array.from({ length: 150 }, (_, at): Entry => ({
    names: ["ioctl"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: 1 + at,
    args: [equal(1, BigInt(at * at * 77_777_777))],
  }));
  assert(checkAgainstOracle({ defaultAction: "SCMP_ACT_ALLOW", syscalls }).proven);
});

Deno.test("1500 rules for one call are compiled rule by rule", () => {
  const syscalls = Array.from({ length: 1500 }, (_, at): Entry => ({
    names: ["ioctl"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: 1 + at % 7,
    args: [equal(1, BigInt(at * 31))],
  }));
  const policy: Policy = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
  const error = assertThrows(() => compileSeccomp(policy, { native }), PolicyError);
  assertEquals(error.problem, "needs more than the 4096 instructions that seccomp(2) takes");
  checkAgainstOracle({ ...policy, syscalls: syscalls.slice(0, 700) });
});

Deno.test("conditions whose combinations multiply end in a program or a clean error", () => {
  const random = new Random(3);
  for (let round = 0; round < 10; round++) {
    const syscalls = random.times(30, 60, (): Entry => ({
      names: ["ioctl"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: random.below(40),
      args: [0, 1, 2, 3, 4, 5].map((index) => ({
        index,
        op: random.pick(["SCMP_CMP_GE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ"]),
        value: random.uint64(),
        valueTwo: random.uint64(),
      })),
    }));
    checkAgainstOracle({ defaultAction: "SCMP_ACT_ALLOW", syscalls }, 300);
  }
});

Deno.test("100,000 names do no harm", () => {
  const names = Array.from({ length: 100_000 }, (_, at) => syscallNames()[at % 500]!);
  const { program } = compileSeccomp({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names, action: "SCMP_ACT_ALLOW" }],
  }, {
    native,
  });
  const words = callWords({ number: 1, auditArch: X86_64, args: [] });
  assertEquals(interpret(decodeProgram(program), words).verdict, 0x7fff0000);
});

/** Anything instead of some member, or a member too many or missing. */
function damage(value: unknown, random: Random): unknown {
  const anything = [
    null,
    undefined,
    0,
    -1,
    1e300,
    NaN,
    "",
    "SCMP_ACT_ALLOW",
    [],
    {},
    [[]],
    true,
    1n << 64n,
    "__proto__",
  ];
  if (random.chance(0.08)) return random.pick(anything);
  if (Array.isArray(value)) return value.map((member) => damage(member, random));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(() => random.chance(0.97)).map((
      [key, member],
    ) => [key, damage(member, random)]),
  );
}

Deno.test("5000 damaged policies give a program or a PolicyError, and nothing else", () => {
  let programs = 0;
  for (let seed = 0; seed < 5000; seed++) {
    const random = new Random(seed);
    const { policy, native } = randomCase(random);
    try {
      const { program } = compileSeccomp(damage(policy, random), { native });
      assert(program.length > 0);
      programs++;
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
    }
  }
  assert(programs > 500 && programs < 4500, `${programs}`);
});
