/** `deno task fuzz [--seconds N]`: mutated inputs of every kind until the time is over, from a seed that is told. @module */
import { INPUTS, tryInput } from "./inputs.ts";
import { Random } from "./random.ts";

const given = Deno.args.indexOf("--seconds");
const end = Date.now() + 1000 * (given < 0 ? 600 : Number(Deno.args[given + 1]));
const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 32);
const directory = Deno.makeTempDirSync({ prefix: "hako-fuzz-" });
const counts: Record<string, { value: number; error: number }> = {};
const found = new Map<string, string>();
let count = 0;
for (; Date.now() < end; count++) {
  for (const kind of Object.keys(INPUTS)) {
    try {
      (counts[kind] ??= { value: 0, error: 0 })[tryInput(kind, new Random(seed + count), directory)]++;
    } catch (error) {
      const { message, cause } = error as Error;
      // One of each: by where it was thrown.
      const where = cause instanceof Error ? cause.stack!.split("\n").slice(0, 2).join(" ") : message;
      if (!found.has(where)) console.log(`FUZZ_SEED=${seed + count}: ${where}\n  ${message.slice(0, 400)}`);
      found.set(where, message);
    }
  }
}
Deno.removeSync(directory, { recursive: true });
for (const [kind, { value, error }] of Object.entries(counts)) {
  console.log(`${kind}: ${value} values, ${error} errors`);
}
console.log(`fuzz: ${count * Object.keys(INPUTS).length} inputs, ${found.size} bugs (seed ${seed})`);
Deno.exit(found.size === 0 ? 0 : 1);
