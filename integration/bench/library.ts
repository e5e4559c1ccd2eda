/** Containers made by the library, in this process. @module */
import { createContainer } from "../../runtime/container/create.ts";
import type { Config } from "../../runtime/spec/config.ts";
import type { Benchmark, Machine } from "./benchmark.ts";
import { makeBundle } from "./programs.ts";

/** @returns milliseconds of each */
async function inARow({ box }: Machine, path: string, count: number): Promise<number[]> {
  const config: Config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const container = await createContainer(config, { id: box.id, bundle: path, root: box.state });
    container.start();
    await container.wait();
    container.delete();
    times.push(performance.now() - start);
  }
  return times;
}

const inProcess: Benchmark = {
  name: "library",
  title: "create, start, wait and delete by the library, Docker's config",
  unit: "ms",
  targets: [{ command: "hako", most: 8 }],
  async measure(machine) {
    const { rounds, runs } = machine.size;
    const [first, ...rest] = await inARow(machine, makeBundle(machine, "docker"), 1 + rounds * runs);
    return { hako: rest, "the first": [first!] };
  },
};

const thousand: Benchmark = {
  name: "thousand",
  title: "the same a thousand times: the first hundred and the last",
  unit: "ms",
  targets: [{ command: "the last", times: 1.1, of: "the first" }],
  async measure(machine) {
    const { rounds, runs } = machine.size;
    const path = makeBundle(machine, "docker");
    const count = 10 * rounds * runs;
    // V8 compiles what is called often.
    await inARow(machine, path, count / 50);
    const times = await inARow(machine, path, count);
    return { "the first": times.slice(0, count / 10), "the last": times.slice(-count / 10) };
  },
};

export const libraryBenchmarks: readonly Benchmark[] = [inProcess, thousand];
