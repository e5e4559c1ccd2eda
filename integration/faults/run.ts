/**
 * `deno task faults [--quick] [--seconds N]`: every step of the plans of real configs and every call of the runtime's own
 * fails in every way that its man page has, one at a time. As root.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { adoptOrphans } from "../support/children.ts";
import { Box } from "../support/fixture.ts";
import { type ConfigName, CONFIGS, faultBundle, type GoldenBundle, PLANS } from "./golden.ts";
import { unexplained } from "./left_out.ts";
import { otherCommands, type Scenario, type ScenarioName, scenarios } from "./scenarios.ts";
import { allSites, type Site } from "./sites.ts";
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

/** Which are told nothing of by a config: they are surveyed with one. */
const OTHERS = ["others", "calls"] as const;

type SurveyName = typeof SURVEYS[number] | typeof OTHERS;

export interface Options {
  readonly quick: boolean;
  /** As Date.now() has it. */
  readonly deadline: number;
}

/** Runs surveys of one config, each for its share of the time that is left. */
export async function surveyGolden(
  golden: ConfigName,
  { quick, deadline }: Options,
  surveys: readonly SurveyName[] = golden === DEFAULT ? [...SURVEYS, OTHERS] : SURVEYS,
): Promise<Counts> {
  adoptOrphans();
  const counts: Counts = { cases: 0, leaks: [], unnamed: [], skipped: 0, sites: new Set() };
  for (const [index, [name, kind]] of surveys.entries()) {
    const box = new Box();
    const bundle = faultBundle(box, golden);
    try {
      const end = Date.now() + (deadline - Date.now()) / (surveys.length - index);
      const chosen = named(name, golden, bundle);
      for (const [number, scenario] of chosen.entries()) {
        const share = (end - Date.now()) / (chosen.length - number);
        const survey = await Survey.of(scenario, { box, counts, quick, deadline: Date.now() + share });
        await survey[kind]();
      }
    } finally {
      bundle.close();
      await box.remove();
    }
  }
  return counts;
}

function named(name: ScenarioName | "others", golden: ConfigName, bundle: GoldenBundle): readonly Scenario[] {
  return name === "others" ? otherCommands(golden, bundle) : [scenarios(golden, bundle)[name]];
}

/** The same of one config where there is cgroup v2 alone. */
export async function surveyOnV2({ quick, deadline }: Options): Promise<Counts> {
  const view = new URL("../guest/v2.sh", import.meta.url).pathname;
  const words = [
    ...[
      Deno.execPath(),
      "run",
      "--allow-all",
      "--quiet",
      "--no-check",
      new URL(import.meta.url).pathname,
      "--on-v2",
    ],
    ...quick ? ["--quick"] : [],
    ...deadline === Infinity ? [] : ["--seconds", `${Math.max(1, deadline - Date.now()) / 1000}`],
  ];
  const { success, stdout } = await new Deno.Command(view, { args: words, stderr: "inherit" }).output();
  if (!success) throw new Error("the survey on cgroup v2 has failed");
  const counts = JSON.parse(new TextDecoder().decode(stdout));
  return { ...counts, sites: new Set(counts.sites) };
}

const DEFAULT = "docker-default";

/** All surveys, by the name of the config. */
export const ALL: Readonly<Record<string, (options: Options) => Promise<Counts>>> = {
  ...Object.fromEntries(CONFIGS.map((name) => [name, (options: Options) => surveyGolden(name, options)])),
  ...Object.fromEntries(PLANS.map((name) => [
    `${name}, its steps`,
    (options: Options) => surveyGolden(name, options, [["container", "steps"]]),
  ])),
  [`${DEFAULT} on cgroup v2`]: surveyOnV2,
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string", default: "Infinity" },
      "on-v2": { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds takes a number, not ${values.seconds}`);
  const end = Date.now() + seconds * 1000;
  if (values["on-v2"]) {
    const { sites, ...counts } = await surveyGolden(DEFAULT, { quick, deadline: end });
    console.log(JSON.stringify({ ...counts, sites: [...sites] }));
    Deno.exit();
  }
  const total = { cases: 0, leaks: 0, unnamed: 0, skipped: 0 };
  const reached = new Set<Site>();
  const surveys = Object.entries(ALL);
  for (const [index, [name, survey]] of surveys.entries()) {
    const deadline = Date.now() + (end - Date.now()) / (surveys.length - index);
    const { cases, leaks, unnamed, skipped, sites } = await survey({ quick, deadline });
    sites.forEach((site) => reached.add(site));
    console.log(`${name}: ${cases} cases`);
    leaks.forEach((line) => console.log(`  left: ${line}`));
    unnamed.forEach((line) => console.log(`  unnamed: ${line}`));
    total.cases += cases;
    total.leaks += leaks.length;
    total.unnamed += unnamed.length;
    total.skipped += skipped;
  }
  const sites = allSites();
  const missing = unexplained(sites, reached);
  missing.forEach((line) => console.log(`  ${line}`));
  const failing = [...sites.keys()].filter((site) => reached.has(site)).length;
  console.log(
    `of ${sites.size} lines with calls ${failing} were made to fail, ` +
      `${sites.size - failing - missing.length} are left out for a reason, ${missing.length} without one`,
  );
  if (total.skipped > 0) console.log(`${total.skipped} cases were left out, for want of time`);
  console.log(`faults: ${total.cases} cases, ${total.leaks} leaks, ${total.unnamed} unnamed`);
  Deno.exit(total.leaks + total.unnamed + missing.length === 0 ? 0 : 1);
}
