/** `hako events`: statistics of a container, and its deaths for want of memory. @module */

import { Container } from "../container/container.ts";
import { readResctrlStats } from "../container/intel_rdt_stats.ts";
import { stateRoot } from "../container/state.ts";
import { StateError, UsageError } from "../errors.ts";
import { stringify } from "../spec/json.ts";
import { defineCommand } from "./command.ts";

export const events = defineCommand({
  name: "events",
  summary: "print the statistics of a container, again and again, and when it runs out of memory",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    stats: { type: "flag", help: "print the statistics once" },
    interval: { type: "text", value: "DURATION", help: "time between two statistics (5s)" },
  },
  action({ args: [id], options, global, print }) {
    const container = Container.load(stateRoot(global.root), id);
    const interval = parseDuration(options.interval ?? "5s");
    if (["creating", "stopped"].includes(container.status())) {
      throw new StateError(id, `container with id ${id} is not running`);
    }
    const { cgroup } = container;
    if (cgroup === undefined) throw new StateError(id, "the container has no cgroup");
    const event = (type: string, data?: unknown) =>
      print(`${stringify({ type, id, ...(data ? { data } : {}) })}\n`);
    const { resctrl } = container.state;
    const stats = () =>
      event("stats", {
        ...cgroup.stats(),
        ...resctrl && { intel_rdt: readResctrlStats(resctrl) },
      });
    if (options.stats) {
      stats();
      return 0;
    }
    let kills = cgroup.oomKillCount();
    for (let next = Date.now(); container.status() !== "stopped";) {
      const now = cgroup.oomKillCount();
      for (; kills < now; kills++) event("oom");
      if (Date.now() >= next) {
        stats();
        next += interval;
      }
      // A timer of Deno's costs 13 ms to load.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MILLISECONDS);
    }
    // The first process may have been the one.
    for (const now = cgroup.oomKillCount(); kills < now; kills++) event("oom");
    return 0;
  },
});

/** How soon a kill is seen. */
const POLL_MILLISECONDS = 100;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "5s", "1m30s", "500ms": in milliseconds. */
function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
  if (parts.map(([part]) => part).join("") === text && total > 0) return total;
  throw new UsageError(`duration interval must be greater than 0, as "5s", not "${text}"`);
}
