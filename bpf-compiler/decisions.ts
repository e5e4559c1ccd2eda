/**
 * What the entries of a policy come to for one system call.
 *
 * @module
 */

import type { Condition, Decision, Rule } from "./lowered.ts";
import type { Arg } from "./policy.ts";
import { permissiveness } from "./verdict.ts";

/** What an entry asks for, the same for all ABIs. */
export interface Resolved {
  readonly verdict: number;
  /** Or-bound lists of and-bound comparisons. */
  readonly alternatives: readonly (readonly Arg[])[];
}

/** An entry as far as it is about one number; `call` if through socketcall(2) or ipc(2). */
export interface Use {
  readonly entry: number;
  readonly call?: number;
}

/** By the place of a name. */
export type Uses = readonly (readonly Use[] | undefined)[];

/** The decisions seen so far; equal ones have one number. */
export class Decisions {
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
