/**
 * What a benchmark is: commands that are measured in turn, and what is asked of their medians.
 *
 * @module
 */
import type { Box } from "../support/fixture.ts";

/** Figures of each command, or of each runtime. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** Where it is measured, and how often. */
export interface Machine {
  readonly box: Box;
  /** The programs by their names: "hako", and those of runc, crun and youki that there are. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** What commands of runtimes are run under: crun takes no mixture of cgroup v1 and v2. */
  readonly under: readonly string[];
  readonly size: Size;
}

/** All commands run `runs` times, one after the other, and this `rounds` times. */
export interface Size {
  readonly rounds: number;
  readonly runs: number;
}

/** The median of `command` is to be at most so much, or at most so many times that of another command. */
export type Target =
  & { readonly command: string }
  & ({ readonly most: number } | { readonly times: number; readonly of: string });

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly unit: "ms" | "µs" | "kB" | "instructions";
  /** Programs without which it is left out. */
  readonly needs?: readonly string[];
  readonly targets?: readonly Target[];
  measure(machine: Machine): Promise<Samples>;
}

/** A benchmark that was run. */
export interface Row extends Pick<Benchmark, "name" | "title" | "unit"> {
  readonly commands: readonly Figure[];
  readonly targets: readonly Verdict[];
}

export interface Figure {
  readonly command: string;
  readonly median: number;
  readonly min: number;
  readonly runs: number;
}

export interface Verdict {
  readonly command: string;
  /** "≤ 0.5 × runc" */
  readonly target: string;
  /** In the unit of the target: the times, or what was measured. */
  readonly found: number;
  readonly met: boolean;
}

/** @throws if a command has no figure */
export function summarize({ name, title, unit, targets = [] }: Benchmark, samples: Samples): Row {
  const commands = Object.entries(samples).map(([command, all]) => {
    if (all.length === 0) throw new Error(`${name}: nothing was measured of ${command}`);
    return { command, median: median(all), min: Math.min(...all), runs: all.length };
  });
  const of = (command: string) => commands.find((figure) => figure.command === command)?.median;
  return { name, title, unit, commands, targets: targets.flatMap((target) => judge(target, unit, of)) };
}

/** None where one of the two was not measured. */
function judge(target: Target, unit: string, of: (command: string) => number | undefined): Verdict[] {
  const { command } = target;
  const value = of(command);
  if (value === undefined) return [];
  if ("most" in target) {
    return [{ command, target: `≤ ${target.most} ${unit}`, found: value, met: value <= target.most }];
  }
  const other = of(target.of);
  if (other === undefined) return [];
  const found = value / other;
  return [{ command, target: `≤ ${target.times} × ${target.of}`, found, met: found <= target.times }];
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
