/**
 * `deno task bench [--quick] [--check] [--json FILE]`: how long containers take to run, beside runc and crun.
 *
 * hyperfine measures a few runs of each runtime, again and again in turn, so that what slows the machine down for a while
 * slows all of them. With `--check` it fails if Hako's median is not below runc's.
 *
 * @module
 */
import { build } from "../../build.ts";
import type { BundleOptions } from "../support/bundle.ts";
import { Box } from "../support/fixture.ts";
import { withV1Controllers } from "../support/v1_controllers.ts";

/** What is run: the same program in less and in more of a container. */
const CASES: Readonly<Record<string, BundleOptions>> = {
  "run, as `spec` has it": { config: { ociVersion: "1.0.2" } },
  "run, as Docker has it": {
    golden: "docker-default",
    config: { hooks: null, linux: { cgroupsPath: "/hako-bench" } },
  },
};

/** Times of one command in milliseconds, in order of length. */
export type Times = readonly number[];

interface Row {
  readonly case: string;
  readonly command: string;
  readonly median: number;
  readonly min: number;
  /** How often the command fits into the time that runc takes. */
  readonly timesFasterThanRunc?: number;
  readonly runs: number;
}

export interface Size {
  readonly rounds: number;
  readonly runs: number;
}

export const FULL: Size = { rounds: 20, runs: 5 };
export const QUICK: Size = { rounds: 4, runs: 5 };

async function measureAll(size: Size): Promise<Row[]> {
  const box = new Box();
  try {
    const hako = build(`${box.directory}/dist`);
    return await withV1Controllers(["hugetlb"], async (under) => {
      const rows: Row[] = [];
      for (const [name, options] of Object.entries(CASES)) {
        const { path } = box.bundle({ args: ["/bin/true"], ...options });
        const peers = ["runc", "crun"].filter(isInstalled);
        const command = (runtime: string) =>
          `${runtime} --root ${box.directory}/${runtime.slice(-4)} run -b ${path} ${box.id}`;
        const commands = Object.fromEntries([
          ["hako", command(hako)],
          ...peers.map((peer) => [peer, command(peer)]),
        ]);
        rows.push(...summarize(name, await measure(commands, size, under)));
      }
      const floor = { "hako --version": `${hako} --version`, "true": "/bin/true" };
      rows.push(...summarize("nothing", await measure(floor, size, under)));
      return rows;
    });
  } finally {
    box.remove();
  }
}

/** Runs each command `runs` times in turn, `rounds` times. */
export async function measure(
  commands: Readonly<Record<string, string>>,
  { rounds, runs }: Size,
  under: readonly string[],
): Promise<Record<string, Times>> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  const file = Deno.makeTempFileSync();
  try {
    for (let round = 0; round < rounds; round++) {
      const names = Object.keys(commands);
      // Nobody is always first.
      const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
      const options = [
        "--shell=none",
        "--warmup=1",
        `--runs=${runs}`,
        "--style=none",
        `--export-json=${file}`,
      ];
      const [program, ...args] = [...under, "hyperfine", ...options, ...order.map((name) => commands[name]!)];
      const { success, stderr } = await new Deno.Command(program!, { args, stdin: "null", stdout: "null" })
        .output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      const { results } = JSON.parse(Deno.readTextFileSync(file)) as { results: { times: number[] }[] };
      order.forEach((name, index) =>
        times[name]!.push(...results[index]!.times.map((seconds) => seconds * 1000))
      );
    }
    return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, all.sort((a, b) => a - b)]));
  } finally {
    Deno.removeSync(file);
  }
}

function summarize(name: string, times: Readonly<Record<string, Times>>): Row[] {
  const median = (all: Times) => all[Math.floor(all.length / 2)]!;
  return Object.entries(times).map(([command, all]) => ({
    case: name,
    command,
    median: median(all),
    min: all[0]!,
    ...times.runc && { timesFasterThanRunc: median(times.runc) / median(all) },
    runs: all.length,
  }));
}

function format(rows: readonly Row[]): string {
  const lines = rows.map(({ case: name, command, median, min, timesFasterThanRunc: faster, runs }) =>
    [
      name.padEnd(24),
      command.padEnd(16),
      median.toFixed(1).padStart(8),
      min.toFixed(1).padStart(8),
      (faster === undefined ? "" : `${faster.toFixed(2)} x`).padStart(10),
      `${runs}`.padStart(6),
    ].join("")
  );
  return [`${"".padEnd(40)}  median     min    vs runc  runs`, ...lines].join("\n");
}

export function isInstalled(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync()
    .success;
}

if (import.meta.main) {
  const rows = await measureAll(Deno.args.includes("--quick") ? QUICK : FULL);
  console.log(format(rows));
  const json = Deno.args.indexOf("--json");
  if (json >= 0) Deno.writeTextFileSync(Deno.args[json + 1]!, JSON.stringify(rows, null, 2) + "\n");
  const slower = rows.filter(({ command, timesFasterThanRunc: faster = 2 }) =>
    command === "hako" && faster <= 1
  );
  if (Deno.args.includes("--check") && slower.length > 0) {
    console.error(slower.map(({ case: name }) => `${name}: not faster than runc`).join("\n"));
    Deno.exit(1);
  }
}
