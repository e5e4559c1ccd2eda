/**
 * `deno task load [--row N] [--alive N] [--flight N] [--plot]`: containers in a row, alive at once, and made at once. Prints what
 * docs/load.md has, and draws its plots. As root.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { adoptOrphans, livingChildren, reapOrphans } from "../support/children.ts";
import { Box } from "../support/fixture.ts";
import { leaks, snapshot } from "../support/leaks.ts";
import { alive, inARow, inFlight } from "./phases.ts";
import { plot } from "./plot.ts";

const { values } = parseArgs({
  options: {
    row: { type: "string", default: "2000" },
    alive: { type: "string", default: "500" },
    flight: { type: "string", default: "100" },
    plot: { type: "boolean", default: false },
  },
});

/** Bytes of heap that a container may leave behind, and V8 may take for itself meanwhile. */
const HEAP_GROWTH = 500;
const HEAP_SLACK = 256 << 10;

// Deno has sockets for its signals from the first listener on: what is left is compared with now.
Deno.addSignalListener("SIGUSR2", () => {});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const ms = (values: readonly number[]) => `${median(values).toFixed(1)} ms`;
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** The first tenth and the last. */
function ends(times: readonly number[]): string {
  const tenth = Math.max(1, Math.floor(times.length / 10));
  return `first tenth ${ms(times.slice(0, tenth))}, last tenth ${ms(times.slice(-tenth))}`;
}

function draw(name: string, times: readonly number[]): void {
  const file = new URL(`../../docs/${name}`, import.meta.url);
  if (values.plot) Deno.writeTextFileSync(file, plot(times, "container", "milliseconds"));
}

const faults: string[] = [];
adoptOrphans();
const box = new Box();
const before = snapshot(box.id);
try {
  // What is compiled and loaded once.
  await inARow(box, 20);
  const { times, heapGrowth, resident } = await inARow(box, Number(values.row));
  console.log(`in a row: ${times.length}, median ${ms(times)}, ${ends(times)}`);
  console.log(
    `  heap ${heapGrowth.toFixed(0)} bytes more for each, resident ${resident.map(megabytes).join(" then ")}`,
  );
  if ((heapGrowth - HEAP_GROWTH) * times.length / 2 > HEAP_SLACK) {
    faults.push(`the heap grows by ${heapGrowth} bytes for each container`);
  }
  draw("load.svg", times);

  const together = await alive(box, Number(values.alive));
  const { created, started, deleted, list, exec, memory, own, descriptors, end } = together;
  console.log(`alive at once: ${started.length}, create ${ms(created)}, ${ends(created)}`);
  console.log(
    `  start ${ms(started)}, delete ${ms(deleted)}, list ${list.toFixed(0)} ms, exec ${
      exec.toFixed(0)
    } ms; for each ` +
      `${(memory / 1024).toFixed(0)} kB of the machine, ${(own / 1024).toFixed(0)} kB of our heap and ` +
      `${descriptors.toFixed(1)} descriptors of ours`,
  );
  if (end !== undefined) faults.push(`alive at once: ${end}`);
  draw("load-alive.svg", created);

  // What ends while a command runs is left to us.
  const reaping = setInterval(reapOrphans, 50);
  const flight = await inFlight(box, Number(values.flight));
  clearInterval(reaping);
  const seconds = (["create", "start", "delete", "run"] as const).map((name) =>
    `${name} ${flight[name].toFixed(1)} s`
  );
  console.log(`in flight: ${values.flight} at once, ${seconds.join(", ")}, ${flight.failed.length} failed`);
  faults.push(...flight.failed);
} finally {
  livingChildren();
  const left = await leaks(before, box.id);
  faults.push(...left.filter((line) => !line.startsWith("descriptor")).map((line) => `left: ${line}`));
  await box.remove();
}
faults.forEach((fault) => console.log(fault));
console.log(`load: ${faults.length === 0 ? "nothing left, nothing failed" : `${faults.length} failed`}`);
Deno.exit(faults.length === 0 ? 0 : 1);
