// @ts-nocheck: AssemblyScript, which asc checks
/**
 * Reads the message in which `message.ts` passes a policy: words of 32 bits.
 *
 *     header      bigEndian, badArchitecture, price, longestWay; how many conditions, rules, decisions, sections
 *     conditions  argument, operator, wide, high, low, maskHigh, maskLow
 *     rules       verdict, first condition, conditions
 *     decisions   otherwise, first rule, rules
 *     sections    auditArch, spans, points; then each span (first, decision) and point (number, decision, weight)
 */

const HEADER: u32 = 8;
const CONDITION: u32 = 7;
const RULE: u32 = 3;
const DECISION: u32 = 3;
const SECTION: u32 = 3;
const SPAN: u32 = 2;
const POINT: u32 = 3;

/** The order of OPERATORS in `validate.ts`. */
export const NE: u32 = 0;
export const LT: u32 = 1;
export const LE: u32 = 2;
export const EQ: u32 = 3;
export const GE: u32 = 4;
export const GT: u32 = 5;
export const MASKED_EQ: u32 = 6;

let message: usize = 0;
let rules: u32 = 0;
let decisions: u32 = 0;
let sections: u32 = 0;

function word(at: u32): u32 {
  return load<u32>(message + (<usize> at << 2));
}

export function openPolicy(at: usize): void {
  message = at;
  rules = HEADER + word(4) * CONDITION;
  decisions = rules + word(5) * RULE;
  sections = decisions + word(6) * DECISION;
}

export function isBigEndian(): bool {
  return word(0) != 0;
}

/** What a call of an unknown ABI returns. */
export function badArchitecture(): u32 {
  return word(1);
}

/** Of one instruction, in the unit of weights. */
export function price(): u64 {
  return <u64> word(2);
}

/** How many tests of its number a call of a rare ABI may take. */
export function longestWay(): u32 {
  return word(3);
}

export function decisionCount(): u32 {
  return word(6);
}

export function argumentOf(condition: u32): u32 {
  return word(HEADER + condition * CONDITION);
}

export function operatorOf(condition: u32): u32 {
  return word(HEADER + condition * CONDITION + 1);
}

export function isWide(condition: u32): bool {
  return word(HEADER + condition * CONDITION + 2) != 0;
}

/** The high word of the datum if `high`, or its low word. */
export function datumOf(condition: u32, high: bool): u32 {
  return word(HEADER + condition * CONDITION + (high ? 3 : 4));
}

export function maskOf(condition: u32, high: bool): u32 {
  return word(HEADER + condition * CONDITION + (high ? 5 : 6));
}

export function verdictOf(rule: u32): u32 {
  return word(rules + rule * RULE);
}

export function firstCondition(rule: u32): u32 {
  return word(rules + rule * RULE + 1);
}

export function conditionCount(rule: u32): u32 {
  return word(rules + rule * RULE + 2);
}

export function otherwiseOf(decision: u32): u32 {
  return word(decisions + decision * DECISION);
}

export function firstRule(decision: u32): u32 {
  return word(decisions + decision * DECISION + 1);
}

export function ruleCount(decision: u32): u32 {
  return word(decisions + decision * DECISION + 2);
}

/** The offset in seccomp_data of a word of an argument. */
export function argumentOffset(argument: u32, high: bool): u32 {
  return 16 + 8 * argument + (high != isBigEndian() ? 4 : 0);
}

/** Walks over the sections: `while (section.next())`. */
export class Section {
  private at: u32 = sections;
  private left: u32 = word(7);
  auditArch: u32 = 0;
  spans: u32 = 0;
  points: u32 = 0;

  next(): bool {
    if (this.left == 0) return false;
    // Nothing before the first, which has no spans yet; all that are read have one.
    if (this.spans != 0) this.at += SECTION + this.spans * SPAN + this.points * POINT;
    this.left--;
    this.auditArch = word(this.at);
    this.spans = word(this.at + 1);
    this.points = word(this.at + 2);
    return true;
  }

  spanFirst(span: u32): u32 {
    return word(this.at + SECTION + span * SPAN);
  }

  spanDecision(span: u32): u32 {
    return word(this.at + SECTION + span * SPAN + 1);
  }

  private point(point: u32): u32 {
    return this.at + SECTION + this.spans * SPAN + point * POINT;
  }

  pointNumber(point: u32): u32 {
    return word(this.point(point));
  }

  pointDecision(point: u32): u32 {
    return word(this.point(point) + 1);
  }

  pointWeight(point: u32): u64 {
    return <u64> word(this.point(point) + 2);
  }
}
