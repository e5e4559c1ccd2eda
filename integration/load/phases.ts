/** What containers are made to do, many of them: each phase tells how long it took. @module */
import type { Container } from "../../runtime/container/container.ts";
import { createContainer } from "../../runtime/container/create.ts";
import { intoFiles } from "../support/commands.ts";
import type { Box } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** Docker's default configuration without its hook, which is the engine's. */
const golden = "docker-default";

function milliseconds<T>(times: number[], fn: () => T): T {
  const start = performance.now();
  const result = fn();
  times.push(performance.now() - start);
  return result;
}

/** What is left in the heap, in bytes: `--v8-flags=--expose-gc`. */
function heapInUse(): number {
  (globalThis as unknown as { gc(): void }).gc();
  return Deno.memoryUsage().heapUsed;
}

export interface Row {
  /** Milliseconds of each container. */
  readonly times: readonly number[];
  /** By how many bytes the heap has grown for each container, in the second half. */
  readonly heapGrowth: number;
  /** Resident memory of this process after half of them and at the end, in bytes. */
  readonly resident: readonly [half: number, end: number];
}

/** Create, start, wait and delete, one after the other, in this process. */
export async function inARow(box: Box, count: number): Promise<Row> {
  const { path, config } = box.bundle({ golden, args: ["/bin/true"], config: { hooks: null } });
  const times: number[] = [];
  let [heap, resident] = [0, 0];
  for (let index = 0; index < count; index++) {
    if (index === count >> 1) [heap, resident] = [heapInUse(), Deno.memoryUsage().rss];
    const start = performance.now();
    const linux = { ...config.linux, cgroupsPath: `/${box.id}` };
    const container = await createContainer({ ...config, linux }, {
      id: box.id,
      bundle: path,
      root: box.state,
    });
    container.start();
    await container.wait();
    container.delete();
    times.push(performance.now() - start);
  }
  const heapGrowth = (heapInUse() - heap) / (count - (count >> 1));
  return { times, heapGrowth, resident: [resident, Deno.memoryUsage().rss] };
}

export interface Alive {
  /** Milliseconds of each. */
  readonly created: readonly number[];
  readonly started: readonly number[];
  readonly deleted: readonly number[];
  /** Milliseconds of one `hako list` and one `hako exec` beside all of them. */
  readonly list: number;
  readonly exec: number;
  /** Bytes of the machine's memory for each, and of this process's heap. */
  readonly memory: number;
  readonly own: number;
  /** Descriptors of this process's for each. */
  readonly descriptors: number;
  /** Why it ended before all were made. */
  readonly end?: string;
}

/** All created, then all started and running, then deleted. */
export async function alive(box: Box, count: number): Promise<Alive> {
  const { path, config } = box.bundle({ golden, args: ["/bin/sleep", "600"], config: { hooks: null } });
  const [created, started, deleted]: [number[], number[], number[]] = [[], [], []];
  const containers: Container[] = [];
  const before = { available: available(), own: heapInUse(), fds: descriptorsNow() };
  let end: string | undefined;
  try {
    for (let index = 0; index < count; index++) {
      const id = `${box.id}-${index}`;
      const start = performance.now();
      const linux = { ...config.linux, cgroupsPath: `/${id}` };
      try {
        containers.push(await createContainer({ ...config, linux }, { id, bundle: path, root: box.state }));
      } catch (error) {
        end = `after ${index}: ${error instanceof Error ? error.message : error}`;
        break;
      }
      created.push(performance.now() - start);
    }
    for (const container of containers) milliseconds(started, () => container.start());
    const states = containers.filter((container) => container.status() !== "running");
    if (states.length > 0) end = `${states.length} of ${containers.length} do not run`;
    const memory = (before.available - available()) / containers.length;
    const own = (heapInUse() - before.own) / containers.length;
    const descriptors = (descriptorsNow() - before.fds) / containers.length;
    const list = await timed(box, "list", "--quiet");
    const exec = await timed(box, "exec", `${box.id}-${containers.length - 1}`, "true");
    return { created, started, deleted, list, exec, memory, own, descriptors, ...end && { end } };
  } finally {
    for (const container of containers) milliseconds(deleted, () => container.delete(true));
  }
}

function descriptorsNow(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

async function timed(box: Box, ...words: string[]): Promise<number> {
  const start = performance.now();
  const { status, stderr } = await run([...HAKO, "--root", box.state, ...words]);
  if (status !== 0) throw new Error(`${words[0]}: ${stderr}`);
  return performance.now() - start;
}

/** MemAvailable of proc_meminfo(5), in bytes. */
function available(): number {
  return 1024 * Number(/^MemAvailable:\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/meminfo"))![1]);
}

export interface Flight {
  /** Seconds until all were done. */
  readonly create: number;
  readonly start: number;
  readonly delete: number;
  readonly run: number;
  /** What those that failed have said. */
  readonly failed: readonly string[];
}

/** So many `hako create` at once, as processes; then as many `start`, `delete --force`, and `run`. */
export async function inFlight(box: Box, count: number): Promise<Flight> {
  const bundle = (args: string[]) =>
    // Each in the cgroup of its id.
    box.bundle({ golden, args, config: { hooks: null, linux: { cgroupsPath: null } } }).path;
  const [sleeping, ending] = [bundle(["/bin/sleep", "600"]), bundle(["/bin/true"])];
  const failed: string[] = [];
  const all = async (words: (id: string) => string[]) => {
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, async (_, index) => {
      const id = `${box.id}-flight${index}`;
      // A container holds what the command has as its streams: files, or we would wait for it.
      const [out, error] = [`${box.directory}/${id}-out`, `${box.directory}/${id}-error`];
      const { status } = await run([...intoFiles(out, error), ...HAKO, "--root", box.state, ...words(id)]);
      if (status !== 0) failed.push(`${words(id)[0]}: ${status} ${Deno.readTextFileSync(error).trim()}`);
    }));
    return (performance.now() - start) / 1000;
  };
  return {
    create: await all((id) => ["create", "--bundle", sleeping, id]),
    start: await all((id) => ["start", id]),
    delete: await all((id) => ["delete", "--force", id]),
    run: await all((id) => ["run", "--bundle", ending, id]),
    failed,
  };
}
