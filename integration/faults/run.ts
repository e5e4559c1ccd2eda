/**
 * `deno task faults [--quick] [--seconds N] [--only SURVEY]...`: every step of the plans of real configs and every call of
 * the runtime's own fails in every way that its man page has, one at a time. As root.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { adoptOrphans } from "../support/children.ts";
import { Box } from "../support/fixture.ts";
import { AREAS } from "./areas/mod.ts";
import { type ConfigName, CONFIGS, faultBundle, type GoldenBundle, PLANS, RARELY_USED } from "./golden.ts";
import { unexplained } from "./left_out.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";
import { allSites, type Site } from "./sites.ts";
import { type Counts, Survey } from "./survey.ts";

/** Which scenarios are led into which faults: the plan of `create` is that of `start` and `run` too. */
const SURVEYS = [
  ["container", "steps"],
  ["exec", "steps"],
  ["create", "calls"],
  ["start", "calls"],
  ["exec", "calls"],
  ["run", "calls"],
  ["delete", "calls"],
] as const satisfies readonly (readonly [ScenarioName, SurveyKind])[];

type SurveyKind = "steps" | "calls";

export interface Options {
  readonly quick: boolean;
  /** As Date.now() has it. */
  readonly deadline: number;
}

/** Surveys of one config, each for its share of the time that is left. */
async function surveyGolden(
  golden: ConfigName,
  options: Options,
  surveys: readonly (readonly [ScenarioName, SurveyKind])[] = SURVEYS,
): Promise<Counts> {
  const counts = noCounts();
  for (const [index, [name, kind]] of surveys.entries()) {
    await inBox(golden, async (box, bundle) => {
      const deadline = share(options.deadline, surveys.length - index);
      const scenario = { ...scenarios(golden, bundle)[name], slow: golden === RARELY_USED };
      const end = options.deadline;
      const survey = await Survey.of(scenario, { ...options, box, counts, deadline, end });
      await survey[kind]();
    });
  }
  return counts;
}

/** The calls of an area, each scenario for its share of the time that is left. */
async function surveyArea(area: keyof typeof AREAS, options: Options): Promise<Counts> {
  const counts = noCounts();
  await inBox(DEFAULT, async (box, bundle) => {
    const scenarios = AREAS[area]!(bundle);
    for (const [index, scenario] of scenarios.entries()) {
      const deadline = share(options.deadline, scenarios.length - index);
      const end = options.deadline;
      const survey = await Survey.of(scenario, { ...options, box, counts, deadline, end });
      await survey.calls();
    }
  });
  return counts;
}

async function inBox(golden: ConfigName, action: (box: Box, bundle: GoldenBundle) => Promise<void>) {
  adoptOrphans();
  const box = new Box();
  const bundle = faultBundle(box, golden);
  try {
    await action(box, bundle);
  } finally {
    bundle.close();
    await box.remove();
  }
}

function noCounts(): Counts {
  return { cases: 0, leaks: [], unnamed: [], skipped: 0, missed: 0, unreached: 0, sites: new Set() };
}

/** The end of the first of `count` parts, as Date.now() has it. */
function share(deadline: number, count: number): number {
  return Date.now() + (deadline - Date.now()) / count;
}

/** What is done in another way where there is cgroup v2 alone. */
async function surveyV2Parts({ quick, deadline }: Options): Promise<Counts> {
  const config = await surveyGolden(DEFAULT, { quick, deadline: share(deadline, 2) });
  const { cases, leaks, unnamed, skipped, missed, unreached, sites } = await surveyArea("other commands", {
    quick,
    deadline,
  });
  return {
    cases: config.cases + cases,
    leaks: [...config.leaks, ...leaks],
    unnamed: [...config.unnamed, ...unnamed],
    skipped: config.skipped + skipped,
    missed: config.missed + missed,
    unreached: config.unreached + unreached,
    sites: config.sites.union(sites),
  };
}

/** What takes a process of its own: a place with cgroup v2 alone, and what Deno's threads have open for a while. */
const PARTS: Readonly<Record<string, (options: Options) => Promise<Counts>>> = {
  "cgroup v2": surveyV2Parts,
  "the library": (options) => surveyArea("the library", options),
  "terminals": (options) => surveyArea("terminals", options),
};

