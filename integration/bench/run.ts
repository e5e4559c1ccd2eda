/**
 * `deno task bench [ROW...]`: how long containers take and how much memory, beside runc, crun and, if the environment
 * variable YOUKI names one, youki; as root. ROW is a part of a row's name; without any, all rows are measured.
 *
 * - `--list` prints the names
 * - `--docs` writes the table, the figures and the plot to docs/
 * - `--json FILE`, `--svg FILE`
 * - `--quick`: few runs, which say nothing but that each row can be measured
 * - `--check`: fail if a target is missed
 *
 * HAKO names the program that is measured; without it one is built.
 *
 * @module
 */
import { build } from "../../build.ts";
import { Box } from "../support/fixture.ts";
import { withV1Controllers } from "../support/v1_controllers.ts";
import { type Benchmark, type Machine, type Row, type Size, summarize } from "./benchmark.ts";
import { commandBenchmarks } from "./commands.ts";
import { libraryBenchmarks } from "./library.ts";
import { memoryBenchmarks } from "./memory.ts";
import { plot } from "./plot.ts";
import { isInstalled, sh } from "./programs.ts";
import { formatTable, markdownTable } from "./report.ts";
import { seccompBenchmarks } from "./seccomp.ts";

const BENCHMARKS: readonly Benchmark[] = [
  ...commandBenchmarks,
  ...libraryBenchmarks,
  ...memoryBenchmarks,
  ...seccompBenchmarks,
];

const FULL: Size = { rounds: 20, runs: 5 };
const QUICK: Size = { rounds: 1, runs: 2 };

interface Report {
  readonly machine: string;
  readonly runtimes: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

async function measure(chosen: readonly Benchmark[], size: Size): Promise<Report> {
  const box = new Box();
  try {
    const runtimes = { hako: Deno.env.get("HAKO") ?? build(`${box.directory}/dist`), ...peers() };
    return await withV1Controllers(["hugetlb"], async (under) => {
      const machine: Machine = { box, runtimes, under, size };
      const rows: Row[] = [];
      for (const benchmark of chosen) {
        const missing = benchmark.needs?.find((program) => !isInstalled(program));
        if (missing !== undefined) console.error(`${benchmark.name} is left out: no ${missing}`);
        else {
          console.error(benchmark.name);
          rows.push(summarize(benchmark, await benchmark.measure(machine)));
        }
      }
      const version = (path: string) => sh(`${path} --version`).split("\n")[0]!;
      const versions = Object.entries(runtimes).map(([name, path]) => [name, version(path)]);
      return { machine: describeMachine(), runtimes: Object.fromEntries(versions), rows };
    });
  } finally {
    await box.remove();
  }
}

/** Who is compared with, by their paths: each is found once, and not by every run. */
function peers(): Record<string, string> {
  const youki = Deno.env.get("YOUKI");
  return {
    ...Object.fromEntries(
      ["runc", "crun"].filter(isInstalled).map((name) => [name, sh(`command -v ${name}`).trim()]),
    ),
    ...(youki && { youki }),
  };
}

function describeMachine(): string {
  return `Linux ${Deno.osRelease()}, ${Deno.build.arch}, ${navigator.hardwareConcurrency} CPUs`;
}

/** Puts the table between the two comments of docs/benchmarks.md, and the rest beside it. */
function writeDocs(report: Report): void {
  const docs = new URL("../../docs/", import.meta.url).pathname;
  const page = `${docs}benchmarks.md`;
  const [start, end] = ["<!-- figures -->", "<!-- end of figures -->"];
  const text = Deno.readTextFileSync(page);
  const beside = Object.values(report.runtimes).join(", ");
  const table = `${start}\n\n${report.machine}: ${beside}.\n\n${markdownTable(report.rows)}\n\n${end}`;
  Deno.writeTextFileSync(
    page,
    text.slice(0, text.indexOf(start)) + table + text.slice(text.indexOf(end) + end.length),
  );
  Deno.writeTextFileSync(`${docs}benchmarks.json`, toJson(report));
  Deno.writeTextFileSync(`${docs}benchmarks.svg`, plot(report.rows));
  sh(`${Deno.execPath()} fmt --quiet ${docs}benchmarks.*`);
}

function toJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

if (import.meta.main) {
  const args = [...Deno.args];
  const flag = (name: string) => args.includes(name) && args.splice(args.indexOf(name), 1).length > 0;
  const value = (name: string) => args.includes(name) ? args.splice(args.indexOf(name), 2)[1] : undefined;
  const [json, svg] = [value("--json"), value("--svg")];
  const [list, docs, quick, check] = ["--list", "--docs", "--quick", "--check"].map(flag);
  const chosen = BENCHMARKS.filter(({ name }) =>
    args.length === 0 || args.some((part) => name.includes(part))
  );
  if (chosen.length === 0) {
    console.error(`no row has ${args.join(" or ")} in its name; --list prints all`);
    Deno.exit(1);
  }
  if (list) {
    chosen.forEach(({ name, title }) => console.log(`${name.padEnd(18)} ${title}`));
    Deno.exit(0);
  }
  const report = await measure(chosen, quick ? QUICK : FULL);
  console.log(formatTable(report.rows));
  if (json !== undefined) Deno.writeTextFileSync(json, toJson(report));
  if (svg !== undefined) Deno.writeTextFileSync(svg, plot(report.rows));
  if (docs) writeDocs(report);
  const missed = report.rows.flatMap(({ targets }) => targets.filter(({ met }) => !met));
  if (check && missed.length > 0) {
    console.error(`${missed.length} targets are missed`);
    Deno.exit(1);
  }
}
