/**
 * What holds of a cgroup whatever it is made of. Each machine runs the same tests and gives a reason for each that it
 * cannot run: the ones faked in a directory without root, the real ones in `integration/cgroups`.
 *
 * @module
 */

import type { Machine } from "./suite/fixture.ts";
import { lifeTests } from "./suite/life.ts";
import { limitTests } from "./suite/limits.ts";
import { processTests } from "./suite/processes.ts";

/** Defines all tests for one machine. */
export function runCgroupTests(machine: Machine): void {
  limitTests(machine);
  lifeTests(machine);
  processTests(machine);
}
