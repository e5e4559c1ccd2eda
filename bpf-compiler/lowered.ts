/**
 * A policy as numbers, which `lower.ts` makes and `message.ts` writes.
 *
 * Terminology: a *condition* compares one argument. The conditions of a *rule* are and-bound. A *decision* is a list of
 * rules of which the first that matches counts. A *section* gives a decision to each number of one AUDIT_ARCH_*.
 *
 * @module
 */

import type { Operator } from "./policy.ts";

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
