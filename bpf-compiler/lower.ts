/**
 * From a policy to numbers: what each ABI does with each system call.
 *
 * Terminology: a *condition* compares one argument. The conditions of a *rule* are and-bound. A *decision* is a list of
 * rules of which the first that matches counts. A *section* gives a decision to each number of one AUDIT_ARCH_*.
 *
 * All that runc and libseccomp do to a policy happens here, so that what follows is pure and has one meaning:
 * - An entry with the default's own verdict is skipped (runc matchCall: libseccomp would refuse it). So it does not
 *   shadow a later entry for the same call.
 * - If an entry compares one argument twice, each of its conditions becomes a rule of its own (runc matchCall, "Revert to
 *   old behavior"; opencontainers/runc#2735).
 * - Among the rules for one call, the first without conditions beats all others, before and behind it (libseccomp
 *   db_rule_add). Otherwise the first in the document that matches counts.
 * - An ABI of 32 bits compares the low words (libseccomp _db_rule_gen_32).
 * - A call that can also be made through socketcall(2) or ipc(2) gets a second rule there, with its first argument's
 *   condition replaced by the number of the call (libseccomp abi_rule_add).
 * - A number above all that the policy names returns ENOSYS, whatever the default is, unless that allows (runc patchbpf).
 *
 * `strict` reads config-linux.md as it stands instead: conditions are always and-bound, the first entry that matches
 * counts, the default's verdict is a verdict. What a condition cannot see behind socketcall(2) and ipc(2), where the
 * arguments lie in memory, counts as whatever allows less.
 *
 * @module
 */

import { type Abi, findAbi, X32_SYSCALL_BIT } from "./abi.ts";
import { IPC, SOCKETCALL } from "./multiplexed.ts";
import { type Arg, type Diagnostic, type Entry, type Operator, type Policy, PolicyError } from "./policy.ts";
import { callsOf, placeOf, syscallNames } from "./syscalls.ts";
import { BAD_ARCHITECTURE, permissiveness, UNKNOWN_CALL, verdictOf } from "./verdict.ts";

export interface Condition {
  /** 0 to 5. */
  readonly argument: number;
  readonly operator: Operator;
  /** Compare both words, not the low one alone. */
  readonly wide: boolean;
  readonly high: number;
  readonly low: number;
  /** All ones, but for SCMP_CMP_MASKED_EQ. */
  readonly maskHigh: number;
  readonly maskLow: number;
}

export interface Rule {
  readonly verdict: number;
  /** In the order of their arguments. */
  readonly conditions: readonly Condition[];
}

export interface Decision {
  readonly rules: readonly Rule[];
  /** If no rule matches. */
  readonly otherwise: number;
}

/** All numbers from `first` up to the next span's. */
export interface Span {
  readonly first: number;
  readonly decision: number;
  /** These are newer than the policy: not even what it names counts. */
  readonly unknown?: true;
}

/** One number with a decision of its own. */
export interface Point {
  readonly number: number;
  readonly decision: number;
  /** How often it is called, of a million calls. */
  readonly weight: number;
}

export interface Section {
  readonly auditArch: number;
  /** By number, the first of them 0: what is done where there is no point. */
  readonly spans: readonly Span[];
  /** By number. */
  readonly points: readonly Point[];
}

export interface Lowered {
  readonly bigEndian: boolean;
  readonly badArchitecture: number;
  readonly decisions: readonly Decision[];
  /** The native one first. */
  readonly sections: readonly Section[];
}

export interface LowerOptions {
  /** The ABI of the machine: always part of the filter, and the one whose speed counts. */
  readonly native?: string;
  readonly strict: boolean;
  /** Return ENOSYS for numbers that are newer than the policy. */
  readonly enosys: boolean;
  /** Of a million calls, how many are this one; "uniform" if all are alike. */
  readonly weights: Readonly<Record<string, number>> | "uniform";
}

/** What an entry asks for, the same for all ABIs. */
interface Resolved {
  readonly verdict: number;
  /** Or-bound lists of and-bound comparisons. */
  readonly alternatives: readonly (readonly Arg[])[];
}

/** An entry as far as it is about one number; `call` if through socketcall(2) or ipc(2). */
interface Use {
  readonly entry: number;
  readonly call?: number;
}

/** By the place of a name. */
type Uses = readonly (readonly Use[] | undefined)[];

/** What the other ABIs' calls count compared with the native one's: they are there for the rare old program. */
const FOREIGN_WEIGHT = 1e-3;

