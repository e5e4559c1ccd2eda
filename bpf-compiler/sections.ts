/**
 * Which decision each number of an ABI has: for ranges of numbers, and for single ones.
 *
 * @module
 */

import { type Abi, X32_SYSCALL_BIT } from "./abi.ts";
import type { Decisions, Use, Uses } from "./decisions.ts";
import type { Point, Section, Span } from "./lowered.ts";
import { IPC, SOCKETCALL } from "./multiplexed.ts";
import { callsOf, placeOf, syscallNames } from "./syscalls.ts";
import { BAD_ARCHITECTURE, UNKNOWN_CALL } from "./verdict.ts";

const AUDIT_ARCH_X86_64 = 0xc000003e;

/** What the other ABIs' calls count compared with the native one's: they are there for the rare old program. */
const FOREIGN_WEIGHT = 1e-3;

/** What a policy says of names, by their places. */
export interface UsesOfNames {
  /** By entries that have an effect. */
  readonly active: Uses;
  /** 1 where any entry names it. */
  readonly named: Uint8Array;
}

export interface SectionOptions {
  /** Return ENOSYS for numbers that are newer than the policy. */
  readonly enosys: boolean;
  /** Of a million calls, how many are this one; "uniform" if all are alike. */
  readonly weights: Readonly<Record<string, number>> | "uniform";
}

/** The sections of `abis`, of which the first is the native one. */
export function sectionsOf(
  abis: readonly Abi[],
  { active, named }: UsesOfNames,
  decisions: Decisions,
  options: SectionOptions,
): Section[] {
  const weights = weightsOf(options.weights);
  return [...new Set(abis.map(({ auditArch }) => auditArch))].map((auditArch) => {
    const members = abis.filter((abi) => abi.auditArch === auditArch).sort((a, b) => a.offset - b.offset);
    const newest = members.map((abi) => ({ abi, number: options.enosys ? newestNumber(abi, named) : 0 }));
    const spans = auditArch === AUDIT_ARCH_X86_64
      ? spansOfX86(members, newest, decisions)
      : plainSpans(newest[0]!, decisions);
    const points = members.flatMap((abi) =>
      pointsOf(abi, active, decisions, spans, { weights, scale: abi === abis[0] ? 1 : FOREIGN_WEIGHT })
    );
    return { auditArch, spans, points };
  });
}

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

function weightsOf(weights: SectionOptions["weights"]): Float64Array | undefined {
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
