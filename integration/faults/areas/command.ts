/** A command as a scenario. @module */
import type { GoldenBundle } from "../golden.ts";
import { closeOthers, descriptors } from "../leftovers.ts";
import { hako, type Scenario, scenarios } from "../scenarios.ts";

export interface CommandOptions {
  /** Before it there is a container that runs. */
  readonly running?: boolean;
  /** What the user does before. */
  prepare?(): void;
  /** Commands before it, that do not fail. */
  readonly before?: readonly (readonly string[])[];
  /** A directory where it makes files for a while. */
  readonly temporary?: string;
}

/** `hako WORDS`. What it prints is the scenario's output. */
export function command(
  bundle: GoldenBundle,
  words: readonly string[],
  { running = false, prepare, before = [], temporary }: CommandOptions = {},
): Scenario {
  const { id, path, root, renew } = bundle;
  const { exec } = scenarios("", bundle);
  let printed = "";
  const left = () => temporary === undefined ? [] : temporaryFiles(temporary);
  return {
    name: words.join(" ").replaceAll(id, "ID").replaceAll(path, "BUNDLE"),
    async prepare() {
      left().forEach((path) => Deno.removeSync(path));
      prepare?.();
      const expected = running ? await exec.prepare!() : (renew(), {});
      const known = descriptors();
      for (const [name, ...args] of before) await hako(root, name!, args);
      closeOthers(known);
      return expected;
    },
    async act() {
      const [name, ...args] = words;
      printed = "";
      printed = await hako(root, name!, args);
    },
    holds: true,
    after: () => left().map((path) => `file ${path}`),
    output: () => printed.replaceAll(/\d+/g, "0"),
    ...running && { finish: exec.finish! },
  };
}

/** By the names that runtime/container/temporary.ts is asked for. */
function temporaryFiles(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => /^\.?hako-/.test(name))
    .map((name) => `${directory}/${name}`);
}
