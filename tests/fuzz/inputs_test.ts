import { Random } from "./random.ts";
import { INPUTS, tryInput } from "./inputs.ts";

const COUNT = Number(Deno.env.get("FUZZ_COUNT") ?? 300);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 32);

for (const kind of Object.keys(INPUTS)) {
  Deno.test(`${COUNT} mutations of ${kind} give a value or an error of ours (FUZZ_SEED=${SEED})`, () => {
    const directory = Deno.makeTempDirSync({ prefix: "hako-fuzz-" });
    try {
      for (let count = 0; count < COUNT; count++) tryInput(kind, new Random(SEED + count), directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
