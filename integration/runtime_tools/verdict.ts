/**
 * What a program of the suite says.
 *
 * @see https://testanything.org/tap-version-13-specification.html
 * @module
 */

/** How a program ended. */
export interface Outcome {
  /** The exit code, or 124 of timeout(1). */
  readonly status: number;
  readonly stdout: string;
}

/** Its own count. */
export interface Assertions {
  readonly ok: number;
  readonly notOk: number;
}

export function assertions({ stdout }: Outcome): Assertions {
  const count = (pattern: RegExp) => stdout.match(pattern)?.length ?? 0;
  return { ok: count(/^ok\b/gm), notOk: count(/^not ok\b/gm) };
}

/**
 * Whether the runtime did what the program asks for. Programs of the lifecycle assert nothing (`1..0`) and tell of a
 * failure by a diagnostic alone; the others also print one beside an assertion that holds.
 */
export function passes(outcome: Outcome): boolean {
  const { ok, notOk } = assertions(outcome);
  if (outcome.status !== 0 || notOk > 0) return false;
  return ok > 0 || !/^\s*"error": "[^"]/m.test(outcome.stdout);
}

/** How often a program is run that may lose a race. */
export const TRIES = 5;

/**
 * Runs a program that may lose a race, until it passes or has failed each time.
 *
 * @param failed told of each try that is followed by another
 * @returns the outcome of the last try
 */
export async function retry<O extends Outcome>(
  execute: () => Promise<O>,
  failed: (outcome: O, number: number) => void,
): Promise<O> {
  for (let number = 1;; number++) {
    const outcome = await execute();
    if (passes(outcome) || number === TRIES) return outcome;
    failed(outcome, number);
  }
}
