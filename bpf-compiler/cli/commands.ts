/**
 * The command line, without the system: texts and bytes in, texts and bytes out.
 *
 * @module
 */

import { type Abi, findAbi } from "../abi.ts";
import type { Comparison, Compiled, CompileOptions, Objective } from "../compile.ts";
import { disassemble } from "../disassemble.ts";
import { explain } from "../explain.ts";
import { interpret } from "../interpret.ts";
import { lint } from "../lint.ts";
import { type Policy, PolicyError } from "../policy.ts";
import { DOCKER_CAPABILITIES, isProfile, resolveProfile } from "../profile.ts";
import { callWords, decodeProgram, type Instruction, refusal } from "../program.ts";
import { programStats } from "../stats.ts";
import { nameOf, numberOf } from "../syscalls.ts";
import { verdictText } from "../verdict.ts";
import { FORMATS } from "./formats.ts";
import { parsePolicy } from "./json.ts";

export const USAGE = `usage: COMMAND [OPTIONS] [FILE]...

  compile              write the program of a policy (OCI's linux.seccomp, a config.json, or a profile of Docker's)
  disasm               print a program
  explain              print what a program decides
  trace SYSCALL ARG... print the verdict for a call and the way to it, of the program in --program or of a policy
  diff A B             whether two programs do the same; if not, print a call that shows it, and exit with 1
  lint                 print what a policy says but does not do; exit with 1 if there is something
  stats                print sizes and steps
  dump PID [INDEX]     write the filter of a live process, in --format; 0, the default, is the one that was loaded last

FILE is a policy (JSON) or a program (struct sock_filter[]); "-" or none is stdin.

  --native ARCH        the machine ("x86_64", "aarch64"); default: this one
  --objective NAME     size, uniform, weighted (default)
  --semantics NAME     runc (default), strict
  --newer NAME         enosys (default), default: what numbers newer than the policy return
  --format NAME        of compile and dump: raw (default), c, json, asm
  --program FILE       of trace
  --kernel VERSION     of Docker's profiles; default 6.18
  --cap CAP_NAME       of Docker's profiles, as often as needed; default: Docker's own
`;

/** What a command needs from outside. */
export interface Context {
  readonly native: string;
  /** "-" is stdin. */
  read(path: string): Uint8Array;
  compile(policy: unknown, options: CompileOptions): Compiled;
  compare(first: Uint8Array, second: Uint8Array): Comparison;
  /** The filter number `index` of a process; undefined if it has fewer. Absent where that cannot be had. */
  readFilter?(pid: number, index: number): Uint8Array | undefined;
}

export interface Result {
  readonly code: number;
  readonly stdout: string | Uint8Array;
  readonly stderr?: string;
}

/** A command line that cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Options {
  readonly native: string;
  readonly objective: Objective;
  readonly semantics: "runc" | "strict";
  readonly newer: "enosys" | "default";
  readonly format: string;
  readonly program?: string;
  readonly kernel: string;
  readonly caps: readonly string[];
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  objective: ["size", "uniform", "weighted"],
  semantics: ["runc", "strict"],
  newer: ["enosys", "default"],
  format: Object.keys(FORMATS),
};
const TEXTS: readonly string[] = ["native", "program", "kernel", "cap"];

/** @throws UsageError, PolicyError, and what `context` throws */
export function runCommand(args: readonly string[], context: Context): Result {
  const [command = "", ...rest] = args;
  if (command === "help" || args.some((word) => word === "--help" || word === "-h")) {
    return { code: 0, stdout: USAGE };
  }
  if (command === "") return { code: 2, stdout: USAGE };
  const { options, operands } = parseArguments(rest, context.native);
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (run === undefined) throw new UsageError(`unknown command ${command}`);
  return run({ ...context, options, operands, abi: nativeAbi(options.native) });
}

