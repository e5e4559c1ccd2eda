// @ts-nocheck: AssemblyScript, which asc checks
/**
 * The obvious program of a policy, to compare the clever one with: number after number, rule after rule, condition after
 * condition. It shares nothing with the compiler but the reading of the policy, and may be of any length.
 *
 * Written backwards, as every instruction names its successors.
 */

import { ARCHITECTURE, AT_LEAST, GREATER, NUMBER } from "./opcodes.ts";
import {
  argumentOf,
  argumentOffset,
  badArchitecture,
  conditionCount,
  datumOf,
  decisionCount,
  EQ,
  firstCondition,
  firstRule,
  GE,
  isWide,
  LE,
  LT,
  MASKED_EQ,
  maskOf,
  NE,
  operatorOf,
  otherwiseOf,
  ruleCount,
  Section,
  verdictOf,
} from "./policy.ts";
import { Program } from "./program.ts";

export function naiveProgram(): Program {
  const program = new Program();
  const decisions: u32[] = [];
  for (let decision: u32 = 0; decision < decisionCount(); decision++) {
    decisions.push(writeDecision(program, decision));
  }

  let next = program.result(badArchitecture());
  const section = new Section();
  while (section.next()) {
    const numbers = program.load(NUMBER, writeSection(program, section, decisions));
    next = program.equal(section.auditArch, numbers, next);
  }
  program.entry = program.load(ARCHITECTURE, next);
  return program;
}

/**
 * From the last span to the first: at least its first number? Then point after point, neighbours with one decision at
 * once: greater than their last number? At least their first? Otherwise what the span says.
 */
function writeSection(program: Program, section: Section, decisions: u32[]): u32 {
  let next: u32 = 0;
  let point: u32 = 0;
  for (let span: u32 = 0; span < section.spans; span++) {
    const other = decisions[section.spanDecision(span)];
    const last = span + 1 < section.spans ? section.spanFirst(span + 1) - 1 : 0xffffffff;
    let chain = other;
    const start = point;
    while (point < section.points && section.pointNumber(point) <= last) point++;
    for (let at = point; at-- > start;) {
      const decision = section.pointDecision(at), end = section.pointNumber(at);
      if (decision == section.spanDecision(span)) continue;
      while (
        at > start && section.pointDecision(at - 1) == decision &&
        section.pointNumber(at - 1) + 1 == section.pointNumber(at)
      ) at--;
      const here = program.add(AT_LEAST, section.pointNumber(at), decisions[decision], other);
      chain = program.add(GREATER, end, chain, here);
    }
    next = span == 0 ? chain : program.add(AT_LEAST, section.spanFirst(span), chain, next);
  }
  return next;
}

function writeDecision(program: Program, decision: u32): u32 {
  let next = program.result(otherwiseOf(decision));
  const first = firstRule(decision);
  for (let rule = first + ruleCount(decision); rule-- > first;) {
    const failed = next;
    next = program.result(verdictOf(rule));
    const start = firstCondition(rule);
    for (let c = start + conditionCount(rule); c-- > start;) next = writeCondition(program, c, next, failed);
  }
  return next;
}

function writeCondition(program: Program, condition: u32, yes: u32, no: u32): u32 {
  switch (operatorOf(condition)) {
    case MASKED_EQ:
      return writeMasked(program, condition, yes, no);
    case EQ:
      return writeEqual(program, condition, yes, no);
    case NE:
      return writeEqual(program, condition, no, yes);
    case LT:
    case LE:
      return writeOrder(program, condition, no, yes);
    default:
      return writeOrder(program, condition, yes, no);
  }
}

function writeMasked(program: Program, condition: u32, yes: u32, no: u32): u32 {
  const argument = argumentOf(condition);
  const low = program.load(
    argumentOffset(argument, false),
    program.and(maskOf(condition, false), program.equal(datumOf(condition, false), yes, no)),
  );
  if (!isWide(condition)) return low;
  return program.load(
    argumentOffset(argument, true),
    program.and(maskOf(condition, true), program.equal(datumOf(condition, true), low, no)),
  );
}

function writeEqual(program: Program, condition: u32, yes: u32, no: u32): u32 {
  const argument = argumentOf(condition);
  const low = program.load(
    argumentOffset(argument, false),
    program.equal(datumOf(condition, false), yes, no),
  );
  if (!isWide(condition)) return low;
  return program.load(argumentOffset(argument, true), program.equal(datumOf(condition, true), low, no));
}

/** a >= datum if the high words say so, or are equal and the low ones say so. */
function writeOrder(program: Program, condition: u32, yes: u32, no: u32): u32 {
  const argument = argumentOf(condition), operator = operatorOf(condition);
  const code = operator == GE || operator == LT ? AT_LEAST : GREATER;
  const low = program.load(
    argumentOffset(argument, false),
    program.add(code, datumOf(condition, false), yes, no),
  );
  if (!isWide(condition)) return low;
  const equal = program.equal(datumOf(condition, true), low, no);
  return program.load(
    argumentOffset(argument, true),
    program.add(GREATER, datumOf(condition, true), yes, equal),
  );
}
