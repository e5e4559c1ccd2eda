/** What is kept of fuzzing in the repository: inputs that run what others do not, and those that once failed. @module */

const here = (path: string) => new URL(path, import.meta.url);

/** The corpus of a target, beside its seeds: a string of JSON on each line. */
export function readCorpus(target: string): string[] {
  return readIfThere(here(`corpus/${target}.jsonl`)).split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

export function writeCorpus(target: string, inputs: readonly string[]): void {
  Deno.mkdirSync(here("corpus"), { recursive: true });
  const lines = inputs.toSorted().map((input) => `${JSON.stringify(input)}\n`);
  Deno.writeTextFileSync(here(`corpus/${target}.jsonl`), lines.join(""));
}

/** What once failed, by the names of its files. */
export function readFound(target: string): [name: string, input: string][] {
  const names = [...Deno.readDirSync(here("found"))].map(({ name }) => name);
  return names.filter((name) => name.startsWith(`${target}-`)).sort()
    .map((name) => [name, Deno.readTextFileSync(here(`found/${name}`))]);
}

/** @returns the path of the new file */
export function writeFound(target: string, hash: number, input: string): string {
  const file = here(`found/${target}-${hash.toString(16)}`);
  Deno.writeTextFileSync(file, input);
  return file.pathname;
}

function readIfThere(file: URL): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}