function parseArguments(args: readonly string[], native: string): { options: Options; operands: string[] } {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const found = /^--([a-z]+)(?:=(.*))?$/s.exec(args[at]!);
    if (!found) {
      operands.push(args[at]!);
      continue;
    }
    const [, name = "", value = args[++at]] = found;
    if (!TEXTS.includes(name) && !Object.hasOwn(CHOICES, name)) {
      throw new UsageError(`unknown option --${name}`);
    }
    if (value === undefined) throw new UsageError(`--${name} needs a value`);
    if (CHOICES[name] && !CHOICES[name].includes(value)) {
      throw new UsageError(`--${name} must be one of ${CHOICES[name].join(", ")}`);
    }
    values.set(name, [...values.get(name) ?? [], value]);
  }
  const last = (name: string) => values.get(name)?.at(-1);
  const options = {
    native: last("native") ?? native,
    objective: (last("objective") ?? "weighted") as Objective,
    semantics: (last("semantics") ?? "runc") as "runc" | "strict",
    newer: (last("newer") ?? "enosys") as "enosys" | "default",
    format: last("format") ?? "raw",
    program: last("program"),
    kernel: last("kernel") ?? "6.18",
    caps: values.get("cap") ?? DOCKER_CAPABILITIES,
  };
  return { options, operands };
}

interface Invocation extends Context {
  readonly options: Options;
  readonly operands: readonly string[];
  readonly abi: Abi;
}

function nativeAbi(name: string): Abi {
  const abi = findAbi(name);
  if (!abi) throw new UsageError(`no system calls are known for ${name}`);
  return abi;
}

const COMMANDS: Readonly<Record<string, (invocation: Invocation) => Result>> = {
  compile,
  disasm: (invocation) => text(disassemble(readProgram(invocation), invocation.abi)),
  explain: (invocation) => text(explain(readChecked(invocation), invocation.abi)),
  trace,
  diff,
  lint: lintPolicy,
  stats,
  dump,
};

function text(lines: readonly string[], code = 0): Result {
  return { code, stdout: lines.map((line) => `${line}\n`).join("") };
}

function onlyFile({ operands }: Invocation): string {
  if (operands.length > 1) throw new UsageError(`one file at most, not ${operands.join(" ")}`);
  return operands[0] ?? "-";
}

function isJson(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 100)));
}

function toPolicy(bytes: Uint8Array, { options }: Invocation): unknown {
  const policy = parsePolicy(new TextDecoder().decode(bytes));
  if (!isProfile(policy)) return policy;
  return resolveProfile(policy, {
    native: options.native,
    kernel: options.kernel,
    capabilities: options.caps,
  });
}

function compileFile(bytes: Uint8Array, invocation: Invocation): Compiled {
  const { native, objective, semantics, newer } = invocation.options;
  return invocation.compile(toPolicy(bytes, invocation), { native, objective, semantics, newer });
}

/** A program, or that of a policy. */
function programBytes(path: string, invocation: Invocation): Uint8Array {
  const bytes = invocation.read(path);
  return isJson(bytes) ? compileFile(bytes, invocation).program : bytes;
}

function readProgram(invocation: Invocation): Instruction[] {
  return decodeProgram(programBytes(onlyFile(invocation), invocation), invocation.abi);
}

/** A program that the kernel would take: its jumps stay within it, and there is nothing that we do not know. */
function readChecked(invocation: Invocation): Instruction[] {
  return checked(readProgram(invocation));
}

function checked(program: Instruction[]): Instruction[] {
  const problem = refusal(program);
  if (problem !== undefined) throw new PolicyError("", `is no filter: ${problem}`);
  return program;
}

function compile(invocation: Invocation): Result {
  const { program, diagnostics } = compileFile(invocation.read(onlyFile(invocation)), invocation);
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  return {
    code: 0,
    stdout: FORMATS[invocation.options.format]!(program, invocation.abi),
    stderr: warnings.map(({ pointer, message }) => `${pointer}: ${message}\n`).join(""),
  };
}