/** @param report is called for what the author of the policy should know */
export function lower(policy: Policy, options: LowerOptions, report: (found: Diagnostic) => void): Lowered {
  const abis = selectAbis(policy, options, report);
  const fallback = verdictOf(policy.defaultAction, policy.defaultErrnoRet);
  const entries = (policy.syscalls ?? []).map((entry, at) => resolve(entry, at, fallback, options, report));
  const uses = usesOfNames(policy, entries, report);
  const decisions = new Decisions(entries, fallback, options.strict);
  const weights = weightsOf(options.weights);

  const sections: Section[] = [];
  for (const auditArch of new Set(abis.map(({ auditArch }) => auditArch))) {
    const members = abis.filter((abi) => abi.auditArch === auditArch).sort((a, b) => a.offset - b.offset);
    const newest = members.map((abi) => ({
      abi,
      number: options.enosys ? newestNumber(abi, uses.named) : 0,
    }));
    const spans = members.some(({ offset }) => offset === X32_SYSCALL_BIT) || auditArch === AUDIT_ARCH_X86_64
      ? spansOfX86(members, newest, decisions)
      : plainSpans(newest[0]!, decisions);
    const points = members.flatMap((abi) =>
      pointsOf(abi, uses.active, decisions, spans, { weights, scale: abi === abis[0] ? 1 : FOREIGN_WEIGHT })
    );
    sections.push({ auditArch, spans, points });
  }
  return {
    bigEndian: abis[0]!.bigEndian,
    badArchitecture: BAD_ARCHITECTURE,
    decisions: decisions.all,
    sections,
  };
}

const AUDIT_ARCH_X86_64 = 0xc000003e;

function selectAbis(policy: Policy, { native }: LowerOptions, report: (found: Diagnostic) => void): Abi[] {
  const abis = new Set<Abi>();
  if (native !== undefined) {
    const abi = findAbi(native);
    if (!abi) throw new PolicyError("", `cannot be compiled for the architecture "${native}"`);
    abis.add(abi);
  }
  policy.architectures?.forEach((name, at) => {
    const abi = findAbi(name);
    const pointer = `/architectures/${at}`;
    if (abi) abis.add(abi);
    else {report({
        severity: "warning",
        code: "no-numbers",
        pointer,
        message: `all calls of ${name} are killed`,
      });}
  });
  const [first, ...others] = abis;
  if (first === undefined) {
    throw new PolicyError("/architectures", "must name one, since no native one is given");
  }
  const odd = others.find(({ bigEndian }) => bigEndian !== first.bigEndian);
  if (odd) throw new PolicyError("/architectures", `must have one byte order: ${first.name}, ${odd.name}`);
  return [...abis];
}

/** Undefined if the entry has no effect. */
function resolve(
  { action, errnoRet, args }: Entry,
  at: number,
  fallback: number,
  { strict }: LowerOptions,
  report: (found: Diagnostic) => void,
): Resolved | undefined {
  const verdict = verdictOf(action, errnoRet);
  if (verdict === fallback && !strict) return undefined;
  const conditions = args ?? [];
  if (strict || new Set(conditions.map(({ index }) => index)).size === conditions.length) {
    return { verdict, alternatives: [conditions.toSorted((a, b) => a.index - b.index)] };
  }
  report({
    severity: "warning",
    code: "or-split",
    pointer: `/syscalls/${at}/args`,
    message: "compares one argument twice, so any one of all its comparisons is enough",
  });
  return { verdict, alternatives: conditions.map((condition) => [condition]) };
}

/** Which entries are about which name, by its place in the list of names. */
function usesOfNames(
  policy: Policy,
  entries: readonly (Resolved | undefined)[],
  report: (found: Diagnostic) => void,
): { readonly active: Uses; readonly named: Uint8Array } {
  const active: (readonly Use[] | undefined)[] = new Array(syscallNames().length);
  const named = new Uint8Array(active.length);
  policy.syscalls?.forEach(({ names }, entry) => {
    // Most names are in one entry, so most share this list, and Decisions has to look at it only once.
    const use: readonly Use[] = [{ entry }];
    names.forEach((name, at) => {
      const place = placeOf(name);
      if (place === undefined) {
        const pointer = `/syscalls/${entry}/names/${at}`;
        report({ severity: "note", code: "unknown-name", pointer, message: `no architecture has ${name}` });
        return;
      }
      named[place] = 1;
      if (entries[entry] === undefined) return;
      active[place] = active[place] === undefined ? use : [...active[place], ...use];
    });
  });
  return { active, named };
}

/** The decisions seen so far; equal ones have one number. */
class Decisions {
  readonly all: Decision[] = [];
  readonly #entries: readonly (Resolved | undefined)[];
  readonly #default: number;
  readonly #strict: boolean;
  readonly #constants = new Map<number, number>();
  readonly #ofUses = { wide: new Map<readonly Use[], number>(), narrow: new Map<readonly Use[], number>() };
  readonly #conditional = new Map<string, number>();

