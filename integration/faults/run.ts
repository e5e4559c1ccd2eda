/**
 * `deno task faults [--quick] [--seconds N]`: every step of the plans of real configs and every call of the runtime's own
 * fails in every way that its man page has, one at a time. As root.
 *
 * @module
 */
import { adoptOrphans } from "../support/children.ts";
import { Box } from "../support/fixture.ts";
import { GOLDEN } from "./golden.ts";
import { scenarios } from "./scenarios.ts";
import { type Counts, Survey } from "./survey.ts";

/** Which scenarios are led into which faults: the plan of `create` is that of `start` and `run` too. */
export const SURVEYS = [
  ["container", "steps"],
  ["exec", "steps"],
  ["create", "calls"],
  ["start", "calls"],
  ["exec", "calls"],
  ["run", "calls"],
  ["delete", "calls"],
] as const;

export interface Options {
  readonly quick: boolean;
  /** As Date.now() has it. */
  readonly deadline: number;
}

/** Runs all surveys of one config, each for its share of the time that is left. */
export async function surveyGolden(
  golden: typeof GOLDEN[number],
  { quick, deadline }: Options,
): Promise<Counts> {
  adoptOrphans();
  const counts: Counts = { cases: 0, leaks: [], unnamed: [], skipped: 0 };
  for (const [index, [name, kind]] of SURVEYS.entries()) {
    const box = new Box();
    try {
      const share = (deadline - Date.now()) / (SURVEYS.length - index);
      const survey = await Survey.of(scenarios(box, golden)[name], {
        box,
        counts,
        quick,
        deadline: Date.now() + share,
      });
      await survey[kind]();
    } finally {
      await box.remove();
    }
  }
  return counts;
}

if (import.meta.main) {
  const quick = Deno.args.includes("--quick");
  const given = Deno.args.indexOf("--seconds");
  const seconds = given < 0 ? Infinity : Number(Deno.args[given + 1]);
  const end = Date.now() + seconds * 1000;
  const total = { cases: 0, leaks: 0, unnamed: 0, skipped: 0 };
  for (const [index, golden] of GOLDEN.entries()) {
    const deadline = Date.now() + (end - Date.now()) / (GOLDEN.length - index);
    const { cases, leaks, unnamed, skipped } = await surveyGolden(golden, { quick, deadline });
    console.log(`${golden}: ${cases} cases`);
    leaks.forEach((line) => console.log(`  left: ${line}`));
    unnamed.forEach((line) => console.log(`  unnamed: ${line}`));
    total.cases += cases;
    total.leaks += leaks.length;
    total.unnamed += unnamed.length;
    total.skipped += skipped;
  }
  if (total.skipped > 0) console.log(`${total.skipped} cases were left out, for want of time`);
  console.log(`faults: ${total.cases} cases, ${total.leaks} leaks, ${total.unnamed} unnamed`);
  Deno.exit(total.leaks + total.unnamed === 0 ? 0 : 1);
}
