// @ts-nocheck: AssemblyScript, which asc checks
/** From a decision to nodes, rule by rule: long to execute, but as short to write down as the policy is. */

import { and, load as loadWord, result, test, testEqual } from "./graph.ts";
import { ANY_BIT, AT_LEAST, GREATER } from "./opcodes.ts";
import {
  argumentOf,
  argumentOffset,
  conditionCount,
  datumOf,
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
  verdictOf,
} from "./policy.ts";

/** Every rule after the other, each with all its conditions. */
export function ruleByRule(decision: u32): u32 {
  let node = result(otherwiseOf(decision));
  const first = firstRule(decision);
  for (let rule = first + ruleCount(decision); rule-- > first;) {
    const failed = node;
    node = result(verdictOf(rule));
    const start = firstCondition(rule);
    for (let c = start + conditionCount(rule); c-- > start;) node = conditionNode(c, node, failed);
  }
  return node;
}

/** Tests one condition, which needs nothing in the accumulator. */
function conditionNode(condition: u32, yes: u32, no: u32): u32 {
  const argument = argumentOf(condition), operator = operatorOf(condition);
  if (operator == NE || operator == LT || operator == LE) {
    const swapped = yes;
    yes = no;
    no = swapped;
  }
  const low = loadWord(argumentOffset(argument, false), wordNode(condition, false, yes, no));
  if (!isWide(condition)) return low;
  return loadWord(argumentOffset(argument, true), wordNode(condition, true, low, no, yes));
}

/**
 * Tests one word for ==, >= or >, of which the operator is one or the contrary.
 *
 * @param equal where to go from the high word if the low one decides, from the low one if the condition holds
 * @param greater where to go from the high word if that is greater
 */
function wordNode(condition: u32, high: bool, equal: u32, no: u32, greater: u32 = no): u32 {
  const datum = datumOf(condition, high);
  switch (operatorOf(condition)) {
    case MASKED_EQ: {
      const mask = maskOf(condition, high);
      if (mask == 0) return equal;
      return datum == 0 ? test(ANY_BIT, mask, no, equal) : and(mask, testEqual(datum, equal, no));
    }
    case EQ:
    case NE:
      return testEqual(datum, equal, no);
  }
  if (high) return test(GREATER, datum, greater, testEqual(datum, equal, no));
  const code = operatorOf(condition) == GE || operatorOf(condition) == LT ? AT_LEAST : GREATER;
  return test(code, datum, equal, no);
}
