/** @see https://docs.kernel.org/admin-guide/cgroup-v1/cpusets.html @module */
import { parseRanges } from "../../runtime/spec/ranges.ts";
import { fileController } from "../controller.ts";
import type { Directory } from "../directory.ts";
import { type CpusetStats, parseInteger } from "../stats.ts";
import { cpuset as cpusetV2 } from "../v2/cpuset.ts";

const NUMBERS = [
  "cpu_exclusive",
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
  "sched_relax_domain_level",
] as const satisfies (keyof CpusetStats)[];

/** The two files that are written are those of cgroup v2. */
export const cpuset = fileController({
  name: "cpuset",
  settings: cpusetV2.settings,
  stats(directory, { cpuset }) {
    for (const name of NUMBERS) cpuset[name] = parseInteger(directory.tryRead(`cpuset.${name}`));
    for (const name of ["cpus", "mems"] as const) {
      cpuset[name] = expand(directory.tryRead(`cpuset.${name}`) ?? "");
    }
  },
});

/** A new cpuset is empty, and nothing can be in it: it gets what its parent has, down from `root`. */
export function inheritCpuset(directory: Directory, root: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) inherit(directory, root, file);
}

/** @returns what is in the file then */
function inherit(directory: Directory, root: string, file: string): string {
  const own = directory.read(file).trim();
  if (own !== "" || directory.path === root) return own;
  const value = inherit(directory.parent, root, file);
  directory.write(file, value);
  return value;
}

/** "0-2,5" is 0, 1, 2, 5. */
function expand(list: string): number[] {
  return (parseRanges(list.trim()) ?? []).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
  );
}
