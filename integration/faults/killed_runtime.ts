/**
 * A runtime that kills itself: `killed_runtime.ts MOMENT BUNDLE ROOT ID`. The moment is a barrier, or `spawned+N`: N
 * microseconds after the init was spawned, wherever that has got to.
 *
 * @module
 */
import { createContainer } from "../../runtime/container/create.ts";
import { Init } from "../../runtime/init/init.ts";
import type { BarrierName } from "../../runtime/plan/node.ts";
import { parseConfig } from "../../runtime/spec/parse.ts";
import { atBarrier } from "./at_barrier.ts";

const [moment, bundle, root, id] = Deno.args as [string, string, string, string];

function die(): never {
  Deno.kill(Deno.pid, "SIGKILL");
  for (;;);
}

if (moment.startsWith("spawned+")) {
  const { spawn } = Init;
  Init.spawn = (...args) => {
    spawn(...args);
    for (
      const end = performance.now() + Number(moment.slice("spawned+".length)) / 1000;
      performance.now() < end;
    );
    die();
  };
} else {
  atBarrier(moment as BarrierName, die);
}
await createContainer(parseConfig(Deno.readTextFileSync(`${bundle}/config.json`)), { id, bundle, root });
