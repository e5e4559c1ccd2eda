/**
 * Fuzzes one target in a process of its own: `worker.ts TARGET SEED SECONDS FILE [--keep]`. Before each input is tried it is
 * written to FILE, so that whoever started us has it if we crash or hang. The last line of stdout is a {@linkcode Report}.
 *
 * @module
 */
import { Coverage } from "./coverage.ts";
import { distil, Fuzzer, minimiseFailure } from "./fuzzer.ts";
import { readCorpus, writeCorpus } from "./store.ts";
import { targets } from "./targets/mod.ts";

/** What came of it. */
export interface Report {
  readonly cases: number;
  readonly corpus: number;
  /** Characters of source that have run, and how many of them only mutated inputs have reached. */
  readonly covered: number;
  readonly added: number;
  readonly outcomes: number;
  readonly failures: readonly { readonly input: string; readonly text: string }[];
}

/** Of each corpus in the repository. */
const CORPUS_CHARACTERS = 20_000;

const [name = "", seed, seconds, file = ""] = Deno.args;
const target = targets[name]!;
const coverage = await Coverage.start();
const fuzzer = new Fuzzer(target, coverage, Number(seed));
const end = Date.now() + 1000 * Number(seconds);

const attempt = async (input: string) => {
  Deno.writeTextFileSync(file, input);
  await fuzzer.add(input);
};

const stored = readCorpus(name);
for (const input of [...target.seeds, ...stored]) await attempt(input);
const first = fuzzer.covered;
while (Date.now() < end && fuzzer.corpus.length > 0) await attempt(fuzzer.next());

const { cases, corpus, covered, outcomes } = fuzzer;
const report: Report = {
  cases,
  corpus: corpus.length,
  covered,
  added: covered - first,
  outcomes,
  failures: await Promise.all(fuzzer.failures.map(async (failure) => ({
    input: await minimiseFailure(target, failure),
    text: `${failure.error.stack}`,
  }))),
};
if (Deno.args.includes("--keep")) {
  const inputs = [...stored, ...corpus];
  writeCorpus(
    name,
    await distil(target, coverage, { seeds: target.seeds, inputs, characters: CORPUS_CHARACTERS }),
  );
}
coverage.close();
console.log(`\n${JSON.stringify(report)}`);
Deno.exit();
