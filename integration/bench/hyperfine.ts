/** Times of commands, by hyperfine. @module */
import type { Samples, Size } from "./benchmark.ts";

/**
 * Runs each command `runs` times in turn, `rounds` times, so that what slows the machine down for a while slows all of
 * them.
 *
 * @param under what hyperfine itself is run under
 * @returns milliseconds
 */
export async function time(
  commands: Readonly<Record<string, string>>,
  { rounds, runs }: Size,
  under: readonly string[] = [],
): Promise<Samples> {
  const names = Object.keys(commands);
  const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const file = Deno.makeTempFileSync();
  try {
    for (let round = 0; round < rounds; round++) {
      // Nobody is always first.
      const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
      const options = [
        "--shell=none",
        "--warmup=1",
        `--runs=${runs}`,
        "--style=none",
        `--export-json=${file}`,
      ];
      const [program, ...args] = [...under, "hyperfine", ...options, ...order.map((name) => commands[name]!)];
      const { success, stderr } = await new Deno.Command(program!, { args, stdin: "null", stdout: "null" })
        .output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      const { results } = JSON.parse(Deno.readTextFileSync(file)) as { results: { times: number[] }[] };
      order.forEach((name, index) =>
        times[name]!.push(...results[index]!.times.map((seconds) => seconds * 1000))
      );
    }
    return times;
  } finally {
    Deno.removeSync(file);
  }
}
