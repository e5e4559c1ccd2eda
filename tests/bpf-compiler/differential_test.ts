/**
 * Programs of random policies against an evaluator of policies. SECCOMP_POLICIES=20000 for the full number.
 */

import { assert, assertEquals } from "@std/assert";
import { findAbi } from "../../bpf-compiler/abi.ts";
import {
  type Call,
  callWords,
  type CompileOptions,
  decodeProgram,
  refusal,
  verdictFor,
  verdictText,
} from "../../bpf-compiler/mod.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { expectedVerdict } from "./oracle.ts";
import { type Case, interestingCalls, Random, randomCase } from "./random.ts";

const POLICIES = Number(Deno.env.get("SECCOMP_POLICIES") ?? 2000);
const CALLS = 150;
const OBJECTIVES = ["size", "uniform", "weighted"] as const;

function checkCase({ policy, native }: Case, calls: Iterable<Call>, options: CompileOptions): void {
  const { program, stats } = compileSeccomp(policy, { native, ...options });
  const strict = options.semantics === "strict";
  const { bigEndian } = findAbi(native)!;
  const instructions = decodeProgram(program, { bigEndian });
  const text = () =>
    JSON.stringify(
      { policy, native, options },
      (_, value) => typeof value === "bigint" ? `${value}n` : value,
    );
  assertEquals(refusal(instructions), undefined, text());
  assert(stats.proven, `not proven: ${text()}`);
  for (const call of calls) {
    const actual = verdictFor(instructions, callWords(call, bigEndian));
    const expected = expectedVerdict(policy, call, { native, strict });
    if (actual !== expected) {
      throw new Error(
        `${verdictText(actual)} and not ${verdictText(expected)} for ${call.number} of ${
          call.auditArch.toString(16)
        } (${call.args}): ${text()}`,
      );
    }
  }
}

Deno.test(`programs of ${POLICIES} random policies do what an evaluator of the policy says`, () => {
  for (let seed = 0; seed < POLICIES; seed++) {
    const random = new Random(seed);
    const found = randomCase(random);
    checkCase(found, interestingCalls(found, random, CALLS), {
      objective: random.pick(OBJECTIVES),
      semantics: random.chance(0.3) ? "strict" : "runc",
    });
  }
});
