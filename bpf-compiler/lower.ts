/**
 * From a policy to numbers: what each ABI does with each system call.
 *
 * All that runc and libseccomp do to a policy happens here, in `decisions.ts` and in `sections.ts`, so that what follows is pure and has one meaning:
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

import { type Abi, findAbi } from "./abi.ts";
import { Decisions, type Resolved, type Use } from "./decisions.ts";
import type { Lowered } from "./lowered.ts";
import { type Diagnostic, type Entry, type Policy, PolicyError } from "./policy.ts";
import { type SectionOptions, sectionsOf, type UsesOfNames } from "./sections.ts";
import { placeOf, syscallNames } from "./syscalls.ts";
import { BAD_ARCHITECTURE, verdictOf } from "./verdict.ts";

export interface LowerOptions extends SectionOptions {
  /** The ABI of the machine: always part of the filter, and the one whose speed counts. */
  readonly native?: string;
  readonly strict: boolean;
}

/** @param report is called for what the author of the policy should know */
export function lower(policy: Policy, options: LowerOptions, report: (found: Diagnostic) => void): Lowered {
  const abis = selectAbis(policy, options, report);
  const fallback = verdictOf(policy.defaultAction, policy.defaultErrnoRet);
  const entries = (policy.syscalls ?? []).map((entry, at) => resolve(entry, at, fallback, options, report));
  const uses = usesOfNames(policy, entries, report);
  const decisions = new Decisions(entries, fallback, options.strict);
  const sections = sectionsOf(abis, uses, decisions, options);
  return {
    bigEndian: abis[0]!.bigEndian,
    badArchitecture: BAD_ARCHITECTURE,
    decisions: decisions.all,
    sections,
  };
}

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
): UsesOfNames {
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
