/**
 * Writes what `assembly/policy.ts` reads: a lowered policy as words of 32 bits.
 *
 * @module
 */

import type { Condition, Lowered } from "./lowered.ts";
import { OPERATORS } from "./validate.ts";

/** Weights are passed as integers: this many to one call in a million. */
export const WEIGHT_UNIT = 1000;

/** What is to be weighed against each other. */
export interface Costs {
  /** Of one instruction, in calls of a million. */
  readonly price: number;
  /** How many tests of its number a call of a rare ABI may take. */
  readonly longestWay: number;
}

export function encodeMessage(lowered: Lowered, { price, longestWay }: Costs): Uint32Array<ArrayBuffer> {
  const conditions: number[] = [];
  const rules: number[] = [];
  const decisions: number[] = [];
  const counts = { conditions: 0, rules: 0 };
  for (const decision of lowered.decisions) {
    decisions.push(decision.otherwise, counts.rules, decision.rules.length);
    for (const rule of decision.rules) {
      rules.push(rule.verdict, counts.conditions, rule.conditions.length);
      for (const condition of rule.conditions) conditions.push(...conditionWords(condition));
      counts.conditions += rule.conditions.length;
    }
    counts.rules += decision.rules.length;
  }
  const sections: number[] = [];
  for (const { auditArch, spans, points } of lowered.sections) {
    sections.push(auditArch, spans.length, points.length);
    for (const { first, decision } of spans) sections.push(first, decision);
    for (const { number, decision, weight } of points) {
      sections.push(number, decision, Math.round(weight * WEIGHT_UNIT));
    }
  }
  const header = [
    lowered.bigEndian ? 1 : 0,
    lowered.badArchitecture,
    Math.round(price * WEIGHT_UNIT),
    longestWay,
    counts.conditions,
    counts.rules,
    lowered.decisions.length,
    lowered.sections.length,
  ];

  const message = new Uint32Array(
    header.length + conditions.length + rules.length + decisions.length + sections.length,
  );
  let at = 0;
  for (const part of [header, conditions, rules, decisions, sections]) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

function conditionWords({ argument, operator, wide, high, low, maskHigh, maskLow }: Condition): number[] {
  return [argument, OPERATORS.indexOf(operator), wide ? 1 : 0, high, low, maskHigh, maskLow];
}
