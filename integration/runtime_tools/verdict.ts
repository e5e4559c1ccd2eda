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
