/**
 * What runc does with a policy and a call, written a second time: for one call, by reading the policy from start to end.
 * Shares nothing with the compiler but the tables of numbers. The sources are named in `bpf-compiler/lower.ts`.
 *
 * @module
 */

import { type Abi, findAbi, X32_SYSCALL_BIT } from "../../bpf-compiler/abi.ts";
import { IPC, SOCKETCALL } from "../../bpf-compiler/multiplexed.ts";
import type { Arg, Call, Policy } from "../../bpf-compiler/mod.ts";
import { numberOf } from "../../bpf-compiler/syscalls.ts";
import { permissiveness, UNKNOWN_CALL, verdictOf } from "../../bpf-compiler/verdict.ts";

const KILL = 0;
const AUDIT_ARCH_X86_64 = 0xc000003e;

export interface OracleOptions {
  readonly native?: string;
  readonly strict?: boolean;
}

interface Rule {
  readonly args: readonly Arg[];
  readonly verdict: number;
}

export function expectedVerdict(
  policy: Policy,
  call: Call,
  { native, strict = false }: OracleOptions,
): number {
  const listed = [
    ...new Set([...native ? [native] : [], ...policy.architectures ?? []].map((name) => findAbi(name)!)),
  ];
  const here = listed.filter((abi) => abi.auditArch === call.auditArch);
  if (here.length === 0) return KILL;
  if (isNewer(policy, call, here)) return UNKNOWN_CALL;

  const fallback = verdictOf(policy.defaultAction, policy.defaultErrnoRet);
  if (call.auditArch === AUDIT_ARCH_X86_64 && call.number === 0xffffffff) return fallback;
  const abi = call.auditArch === AUDIT_ARCH_X86_64
    ? here.find(({ offset }) => (offset !== 0) === (call.number >= X32_SYSCALL_BIT))
    : here[0];
  if (abi === undefined) return KILL;

  const rules = rulesFor(policy, call.number - abi.offset, abi, { fallback, strict });
  const unconditional = strict ? undefined : rules.find(({ args }) => isTautology(args, abi));
  if (unconditional) return unconditional.verdict;
  return rules.find(({ args }) => args.every((arg) => matches(arg, call.args, abi)))?.verdict ?? fallback;
}

function isNewer({ defaultAction, syscalls = [] }: Policy, { number }: Call, here: readonly Abi[]): boolean {
  if (["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(defaultAction)) return false;
  return here.some((abi) => {
    const isX86 = abi.auditArch === AUDIT_ARCH_X86_64;
    if (isX86 && ((number & X32_SYSCALL_BIT) !== 0) !== (abi.offset !== 0)) return false;
    const newest = Math.max(
      0,
      ...syscalls.flatMap(({ names }) => names)
        .filter((name) => !(abi.multiplexed && (Object.hasOwn(SOCKETCALL, name) || Object.hasOwn(IPC, name))))
        .map((name) => numberOf(abi.table, name) ?? 0),
    );
    if (newest === 0) return false;
    return number > newest + abi.offset || (abi.table === "s390x" && number === 0);
  });
}

function rulesFor(
  { syscalls = [] }: Policy,
  number: number,
  abi: Abi,
  { fallback, strict }: { readonly fallback: number; readonly strict: boolean },
): Rule[] {
  const rules: Rule[] = [];
  for (const { names, action, errnoRet, args = [] } of syscalls) {
    const verdict = verdictOf(action, errnoRet);
    if (!strict && verdict === fallback) continue;
    const repeated = new Set(args.map(({ index }) => index)).size < args.length;
    const alternatives = repeated && !strict ? args.map((arg) => [arg]) : [args];
    for (const name of names) {
      if (numberOf(abi.table, name) === number) {
        rules.push(...alternatives.map((args) => ({ args, verdict })));
      }
      if (!abi.multiplexed) continue;
      for (const [multiplexer, calls] of [["socketcall", SOCKETCALL], ["ipc", IPC]] as const) {
        if (numberOf(abi.table, multiplexer) !== number || !Object.hasOwn(calls, name)) continue;
        const isCall: Arg = { index: 0, op: "SCMP_CMP_EQ", value: calls[name]! };
        for (const args of alternatives) {
          if (!strict) rules.push({ args: [isCall, ...args.filter(({ index }) => index !== 0)], verdict });
          else if (isTautology(args, abi) || permissiveness(verdict) < permissiveness(fallback)) {
            rules.push({ args: [isCall], verdict });
          }
        }
      }
    }
  }
  return rules;
}

const word = (value: number | bigint, { wide }: Abi) => BigInt.asUintN(wide ? 64 : 32, BigInt(value));

function isTautology(args: readonly Arg[], abi: Abi): boolean {
  return args.every(({ op, value }) => op === "SCMP_CMP_MASKED_EQ" && word(value, abi) === 0n);
}

function matches({ index, op, value, valueTwo = 0 }: Arg, args: readonly bigint[], abi: Abi): boolean {
  const argument = word(args[index] ?? 0n, abi);
  const datum = word(value, abi);
  switch (op) {
    case "SCMP_CMP_NE":
      return argument !== datum;
    case "SCMP_CMP_LT":
      return argument < datum;
    case "SCMP_CMP_LE":
      return argument <= datum;
    case "SCMP_CMP_EQ":
      return argument === datum;
    case "SCMP_CMP_GE":
      return argument >= datum;
    case "SCMP_CMP_GT":
      return argument > datum;
    case "SCMP_CMP_MASKED_EQ":
      return (argument & datum) === (word(valueTwo, abi) & datum);
  }
}
