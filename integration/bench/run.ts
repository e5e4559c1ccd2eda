/**
 * `deno task bench [--quick] [--check] [--json FILE] [--svg FILE]`: how long containers take to run, beside runc and crun.
 *
 * hyperfine measures a few runs of each runtime, again and again in turn, so that what slows the machine down for a while
 * slows all of them. With `--check` it fails if Hako's median is not below runc's.
 *
 * @module
 */
import { build } from "../../build.ts";
import type { BundleOptions } from "../support/bundle.ts";
import { compileFilter } from "../../runtime/container/filter.ts";
import { plot } from "./plot.ts";
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

export interface Row {
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
export const QUICK: Size = { rounds: 2, runs: 3 };

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
        if (options.golden) Object.assign(commands, await floors(box, hako, path));
        rows.push(...summarize(name, await measure(commands, size, under)));
        rows.push(
          ...summarize(
            `create, start, delete${name.slice(3)}`,
            await measure(lifecycle(commands, path, box), size, under),
          ),
        );
      }
      const { path } = box.bundle({ args: ["/bin/true"], config: { ociVersion: "1.0.2" } });
      const runtimes = {
        hako,
        ...Object.fromEntries(["runc", "crun"].filter(isInstalled).map((name) => [name, name])),
      };
      rows.push(...summarize("20 runs at once", await measure(atOnce(runtimes, path, box), size, under)));
      rows.push(...summarize("exec", await measureExec(runtimes, box, size, under)));
      const floor = { "hako --version": `${hako} --version`, "true": "/bin/true" };
      rows.push(...summarize("nothing", await measure(floor, size, under)));
      return rows;
    });
  } finally {
    await box.remove();
  }
}

/** The same in three commands. */
function lifecycle(
  commands: Readonly<Record<string, string>>,
  bundle: string,
  { id }: Box,
): Record<string, string> {
  const runtimes = Object.entries(commands).filter(([, command]) => command.includes(" run -b "));
  return Object.fromEntries(runtimes.map(([name, command]) => {
    const runtime = command.slice(0, command.indexOf(" run -b "));
    const script =
      `${runtime} create -b ${bundle} ${id} </dev/null >/dev/null && ${runtime} start ${id} && ${runtime} delete -f ${id}`;
    return [name, `sh -c '${script}'`];
  }));
}

/** Twenty runs that start together, until the last has ended. */
function atOnce(
  runtimes: Readonly<Record<string, string>>,
  bundle: string,
  box: Box,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(runtimes).map(([name, runtime]) => {
      const one = `${runtime} --root ${box.directory}/${name} run -b ${bundle} ${box.id}-$i`;
      return [name, `bash -c 'for i in {1..20}; do ${one} & done; wait'`];
    }),
  );
}

/** Another `/bin/true` in a container that runs. */
async function measureExec(
  runtimes: Readonly<Record<string, string>>,
  box: Box,
  size: Size,
  under: readonly string[],
): Promise<Record<string, Times>> {
  const { path } = box.bundle({ args: ["/bin/sleep", "1000"], config: { ociVersion: "1.0.2" } });
  const command = (name: string) => `${runtimes[name]} --root ${box.directory}/${name}`;
  const prefix = under.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const names = Object.keys(runtimes);
  try {
    for (const name of names) {
      sh(`${prefix} ${command(name)} run -d -b ${path} ${box.id}-${name} </dev/null >/dev/null 2>&1`);
    }
    const commands = names.map((name) => [name, `${command(name)} exec ${box.id}-${name} /bin/true`]);
    return await measure(Object.fromEntries(commands), size, under);
  } finally {
    for (const name of names) sh(`${prefix} ${command(name)} delete -f ${box.id}-${name}`);
  }
}

/**
 * What the same container costs without a runtime: compiled; by the calls alone (bare.c); and, with as many namespaces but
 * without cgroup, filter and masks, bubblewrap's.
 */
async function floors(box: Box, hako: string, bundle: string): Promise<Record<string, string>> {
  const config = JSON.parse(Deno.readTextFileSync(`${bundle}/config.json`));
  // Without a directory that stays, which would be in the way of the others.
  delete config.linux.cgroupsPath;
  Deno.writeTextFileSync(`${bundle}/compiled.json`, JSON.stringify(config));
  const [tool, bare, filter] = ["compiled", "bare", "filter"].map((name) => `${box.directory}/${name}`) as [
    string,
    string,
    string,
  ];
  sh(`${hako} compile -b ${bundle} -f ${bundle}/compiled.json -o ${tool}`);
  const found: Record<string, string> = { compiled: tool };
  if (isInstalled("gcc")) {
    sh(`gcc -O2 -static -o ${bare} ${import.meta.dirname}/bare.c`);
    Deno.writeFileSync(filter, (await compileFilter(config))!.program);
    found.bare = `${bare} ${bundle}/rootfs ${filter} /bin/true`;
  }
  if (isInstalled("bwrap")) {
    const namespaces = "--unshare-pid --unshare-net --unshare-ipc --unshare-uts";
    const mounts = `--bind ${bundle}/rootfs / --proc /proc --dev /dev --tmpfs /dev/shm`;
    found.bwrap = `bwrap ${namespaces} ${mounts} --cap-drop ALL /bin/true`;
  }
  return found;
}

function sh(script: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", script] }).outputSync();
  if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
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
      name.padEnd(40),
      command.padEnd(16),
      median.toFixed(1).padStart(8),
      min.toFixed(1).padStart(8),
      (faster === undefined ? "" : `${faster.toFixed(2)} x`).padStart(10),
      `${runs}`.padStart(6),
    ].join("")
  );
  return [`${"".padEnd(56)}  median     min    vs runc  runs`, ...lines].join("\n");
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
  const svg = Deno.args.indexOf("--svg");
  if (svg >= 0) Deno.writeTextFileSync(Deno.args[svg + 1]!, plot(rows));
  const slower = rows.filter(({ command, timesFasterThanRunc: faster = 2 }) =>
    command === "hako" && faster <= 1
  );
  if (Deno.args.includes("--check") && slower.length > 0) {
    console.error(slower.map(({ case: name }) => `${name}: not faster than runc`).join("\n"));
    Deno.exit(1);
  }
}