/** One of {@linkcode PARTS} in a child of ours. @param under what starts it */
async function surveyInChild(
  part: keyof typeof PARTS,
  { quick, deadline }: Options,
  under: readonly string[] = [],
): Promise<Counts> {
  const [command, ...args] = [
    ...under,
    ...[Deno.execPath(), "run", "--allow-all", "--quiet", "--no-check"],
    ...[new URL(import.meta.url).pathname, "--part", part],
    ...quick ? ["--quick"] : [],
    ...deadline === Infinity ? [] : ["--seconds", `${Math.max(1, deadline - Date.now()) / 1000}`],
  ];
  const { success, stdout } = await new Deno.Command(command!, { args, stderr: "inherit" }).output();
  if (!success) throw new Error(`the survey of ${part} has failed`);
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
  ...Object.fromEntries(
    Object.keys(AREAS).map((name) => [name, (options: Options) => surveyArea(name, options)]),
  ),
  "the library": (options) => surveyInChild("the library", options),
  "terminals": (options) => surveyInChild("terminals", options),
  [`${DEFAULT} on cgroup v2`]: (options) =>
    surveyInChild("cgroup v2", options, [new URL("../guest/v2.sh", import.meta.url).pathname]),
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string", default: "Infinity" },
      only: { type: "string", multiple: true },
      part: { type: "string" },
    },
  });
  const { quick, only } = values;
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds takes a number, not ${values.seconds}`);
  const end = Date.now() + seconds * 1000;
  if (values.part !== undefined) {
    const { sites, ...counts } = await PARTS[values.part]!({ quick, deadline: end });
    console.log(JSON.stringify({ ...counts, sites: [...sites] }));
    Deno.exit();
  }
  const unknown = only?.find((name) => !Object.hasOwn(ALL, name));
  if (unknown !== undefined) throw new Error(`--only takes one of: ${Object.keys(ALL).join("; ")}`);
  const total = { cases: 0, leaks: 0, unnamed: 0, skipped: 0, missed: 0, unreached: 0 };
  const reached = new Set<Site>();
  const surveys = Object.entries(ALL).filter(([name]) => only?.includes(name) ?? true);
  for (const [index, [name, survey]] of surveys.entries()) {
    const { cases, leaks, unnamed, skipped, missed, unreached, sites } = await survey({
      quick,
      deadline: share(end, surveys.length - index),
    });
    sites.forEach((site) => reached.add(site));
    console.log(`${name}: ${cases} cases`);
    leaks.forEach((line) => console.log(`  left: ${line}`));
    unnamed.forEach((line) => console.log(`  unnamed: ${line}`));
    total.cases += cases;
    total.leaks += leaks.length;
    total.unnamed += unnamed.length;
    total.skipped += skipped;
    total.missed += missed;
    total.unreached += unreached;
  }
  const missing = only === undefined ? reportSites(reached, total.unreached) : 0;
  if (total.missed > 0) {
    console.log(`${total.missed} faults were not come to: their calls were not made again`);
  }
  if (total.skipped > 0) console.log(`${total.skipped} cases were left out, for want of time`);
  console.log(`faults: ${total.cases} cases, ${total.leaks} leaks, ${total.unnamed} unnamed`);
  Deno.exit(total.leaks + total.unnamed + missing === 0 ? 0 : 1);
}

/** @returns of how many lines with calls nobody knows why they were not made to fail: none, if that was for want of time */
function reportSites(reached: ReadonlySet<Site>, unreached: number): number {
  const sites = allSites();
  const missing = unexplained(sites, reached);
  const failing = [...sites.keys()].filter((site) => reached.has(site)).length;
  const rest = `${failing} of ${sites.size} lines with calls were made to fail`;
  if (unreached > 0) {
    console.log(`${rest}, and some were not reached for want of time`);
    return 0;
  }
  missing.forEach((line) => console.log(`  ${line}`));
  const explained = sites.size - failing - missing.length;
  console.log(`${rest}, ${explained} are left out for a reason, ${missing.length} without one`);
  return missing.length;
}
