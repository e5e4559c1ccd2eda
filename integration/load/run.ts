/**
 * `deno task load [--row N] [--alive N] [--flight N]`: containers in a row, alive at once, and created at once. Prints what
 * docs/load.md has, and draws its plot. As root.
 *
 * @module
 */
import type { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { adoptOrphans, livingChildren } from "../support/children.ts";
import { Box } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { leaks, snapshot } from "../support/leaks.ts";
import { plot } from "./plot.ts";

function number(name: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

// Deno has sockets for its signals from the first listener on: what is left is compared with now.
Deno.addSignalListener("SIGUSR2", () => {});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const megabytes = () => Deno.memoryUsage().rss / 2 ** 20;

adoptOrphans();
const box = new Box();
const before = snapshot(box.id);
const { path, config } = box.bundle({
  golden: "docker-default",
  args: ["/bin/true"],
  // The engine's, which is not here.
  config: { hooks: null },
});
const options = (id: string, cgroup = id) => ({
  config: { ...config, linux: { ...config.linux, cgroupsPath: `/${cgroup}` } },
  create: { id, bundle: path, root: box.state },
});

/** Create, start, wait and delete, in this process. @returns milliseconds and memory after each */
async function inARow(count: number): Promise<{ times: number[]; memory: number[] }> {
  const times: number[] = [];
  const memory: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const { config, create } = options(box.id);
    const container = await createContainer(config, create);
    container.start();
    await container.wait();
    container.delete();
    times.push(performance.now() - start);
    memory.push(megabytes());
  }
  return { times, memory };
}

/** Created and waiting to be started, all at once; then deleted. */
async function alive(count: number): Promise<number[]> {
  const times: number[] = [];
  const containers: Container[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      const { config, create } = options(`${box.id}-${index}`);
      containers.push(await createContainer(config, create));
      times.push(performance.now() - start);
    }
  } finally {
    containers.forEach((container) => container.delete(true));
  }
  return times;
}

/** `hako run` as so many processes at once. @returns how many failed */
async function inFlight(count: number): Promise<number> {
  const { path } = box.bundle({
    golden: "docker-default",
    args: ["/bin/true"],
    config: { hooks: null, linux: { cgroupsPath: null } },
  });
  const bundles = Array.from({ length: count }, () => path);
  const results = await Promise.all(
    bundles.map((bundle, index) =>
      // Each in the cgroup of its id.
      run([...HAKO, "--root", box.state, "run", "--bundle", bundle, `${box.id}-run${index}`])
    ),
  );
  return results.filter(({ status }) => status !== 0).length;
}

let failed = 0;
try {
  await inARow(20);
  const { times, memory } = await inARow(number("row", 2000));
  const tenth = Math.max(1, Math.floor(times.length / 10));
  const [first, last] = [median(times.slice(0, tenth)), median(times.slice(-tenth))];
  // V8 takes what it is to keep in the first half.
  const grown = median(memory.slice(-tenth)) - median(memory.slice(memory.length >> 1).slice(0, tenth));
  console.log(
    `in a row: ${times.length}, median ${median(times).toFixed(1)} ms, first tenth ${first.toFixed(1)} ms, ` +
      `last tenth ${last.toFixed(1)} ms, memory of the runtime in the second half ${grown >= 0 ? "+" : ""}${
        grown.toFixed(1)
      } MB`,
  );
  const file = Deno.args.includes("--plot") ? new URL("../../docs/load.svg", import.meta.url) : undefined;
  if (file !== undefined) Deno.writeTextFileSync(file, plot(times, "container", "milliseconds"));
  const together = await alive(number("alive", 500));
  console.log(`alive at once: ${together.length}, median ${median(together).toFixed(1)} ms to create one`);
  const flight = number("flight", 100);
  const start = performance.now();
  failed = await inFlight(flight);
  const seconds = (performance.now() - start) / 1000;
  console.log(`in flight: ${flight} runs in ${seconds.toFixed(1)} s, ${failed} failed`);
} finally {
  livingChildren();
  const left = await leaks(before, box.id);
  left.forEach((line) => console.log(`left: ${line}`));
  failed += left.filter((line) => !line.startsWith("descriptor")).length;
  await box.remove();
}
console.log(`load: ${failed === 0 ? "nothing left, nothing failed" : `${failed} failed`}`);
Deno.exit(failed === 0 ? 0 : 1);
