/**
 * What a program costs: for every system call that an ABI has, how many instructions are executed.
 *
 * @module
 */

import type { Abi } from "./abi.ts";
import { findAbi } from "./abi.ts";
import { interpret, isCached } from "./interpret.ts";
import { callWords, type Instruction } from "./program.ts";
import { callsOf, syscallNames } from "./syscalls.ts";
import { WEIGHTS } from "./generated/weights.ts";
import { ALLOW } from "./verdict.ts";

export interface ProgramStats {
  readonly instructions: number;
  /** For calls whose arguments are all 0. */
  readonly allowed: Steps;
  readonly denied: Steps;
  /** The mean over a usual mix of calls. */
  readonly weightedSteps: number;
  /** How many calls the kernel allows without running the program (Linux 5.11). */
  readonly cached: number;
}

export interface Steps {
  readonly calls: number;
  readonly mean: number;
  readonly longest: number;
}

/** @throws Error if the architecture has no numbers */
export function programStats(program: readonly Instruction[], architecture: string): ProgramStats {
  const abi = findAbi(architecture);
  if (!abi) throw new Error(`no numbers for ${architecture}`);
  const runs = runAll(program, abi);
  const allowed = runs.filter(({ verdict }) => verdict === ALLOW);
  const weight = runs.reduce((sum, { weight }) => sum + weight, 0);
  return {
    instructions: program.length,
    allowed: steps(allowed.map(({ length }) => length)),
    denied: steps(runs.filter(({ verdict }) => verdict !== ALLOW).map(({ length }) => length)),
    weightedSteps: runs.reduce((sum, { length, weight }) => sum + length * weight, 0) / weight,
    cached: runs.filter(({ cached }) => cached).length,
  };
}

function runAll(program: readonly Instruction[], { table, offset, auditArch, bigEndian }: Abi) {
  const { names, numbers } = callsOf(table);
  return numbers.map((number, at) => {
    const call = { number: number + offset, auditArch, args: [] };
    const { verdict, path } = interpret(program, callWords(call, bigEndian));
    const weight = WEIGHTS[syscallNames()[names[at]!]!] ?? 0;
    return { verdict, weight, length: path.length, cached: isCached(program, call.number, auditArch) };
  });
}

function steps(lengths: readonly number[]): Steps {
  const sum = lengths.reduce((a, b) => a + b, 0);
  return {
    calls: lengths.length,
    mean: lengths.length && sum / lengths.length,
    longest: Math.max(0, ...lengths),
  };
}
