/**
 * Hako's command line with one protection less, for tests only: `HAKO_WEAKNESS=paths weakened.ts run ...`. It changes plans
 * on their way to their inits, from the outside: what ships has no hook for it.
 *
 * @module
 */
import { commands } from "../../runtime/cli/mod.ts";
import { runProgram } from "../../runtime/cli/program.ts";
import { Init, type InitOptions } from "../../runtime/init/init.ts";
import { F_ADD_SEALS } from "../../runtime/linux/generated/constants.ts";
import { SYSCALLS } from "../../runtime/linux/generated/syscalls.ts";
import { CPU, libc } from "../../runtime/linux/libc.ts";
import type { Plan } from "../../runtime/plan/node.ts";
import { isWeakness, weaken } from "./weaknesses.ts";

const weakness = Deno.env.get("HAKO_WEAKNESS") ?? "";
if (!isWeakness(weakness)) throw new Error(`no such weakness: ${JSON.stringify(weakness)}`);
const { spawn } = Init;
Init.spawn = (plan: Plan, options: InitOptions) => spawn.call(Init, weaken(plan, weakness), options);

if (weakness === "sealed") {
  // The table that `runtime/linux` holds the C library in: fcntl(F_ADD_SEALS) does nothing.
  const library = libc() as unknown as { syscall: { call(...words: readonly bigint[]): number } };
  const real = library.syscall;
  library.syscall = {
    call: (number, ...words) =>
      number === BigInt(SYSCALLS[CPU].fcntl) && words[1] === BigInt(F_ADD_SEALS)
        ? 0
        : real.call(number, ...words),
  };
}

await runProgram(commands);
