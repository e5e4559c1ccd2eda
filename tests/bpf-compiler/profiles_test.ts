/**
 * The profiles that engines send, resolved for amd64: moby's (2026), Docker 20.10.24's and Podman 4.3.1's.
 */

import { assert, assertEquals } from "@std/assert";
import {
  callWords,
  decodeProgram,
  type Instruction,
  interpret,
  type Policy,
  programStats,
  refusal,
  verdictFor,
  verdictText,
} from "../../bpf-compiler/mod.ts";
import { numberOf } from "../../bpf-compiler/syscalls.ts";
import { compareFilters, compileSeccomp } from "../../wasm/mod.ts";
import { expectedVerdict } from "./oracle.ts";
import { interestingCalls, Random } from "./random.ts";

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const AARCH64 = 0xc00000b7;
const X32 = 0x40000000;

function profile(name: string): Policy {
  return JSON.parse(Deno.readTextFileSync(new URL(`profiles/${name}.json`, import.meta.url)));
}

function compiled(name: string, objective: "size" | "uniform" | "weighted" = "weighted"): Instruction[] {
  const { program, stats } = compileSeccomp(profile(name), { native: "x86_64", objective });
  assert(stats.proven);
  return decodeProgram(program);
}

// Size, longest way of an allowed call on x86_64 and on any ABI, and the mean over a usual mix of calls.
const LIMITS = [
  { name: "moby-default", instructions: 220, longest: 18, anywhere: 19, weighted: 7.8 },
  { name: "docker20.10.24-default", instructions: 213, longest: 18, anywhere: 19, weighted: 7.8 },
  { name: "podman431-default", instructions: 210, longest: 18, anywhere: 20, weighted: 7.8 },
] as const;

for (const { name, ...limit } of LIMITS) {
  Deno.test(`${name}: small and fast`, () => {
    const stats = programStats(compiled(name), "x86_64");
    assert(stats.instructions <= limit.instructions, `${stats.instructions} instructions`);
    assert(stats.allowed.longest <= limit.longest, `${stats.allowed.longest} steps`);
    assert(stats.weightedSteps <= limit.weighted, `${stats.weightedSteps} steps`);
    for (const abi of ["x86", "x32"]) {
      const { longest } = programStats(compiled(name), abi).allowed;
      assert(longest <= limit.anywhere, `${longest} steps on ${abi}`);
    }
    const small = programStats(compiled(name, "size"), "x86_64");
    assert(small.instructions <= 185, `${small.instructions} instructions`);
    assertEquals(refusal(compiled(name)), undefined);
  });

  Deno.test(`${name}: all objectives do the same, and "size" is smallest`, () => {
    const policy = profile(name);
    const [size, uniform, weighted] = (["size", "uniform", "weighted"] as const)
      .map((objective) => compileSeccomp(policy, { native: "x86_64", objective }).program);
    assertEquals(compareFilters(size!, uniform!), { result: "equivalent" });
    assertEquals(compareFilters(size!, weighted!), { result: "equivalent" });
    assert(size!.length <= uniform!.length && size!.length <= weighted!.length);
  });

  Deno.test(`${name}: does what an evaluator of the policy says`, () => {
    const program = compiled(name);
    const random = new Random(1);
    const found = { policy: profile(name), native: "SCMP_ARCH_X86_64" };
    for (const call of interestingCalls(found, random, 5000)) {
      assertEquals(
        verdictFor(program, callWords(call)),
        expectedVerdict(found.policy, call, found),
        `${call.number}`,
      );
    }
  });

  Deno.test(`${name}: the kernel allows without running it what has no conditions`, () => {
    const { syscalls = [] } = profile(name);
    const conditional = new Set(syscalls.flatMap(({ names, args }) => args?.length ? names : []));
    const allowed = new Set(
      syscalls.flatMap(({ names, action, args }) => action === "SCMP_ACT_ALLOW" && !args?.length ? names : [])
        .filter((name) => numberOf("x86_64", name) !== undefined && !conditional.has(name)),
    );
    const { cached } = programStats(compiled(name), "x86_64");
    // Podman denies some that it allows above: the first entry counts, so these are among the allowed ones.
    assert(cached >= allowed.size - 3 && cached > 280, `${cached} of ${allowed.size}`);
  });
}

Deno.test("moby-default is compiled and proven in half a millisecond", () => {
  const policy = profile("moby-default");
  const times = Array.from({ length: 400 }, () => {
    const start = performance.now();
    compileSeccomp(policy, { native: "x86_64" });
    return performance.now() - start;
  }).sort((a, b) => a - b);
  // Other programs run on the machine as well, so the best decile speaks. A busy machine gets twice the time.
  assert(times[40]! < 1, `${times[40]} ms`);
});

// Each row was checked with the programs that runc 1.3.6 installs. The last column is the reason.
const PROBES: readonly [
  arch: number,
  number: number,
  args: readonly bigint[],
  verdict: string,
  why: string,
][] = [
  [X86_64, 41, [38n], "ERRNO(1)", "a hole between the ranges of socket"],
  [X86_64, 41, [39n], "ALLOW", "and the number between two holes"],
  [X86_64, 41, [40n], "ERRNO(1)", "the other hole"],
  [X86_64, 41, [0x100000026n], "ALLOW", "greater than 40 in 64 bits"],
  [X86_64, 135, [0xffffffffn], "ALLOW", "personality: query"],
  [X86_64, 135, [1n], "ERRNO(1)", "no known personality"],
  [X86_64, 135, [0x1ffffffffn], "ERRNO(1)", "EQ compares 64 bits"],
  [X86_64, 56, [0x10000011n], "ERRNO(1)", "clone: CLONE_NEWUSER"],
  [X86_64, 56, [17n], "ALLOW", "clone: SIGCHLD"],
  [X86_64, 56, [(1n << 63n) + 17n], "ALLOW", "the mask has no high bits"],
  [X86_64, 435, [], "ERRNO(38)", "clone3 has its own errno"],
  [X86_64, 165, [], "ERRNO(1)", "mount: the default"],
  [X86_64, 1000, [], "ERRNO(38)", "newer than the profile"],
  [X86_64, 0xffffffff, [], "ERRNO(38)", "a tracer's -1 too"],
  [I386, 102, [1n], "ALLOW", "socketcall, all of it"],
  [I386, 20, [], "ALLOW", "getpid of i386"],
  [X86_64, X32 + 39, [], "ALLOW", "getpid of x32"],
  [X86_64, X32 + 13, [], "ERRNO(1)", "rt_sigaction of x32 is 512"],
  [X86_64, X32 + 512, [], "ALLOW", "and there it is"],
  [AARCH64, 0, [], "KILL_THREAD", "an architecture that is not listed"],
];

for (const [auditArch, number, args, verdict, why] of PROBES) {
  Deno.test(`moby-default: ${number} of 0x${auditArch.toString(16)} with ${args} is ${verdict}: ${why}`, () => {
    const run = interpret(compiled("moby-default"), callWords({ number, auditArch, args }));
    assertEquals(verdictText(run.verdict), verdict);
  });
}

Deno.test("the same policy always gives the same program", () => {
  const first = compileSeccomp(profile("moby-default"), { native: "x86_64" }).program;
  compileSeccomp(profile("podman431-default"), { native: "x86_64" });
  assertEquals(compileSeccomp(profile("moby-default"), { native: "x86_64" }).program, first);
});
