/**
 * A suite of cases against one engine, with the counts that `.ci/run` reads.
 *
 * @module
 */
import { assertEquals, AssertionError, assertMatch } from "@std/assert";
import type { Result } from "../support/hako.ts";

/** Throws if what it tries is not so. */
export type Check = () => void | Promise<void>;

interface Skipped {
  readonly skip: string;
}

/** By their names, which say what holds. */
export type Cases = Readonly<Record<string, Check | Skipped>>;

/** The cases, or if there is a reason against them, only their names and that. */
export function unless(reason: string | undefined, cases: Cases): Cases {
  if (reason === undefined) return cases;
  return Object.fromEntries(Object.keys(cases).map((name) => [name, { skip: reason }]));
}

/** Runs cases, and counts. */
export class Suite {
  readonly #chosen = new RegExp(Deno.args[0] ?? "");
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };

  /** Runs them, `together` at a time. */
  async run(cases: Cases, together = 1): Promise<void> {
    const rest = Object.entries(cases).filter(([name]) => this.#chosen.test(name));
    const worker = async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) await this.#run(...next);
    };
    await Promise.all(Array.from({ length: together }, worker));
  }

  async #run(name: string, check: Check | Skipped): Promise<void> {
    if ("skip" in check) {
      this.#counts.skipped++;
      return console.log(`skipped  ${name}: ${check.skip}`);
    }
    const start = performance.now();
    try {
      await check();
      this.#counts.passed++;
      console.log(`ok       ${name} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      this.#counts.failed++;
      const told = error instanceof AssertionError
        ? error.message
        : error instanceof Error
        ? error.stack
        : error;
      console.log(`FAILED   ${name}: ${told}`);
    }
  }

  /** Prints the counts, and leaves. */
  end(): never {
    const { passed, failed, skipped } = this.#counts;
    console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
    Deno.exit(failed === 0 ? 0 : 1);
  }
}

/** What a command is to give. What is absent may be anything, but the status has to be 0. */
export interface Expected {
  /** More than one where versions differ. */
  readonly status?: number | readonly number[];
  /** Without white space at the ends, and `\r\n` as `\n`. */
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
}

/** Compares, and @returns stdout without white space at the ends. */
export function expect(result: Result, { status = 0, ...texts }: Expected = {}): string {
  const whole = JSON.stringify(result);
  const statuses = [status].flat();
  if (!statuses.includes(result.status)) assertEquals(result.status, statuses[0], whole);
  for (const name of ["stdout", "stderr"] as const) {
    const found = tidy(result[name]);
    const expected = texts[name];
    if (typeof expected === "string") assertEquals(found, expected, whole);
    else if (expected !== undefined) assertMatch(found, expected, whole);
  }
  return tidy(result.stdout);
}

function tidy(text: string): string {
  return text.replaceAll("\r\n", "\n").trim();
}

/** Waits until `condition` holds. It may throw meanwhile. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  let last: unknown;
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain for ${what}${last ? `: ${last}` : ""}`);
}
