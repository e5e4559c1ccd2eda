// @ts-nocheck: AssemblyScript, which asc checks
/**
 * What the module exports. Memory is one arena: allocate() empties it, and whatever a call returns stays until then.
 *
 * The caller: at = allocate(bytes), writes its message there, calls compile() or compare(), reads output().
 */

import { decisionNode } from "./conditions.ts";
import { emit } from "./emit.ts";
import { compare as comparePrograms, counterExample, EQUIVALENT } from "./equivalence.ts";
import { load as loadWord, resetGraph, result, testEqual } from "./graph.ts";
import { naiveProgram } from "./naive.ts";
import { sectionNode } from "./numbers.ts";
import { ARCHITECTURE, NUMBER } from "./opcodes.ts";
import { badArchitecture, decisionCount, isBigEndian, openPolicy, Section } from "./policy.ts";
import { decodeProgram } from "./program.ts";

// Results: those of equivalence.ts, and
const TOO_LONG: u32 = 16;
const NOT_A_PROGRAM: u32 = 17;

/** Some milliseconds. A program that needs more has hundreds of overlapping conditions for one call. */
const SELF_CHECK_STEPS: u32 = 2_000_000;
const COMPARE_STEPS: u32 = 100_000_000;

let outputAt: usize = 0;
let outputBytes: u32 = 0;

export function allocate(bytes: u32): usize {
  __reset();
  return heap.alloc(bytes);
}

/** Where the program is, or the counter-example: 16 words of seccomp_data, then what both programs return. */
export function output(): usize {
  return outputAt;
}

export function outputLength(): u32 {
  return outputBytes;
}

/** Compiles the policy at `message` and compares the program with the naive one. */
export function compile(message: usize): u32 {
  openPolicy(message);
  outputBytes = 0;
  let short = false;
  let program = emit(policyNode(short), isBigEndian());
  if (program == null) {
    short = true;
    program = emit(policyNode(short), isBigEndian());
  }
  if (program == null) return TOO_LONG;
  outputAt = changetype<usize>(program);
  outputBytes = program.byteLength;
  return selfCheck(isBigEndian() ? emit(policyNode(short), false)! : program);
}

function selfCheck(program: ArrayBuffer): u32 {
  const decoded = decodeProgram(changetype<usize>(program), program.byteLength >>> 3);
  if (decoded == null) return NOT_A_PROGRAM;
  return comparePrograms(naiveProgram(), decoded, SELF_CHECK_STEPS, true);
}

/** Compares two little-endian programs of so many instructions, the second directly behind the first. */
export function compare(at: usize, firstCount: u32, secondCount: u32): u32 {
  const first = decodeProgram(at, firstCount);
  const second = decodeProgram(at + firstCount * 8, secondCount);
  if (first == null || second == null) return NOT_A_PROGRAM;
  const found = comparePrograms(first, second, COMPARE_STEPS, false);
  outputAt = changetype<usize>(counterExample);
  outputBytes = found == EQUIVALENT ? 0 : counterExample.length << 2;
  return found;
}

/**
 * First the ABI, the native one before all others, then the number, then what its decision asks for.
 *
 * @param short rather many steps than many instructions
 */
function policyNode(short: bool): u32 {
  resetGraph();
  const decisions: u32[] = [];
  for (let decision: u32 = 0; decision < decisionCount(); decision++) {
    decisions.push(decisionNode(decision, short));
  }

  const archs: u32[] = [], numbers: u32[] = [];
  const section = new Section();
  while (section.next()) {
    archs.push(section.auditArch);
    numbers.push(loadWord(NUMBER, sectionNode(section, decisions)));
  }
  let node = result(badArchitecture());
  for (let i = archs.length - 1; i >= 0; i--) node = testEqual(archs[i], numbers[i], node);
  return loadWord(ARCHITECTURE, node);
}
