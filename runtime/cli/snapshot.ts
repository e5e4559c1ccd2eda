/**
 * What `dist/hako` is a snapshot of: the program with all that it may need, started, and about to look at its arguments.
 *
 * - `snapshot.js take FILE OTHERWISE DENO ARGUMENT...` takes it, of the process `DENO ARGUMENT... snapshot.js FILE DIR`
 * - `snapshot.js FILE DIR` is that process
 *
 * @module
 */
import { refuseForeign } from "../host/ownership.ts";
import { standStill } from "../linux/standstill.ts";
import { takeSnapshot } from "../snapshot/take.ts";
import { commands } from "./mod.ts";
import { runProgram } from "./program.ts";
import { collectGarbage, rehearse, shortRun } from "./rehearse.ts";

if (Deno.args[0] === "take") take(Deno.args.slice(1));
else {
  const [file, directory] = Deno.args;
  await rehearse(commands, directory!);
  collectGarbage();
  standStill();
  await runProgram(commands, () => refuseForeign(file!));
}

/** Writes to FILE.new, for somebody to try before it is FILE. */
function take([file, otherwise, ...command]: readonly string[]): void {
  const directory = Deno.makeTempDirSync();
  try {
    const args = [...command, import.meta.filename!, file!, directory];
    const env = Object.entries(Deno.env.toObject()).map(([name, value]) => `${name}=${value}`);
    takeSnapshot({ program: command[0]!, args, env }, `${file}.new`, {
      otherwise: otherwise!,
      // A run writes to more than other commands do, whose start takes a little longer by that.
      tried: [shortRun(directory), ["--version"]],
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
