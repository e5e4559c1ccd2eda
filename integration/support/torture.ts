/** How hard the tests try that have no natural end. @module */
import { Random } from "../../tests/fuzz/random.ts";

/** The environment variable TORTURE: so many times more than in CI, where it is 1. */
export const TORTURE = Number(Deno.env.get("TORTURE") ?? 1);

/** From the environment variable SEED, else from the time. It is printed, so that a failure can be had again. */
export function seeded(): Random {
  const seed = Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed}`);
  return new Random(seed);
}