  constructor(entries: readonly (Resolved | undefined)[], fallback: number, strict: boolean) {
    this.#entries = entries;
    this.#default = fallback;
    this.#strict = strict;
  }

  get default(): number {
    return this.constant(this.#default);
  }

  constant(verdict: number): number {
    let decision = this.#constants.get(verdict);
    if (decision === undefined) {
      decision = this.all.push({ rules: [], otherwise: verdict }) - 1;
      this.#constants.set(verdict, decision);
    }
    return decision;
  }

  /** What `uses`, in the order of the document, come to on an ABI. */
  of(uses: readonly Use[] | undefined, wide: boolean): number {
    if (uses === undefined) return this.default;
    const known = wide ? this.#ofUses.wide : this.#ofUses.narrow;
    let decision = known.get(uses);
    if (decision === undefined) known.set(uses, decision = this.#decide(uses, wide));
    return decision;
  }

  #decide(uses: readonly Use[], wide: boolean): number {
    const rules = uses.flatMap((use) => this.#rules(use, wide));
    const unconditional = rules.findIndex(({ conditions }) => conditions.length === 0);
    if (unconditional === 0 || (unconditional > 0 && !this.#strict)) {
      return this.constant(rules[unconditional]!.verdict);
    }
    const key = `${wide} ${uses.map(({ entry, call }) => call === undefined ? entry : `${entry}:${call}`)}`;
    let decision = this.#conditional.get(key);
    if (decision === undefined) {
      decision = this.all.push(
        unconditional < 0
          ? { rules, otherwise: this.#default }
          : { rules: rules.slice(0, unconditional), otherwise: rules[unconditional]!.verdict },
      ) - 1;
      this.#conditional.set(key, decision);
    }
    return decision;
  }

  #rules({ entry, call }: Use, wide: boolean): Rule[] {
    const { verdict, alternatives } = this.#entries[entry]!;
    const rules = alternatives.map((conditions) => ({
      verdict,
      conditions: conditions.map((arg) => lowerArg(arg, wide)).filter((condition) => !isVacuous(condition)),
    }));
    if (call === undefined) return rules;

    const isCall = lowerArg({ index: 0, op: "SCMP_CMP_EQ", value: call }, wide);
    if (!this.#strict) {
      return rules.map(({ conditions }) => ({
        verdict,
        conditions: [isCall, ...conditions.filter(({ argument }) => argument !== 0)],
      }));
    }
    const allowsLess = permissiveness(verdict) < permissiveness(this.#default);
    return rules.filter(({ conditions }) => conditions.length === 0 || allowsLess)
      .map(() => ({ verdict, conditions: [isCall] }));
  }
}

function lowerArg({ index, op, value, valueTwo = 0 }: Arg, wide: boolean): Condition {
  const [mask, datum] = op === "SCMP_CMP_MASKED_EQ" ? [value, valueTwo] : [~0n, value];
  const [maskHigh, maskLow] = [highWord(mask), lowWord(mask)];
  return {
    argument: index,
    operator: op,
    wide,
    maskHigh,
    maskLow,
    high: (highWord(datum) & maskHigh) >>> 0,
    low: (lowWord(datum) & maskLow) >>> 0,
  };
}

function highWord(value: number | bigint): number {
  return typeof value === "bigint" ? Number((value >> 32n) & 0xffffffffn) : Math.floor(value / 2 ** 32);
}

function lowWord(value: number | bigint): number {
  return typeof value === "bigint" ? Number(value & 0xffffffffn) : value % 2 ** 32;
}

/** A mask without bits: libseccomp drops the condition (_db_arg_cmp_need_lo). */
const isVacuous = ({ wide, maskHigh, maskLow }: Condition) => maskLow === 0 && (!wide || maskHigh === 0);

/** The largest number that the policy names, whatever it does with it; 0 if none (runc findLastSyscalls). */
function newestNumber({ table, offset, multiplexed }: Abi, named: Uint8Array): number {
  const { names, numbers } = callsOf(table);
  for (let at = numbers.length - 1; at >= 0; at--) {
    const name = names[at]!;
    if (named[name] === 0) continue;
    // libseccomp resolves these to negative numbers there, so runc does not see them.
    if (multiplexed && isMultiplexed(name)) continue;
    return numbers[at] === 0 ? 0 : numbers[at]! + offset;
  }
  return 0;
}

function isMultiplexed(place: number): boolean {
  const name = syscallNames()[place]!;
  return Object.hasOwn(SOCKETCALL, name) || Object.hasOwn(IPC, name);
}

interface Newest {
  readonly abi: Abi;
  /** 0: unknown. */
  readonly number: number;
}

function plainSpans({ abi, number }: Newest, decisions: Decisions): Span[] {
  const known = { first: 0, decision: decisions.default };
  if (number === 0) return [known];
  const unknown = (first: number): Span => ({
    first,
    decision: decisions.constant(UNKNOWN_CALL),
    unknown: true,
  });
  // setup(2) stands for "a number that did not fit" on s390 (runc generateEnosysStub).
  const before = abi.table === "s390x" ? [unknown(0), { ...known, first: 1 }] : [known];
  return [...before, unknown(number + 1)];
}

/**
 * x86_64 and x32 share an AUDIT_ARCH. Of an ABI that is not in the filter, libseccomp kills the calls, but -1, by which a
 * tracer skips a call (seccomp(2)). runc takes bit 30 alone for the mark of x32, libseccomp all from 0x40000000.
 */
function spansOfX86(members: readonly Abi[], newest: readonly Newest[], decisions: Decisions): Span[] {
  const listed = (offset: number) => members.some((abi) => abi.offset === offset);
  const newestOf = (offset: number) => newest.find(({ abi }) => abi.offset === offset)?.number ?? 0;
  const usual = (first: number, listed: boolean): Span => ({
    first,
    decision: listed ? decisions.default : decisions.constant(BAD_ARCHITECTURE),
  });
  const unknown = (first: number): Span => ({
    first,
    decision: decisions.constant(UNKNOWN_CALL),
    unknown: true,
  });

  const [plain, x32] = [newestOf(0), newestOf(X32_SYSCALL_BIT)];
  const high = listed(X32_SYSCALL_BIT);
  return [
    usual(0, listed(0)),
    ...(plain ? [unknown(plain + 1)] : []),
    usual(X32_SYSCALL_BIT, high),
    ...(x32 ? [unknown(x32 + 1)] : []),
    plain ? unknown(0x80000000) : usual(0x80000000, high),
    x32 ? unknown(0xc0000000) : usual(0xc0000000, high),
    x32 ? unknown(0xffffffff) : usual(0xffffffff, true),
  ];
}

function weightsOf(weights: LowerOptions["weights"]): Float64Array | undefined {
  if (weights === "uniform") return undefined;
  const byPlace = new Float64Array(syscallNames().length);
  for (const [name, weight] of Object.entries(weights)) {
    const place = placeOf(name);
    if (place !== undefined) byPlace[place] = weight;
  }
  return byPlace;
}

interface PointOptions {
  /** By the place of the name; undefined if all are alike. */
  readonly weights: Float64Array | undefined;
  readonly scale: number;
}

/**
 * Also numbers that are left to the default, since they may be called often, but none in spans of unknown numbers.
 *
 * A runtime compiles one policy and ends, so this loop over all calls is executed cold: it is plain for that reason.
 */
function pointsOf(
  { table, offset, wide, multiplexed }: Abi,
  active: Uses,
  decisions: Decisions,
  spans: readonly Span[],
  { weights, scale }: PointOptions,
): Point[] {
  const { names, numbers } = callsOf(table);
  const uses = multiplexed ? withMultiplexed(active) : active;
  const each = 1e6 / names.length;
  const points: Point[] = [];
  let span = 0;
  let last: { readonly uses?: readonly Use[]; readonly decision: number } = { decision: decisions.default };
  for (let at = 0; at < names.length; at++) {
    const name = names[at]!;
    const number = numbers[at]! + offset;
    const weight = weights === undefined ? each : weights[name]!;
    if (uses[name] === undefined && weight === 0) continue;
    while (span + 1 < spans.length && spans[span + 1]!.first <= number) span++;
    if (spans[span]!.unknown) continue;
    if (uses[name] !== last.uses) last = { uses: uses[name], decision: decisions.of(uses[name], wide) };
    points.push({ number, decision: last.decision, weight: weight * scale });
  }
  return points;
}

/** With the uses of the calls behind socketcall(2) and ipc(2) among those of these two, in the order of the document. */
function withMultiplexed(active: Uses): Uses {
  const all = [...active];
  for (const [name, behind] of [["socketcall", SOCKETCALL], ["ipc", IPC]] as const) {
    const place = placeOf(name)!;
    const uses = Object.entries(behind).flatMap(([name, call]) =>
      active[placeOf(name)!]?.map(({ entry }) => ({ entry, call })) ?? []
    );
    if (uses.length > 0) all[place] = [...active[place] ?? [], ...uses].sort((a, b) => a.entry - b.entry);
  }
  return all;
}
