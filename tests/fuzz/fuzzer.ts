/**
 * The search for inputs that do what none has done: what runs new source, or comes to a new outcome, is kept and mutated
 * further.
 *
 * @module
 */
import type { Coverage } from "./coverage.ts";
import { minimise } from "./minimise.ts";
import { Random } from "./random.ts";
import { outcome, type Target } from "./target.ts";

/** Larger ones are tried and not kept: they would make all others slow. */
const MAX_KEPT = 32_768;

/** An input that nothing is thrown for on purpose. */
export interface Failure {
  readonly input: string;
  readonly error: Error;
  /** Where it was thrown: what failures of one kind have in common. */
  readonly where: string;
}

export class Fuzzer {
  readonly #target: Target;
  readonly #coverage: Coverage;
  readonly #random: Random;
  readonly #outcomes = new Set<string>();
  readonly #failures = new Map<string, Failure>();
  /** What has been kept. */
  readonly corpus: string[] = [];
  /** Characters of source that have run, and how many of them the first corpus did not reach. */
  covered = 0;
  cases = 0;

  constructor(target: Target, coverage: Coverage, seed: number) {
    this.#target = target;
    this.#coverage = coverage;
    this.#random = new Random(seed);
  }

  get outcomes(): number {
    return this.#outcomes.size;
  }

  get failures(): readonly Failure[] {
    return [...this.#failures.values()];
  }

  /** Tries an input. @returns a failure of a kind that there was none of */
  async add(input: string): Promise<Failure | undefined> {
    this.cases++;
    const { words, failure } = attempt(this.#target, input);
    const covered = await this.#coverage.take();
    const known = this.#outcomes.size;
    words.forEach((word) => this.#outcomes.add(word));
    const isNew = covered > 0 || this.#outcomes.size > known;
    this.covered += covered;
    if (failure === undefined) {
      if (isNew && input.length <= MAX_KEPT) this.corpus.push(input);
      return;
    }
    if (this.#failures.has(failure.where)) return;
    this.#failures.set(failure.where, failure);
    return failure;
  }

  /** Makes an input. Half of them come from what was found last. */
  next(): string {
    const { corpus } = this;
    const from = this.#random.once(2) ? corpus.slice(-32) : corpus;
    const input = this.#target.mutate(this.#random.pick(from), corpus, this.#random);
    // As any decoder of UTF-8 gives it.
    return input.toWellFormed();
  }
}

function attempt(target: Target, input: string): { words: readonly string[]; failure?: Failure } {
  try {
    return { words: outcome(target, input) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(`${thrown}`);
    return { words: [], failure: { input, error, where: whereOf(error) } };
  }
}

/** The class, and the first place in our sources. */
function whereOf(error: Error): string {
  const places = [...`${error.stack}`.matchAll(/\/([\w-]+\.ts:\d+):\d+/g)].map(([, place]) => place!);
  return `${error.name} ${places.find((place) => !/^(assert|target|fuzzer)\.ts/.test(place))}`;
}

/** The smallest input found that fails in the same place. */
export function minimiseFailure(target: Target, { input, where }: Failure): Promise<string> {
  return minimise(input, (smaller) => attempt(target, smaller).failure?.where === where);
}

/**
 * Few and small inputs that together with `seeds` still run and come to all that `inputs` do.
 *
 * @param characters that all of them may have: what is larger is left out
 */
export async function distil(
  target: Target,
  coverage: Coverage,
  { seeds, inputs, characters }: {
    readonly seeds: readonly string[];
    readonly inputs: readonly string[];
    readonly characters: number;
  },
): Promise<string[]> {
  await coverage.forget();
  const fuzzer = new Fuzzer(target, coverage, 0);
  for (const seed of seeds) await fuzzer.add(seed);
  const before = fuzzer.corpus.length;
  for (const input of inputs.toSorted((one, other) => one.length - other.length)) await fuzzer.add(input);
  let left = characters;
  return fuzzer.corpus.slice(before).filter((input) => (left -= input.length) >= 0);
}
