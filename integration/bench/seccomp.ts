/**
 * `deno run -A integration/bench/seccomp.ts [--quick]`: what Docker's seccomp profile adds to the time that a container
 * takes to run, for Hako, runc and crun. All commands are measured in turn.
 *
 * @module
 */
import { build } from "../../build.ts";
import type { Seccomp } from "../../runtime/spec/seccomp.ts";
import { Box } from "../support/fixture.ts";
import { run } from "../support/hako.ts";
import { withV1Controllers } from "../support/v1_controllers.ts";
import { FULL, isInstalled, measure, QUICK, type Times } from "./run.ts";

const size = Deno.args.includes("--quick") ? QUICK : FULL;
const box = new Box();
try {
  await withV1Controllers(["hugetlb"], async (under) => {
    const bundles = { with: bundle({}), without: bundle(null) };
    const commands: Record<string, string> = {};
    for (const runtime of [build(`${box.directory}/dist`), ...["runc", "crun"].filter(isInstalled)]) {
      const program = runtime.split("/").at(-1)!;
      const command = (path: string) =>
        `${runtime} --root ${box.directory}/${program} run -b ${path} ${box.id}`;
      const { status, stderr } = await run([...under, ...command(bundles.with).split(" ")]);
      if (status !== 0) console.log(`${program} is left out: ${stderr.trim()}`);
      else for (const [name, path] of Object.entries(bundles)) commands[`${program} ${name}`] = command(path);
    }
    print(await measure(commands, size, under));
  });
} finally {
  await box.remove();
}

function bundle(seccomp: Partial<Seccomp> | null): string {
  return box.bundle({
    golden: "docker-default",
    args: ["/bin/true"],
    config: { ociVersion: "1.0.2", hooks: null, linux: { cgroupsPath: "/hako-bench", seccomp } },
  }).path;
}

function print(times: Readonly<Record<string, Times>>): void {
  console.log("milliseconds         with profile         without            more");
  console.log("                     min  median     min  median     min  median");
  for (const [name, filtered] of Object.entries(times).filter(([name]) => name.endsWith(" with"))) {
    const free = times[`${name}out`]!;
    const median = (all: Times) => all[Math.floor(all.length / 2)]!;
    const [min, mid] = [filtered[0]! - free[0]!, median(filtered) - median(free)];
    const row = [filtered[0]!, median(filtered), free[0]!, median(free), min, mid];
    console.log(name.slice(0, -5).padEnd(16) + row.map((value) => value.toFixed(1).padStart(8)).join(""));
  }
}
