/**
 * Hako's command line with one protection less, for tests only: `HAKO_WEAKNESS=paths weakened.ts run ...`. It changes plans
 * on their way to their inits, from the outside: what ships has no hook for it.
 *
 * @module
 */
import { commands } from "../../runtime/cli/mod.ts";
import { runProgram } from "../../runtime/cli/program.ts";
import { Init, type InitOptions } from "../../runtime/init/init.ts";
import type { Plan } from "../../runtime/plan/node.ts";
import { isWeakness, weaken } from "./weaknesses.ts";

const weakness = Deno.env.get("HAKO_WEAKNESS") ?? "";
if (!isWeakness(weakness)) throw new Error(`no such weakness: ${JSON.stringify(weakness)}`);
const { spawn } = Init;
Init.spawn = (plan: Plan, options: InitOptions) => spawn.call(Init, weaken(plan, weakness), options);

await runProgram(commands);
