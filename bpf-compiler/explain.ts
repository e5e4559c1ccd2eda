/**
 * A program as the decisions that it makes: for each architecture the calls by verdict, then those with conditions.
 *
 * @module
 */

import { type Abi, abiOfCall } from "./abi.ts";
import { hex, wordName } from "./disassemble.ts";
import { interpret } from "./interpret.ts";
import { callWords, type Instruction, isTest, OPCODES } from "./program.ts";
import { callsOf, syscallNames } from "./syscalls.ts";
import { verdictText } from "./verdict.ts";

const FIRST_ARGUMENT = 16;
const WIDTH = 100;
/** Of questions. Ways that part and meet again are told each time they are gone: twenty such tests are a million ways. */
const MAX_LINES = 20_000;

/** Lines of text. Architectures are those that the program compares with. */
export function explain(program: readonly Instruction[], { bigEndian = false } = {}): string[] {
  const abis = new Set<Abi>();
  for (const { code, k } of program) {
    if (code !== OPCODES.equal) continue;
    for (const number of [0, 0x40000000]) {
      const abi = abiOfCall(k, number);
      if (abi && abi.bigEndian === bigEndian) abis.add(abi);
    }
  }
  const other =
    interpret(program, callWords({ number: 0, auditArch: 0xffffffff, args: [] }, bigEndian)).verdict;
  const left = { lines: MAX_LINES };
  return [
    ...[...abis].flatMap((abi) => explainAbi(program, abi, left)),
    `other architectures: ${verdictText(other)}`,
  ];
}

function explainAbi(program: readonly Instruction[], abi: Abi, left: Left): string[] {
  const byVerdict = new Map<string, string[]>();
  const conditional: string[] = [];
  const calls = callsOf(abi.table);
  calls.numbers.forEach((number, at) => {
    const name = syscallNames()[calls.names[at]!]!;
    const words = callWords(
      { number: number + abi.offset, auditArch: abi.auditArch, args: [] },
      abi.bigEndian,
    );
    const { verdict, path } = interpret(program, words);
    const load = path.find((at) => program[at]!.code === OPCODES.load && program[at]!.k >= FIRST_ARGUMENT);
    if (load !== undefined) {
      conditional.push(
        `  ${name}`,
        ...explainTests(program, load, "    ", { bigEndian: abi.bigEndian, left }),
      );
      return;
    }
    const names = byVerdict.get(verdictText(verdict)) ?? [];
    names.push(name);
    byVerdict.set(verdictText(verdict), names);
  });
  const unknown = interpret(
    program,
    callWords(
      { number: 0x3fffffff - (abi.offset ? 0 : 1), auditArch: abi.auditArch, args: [] },
      abi.bigEndian,
    ),
  ).verdict;
  return [
    abi.name,
    ...[...byVerdict].flatMap(([verdict, names]) => [`  ${verdict}`, ...wrap(names)]),
    ...conditional,
    `  unknown numbers: ${verdictText(unknown)}`,
    "",
  ];
}

function wrap(names: readonly string[]): string[] {
  const lines = ["   "];
  for (const name of names) {
    if (lines.at(-1)!.length + name.length > WIDTH) lines.push("   ");
    lines[lines.length - 1] += ` ${name}`;
  }
  return lines;
}

/** What may still be said. */
interface Left {
  lines: number;
}

interface Telling {
  readonly bigEndian: boolean;
  readonly left: Left;
}

/** The tests from a load on, as nested questions. */
function explainTests(
  program: readonly Instruction[],
  start: number,
  indent: string,
  telling: Telling,
): string[] {
  if (telling.left.lines-- <= 0) return [`${indent}...`];
  let [at, word, mask] = [start, "", ""];
  for (;;) {
    const { code, jt, jf, k } = program[at]!;
    if (code === OPCODES.result) return [`${indent}${verdictText(k)}`];
    if (isTest(code)) {
      const [yes, no] = [at + 1 + jt, at + 1 + jf].map((next) =>
        explainFrom(program, next, `${indent}  `, { word, ...telling })
      );
      return [`${indent}if ${comparison(code, `${word}${mask}`, k)}`, ...yes!, `${indent}else`, ...no!];
    }
    if (code === OPCODES.load) [word, mask] = [wordName(k, telling.bigEndian), ""];
    else if (code === OPCODES.and) mask += ` & ${hex(k)}`;
    at += code === OPCODES.jump ? k + 1 : 1;
  }
}

interface Accumulator extends Telling {
  readonly word: string;
}

/** A test may follow a test, with the same word in the accumulator. */
function explainFrom(
  program: readonly Instruction[],
  at: number,
  indent: string,
  accumulator: Accumulator,
): string[] {
  if (accumulator.left.lines-- <= 0) return [`${indent}...`];
  const { code, jt, jf, k } = program[at]!;
  if (!isTest(code)) return explainTests(program, at, indent, accumulator);
  const [yes, no] = [at + 1 + jt, at + 1 + jf].map((next) =>
    explainFrom(program, next, `${indent}  `, accumulator)
  );
  return [`${indent}if ${comparison(code, accumulator.word, k)}`, ...yes!, `${indent}else`, ...no!];
}

function comparison(code: number, word: string, k: number): string {
  if (code === OPCODES.anyBit) return `${word} & ${hex(k)}`;
  const operator = code === OPCODES.equal ? "==" : code === OPCODES.greater ? ">" : ">=";
  return `${word} ${operator} ${hex(k)}`;
}