/** The first operand may be the policy's or program's file, if --program is not given: trace FILE SYSCALL ARG... */
function trace(invocation: Invocation): Result {
  const { abi, options, operands } = invocation;
  const [call, ...args] = operands;
  if (call === undefined || args.length > 6) {
    throw new UsageError("trace needs a system call and at most six arguments");
  }
  const number = /^\d|^-\d/.test(call) ? Number(call) >>> 0 : numberOf(abi.table, call);
  if (number === undefined) throw new UsageError(`${abi.name} has no system call ${call}`);
  const program = checked(decodeProgram(programBytes(options.program ?? "-", invocation), abi));
  const words = callWords({
    number: number + (number < 0x40000000 ? abi.offset : 0),
    auditArch: abi.auditArch,
    args: args.map(toUint64),
  }, abi.bigEndian);
  const { verdict, path } = interpret(program, words);
  const lines = disassemble(program, abi);
  return text([...path.map((at) => lines[at]!), `${verdictText(verdict)} after ${path.length} instructions`]);
}

function toUint64(argument: string): bigint {
  try {
    return BigInt.asUintN(64, argument.startsWith("-") ? -BigInt(argument.slice(1)) : BigInt(argument));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${argument} is no number`);
  }
}

function diff(invocation: Invocation): Result {
  const { abi, compare, operands } = invocation;
  if (operands.length !== 2) throw new UsageError("diff needs two files");
  if (abi.bigEndian) throw new UsageError("diff compares little-endian programs");
  const [first, second] = operands.map((path) => programBytes(path, invocation));
  const found = compare(first!, second!);
  if (found.result !== "different") return text([found.result], found.result === "equivalent" ? 0 : 1);
  const { data, first: before, second: after } = found.example;
  const view = new DataView(data.buffer, data.byteOffset);
  const [number, arch] = [view.getUint32(0, true), view.getUint32(4, true)];
  const args = [0, 1, 2, 3, 4, 5].map((at) => `0x${view.getBigUint64(16 + 8 * at, true).toString(16)}`);
  const name = arch === abi.auditArch ? nameOf(abi.table, number - abi.offset) ?? number : number;
  return text([
    "different",
    `${name}(${args.join(", ")}) with arch 0x${arch.toString(16)}: ${verdictText(before)}, ${
      verdictText(after)
    }`,
  ], 1);
}

function lintPolicy(invocation: Invocation): Result {
  const bytes = invocation.read(onlyFile(invocation));
  const { diagnostics } = compileFile(bytes, invocation);
  const all = [...diagnostics, ...lint(toPolicy(bytes, invocation) as Policy, invocation.options.native)];
  const lines = all.map(({ severity, code, pointer, message }) =>
    `${pointer}: ${severity}: ${message} [${code}]`
  );
  return text(lines, all.some(({ severity }) => severity === "warning") ? 1 : 0);
}

function stats(invocation: Invocation): Result {
  const { instructions, allowed, denied, weightedSteps, cached } = programStats(
    readChecked(invocation),
    invocation.options.native,
  );
  const steps = ({ calls, mean, longest }: typeof allowed) =>
    `${calls} calls, ${mean.toFixed(1)} instructions each, at most ${longest}`;
  return text([
    `${instructions} instructions`,
    `allowed: ${steps(allowed)}`,
    `others: ${steps(denied)}`,
    `${weightedSteps.toFixed(2)} instructions for each call of a usual mix`,
    `${cached} calls are allowed by the kernel's bitmap, without running the program`,
  ]);
}

function dump(invocation: Invocation): Result {
  const { operands, readFilter, options, abi } = invocation;
  const [pid, index = 0, ...rest] = operands.map(Number);
  if (!pid || rest.length > 0 || ![pid, index].every((number) => Number.isInteger(number) && number >= 0)) {
    throw new UsageError("dump needs the number of a process, and at most that of a filter");
  }
  if (readFilter === undefined) {
    throw new UsageError("dump needs system calls: it is a command of `hako bpf`");
  }
  const program = readFilter(pid, index);
  if (program === undefined) throw new UsageError(`process ${pid} has no filter ${index}`);
  return { code: 0, stdout: FORMATS[options.format]!(program, abi) };
}

/** What to print, on one line, for an error that is not ours to show a stack for; undefined for a bug. */
export function errorText(error: unknown): string | undefined {
  if (!(error instanceof UsageError || error instanceof PolicyError)) return undefined;
  return error.message.replace(/\p{Cc}+/gu, " ");
}
