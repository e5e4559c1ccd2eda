/**
 * A program whose snapshot frees what it has allocated before, for heap_test.ts.
 *
 * - `heap.js take FILE COMMAND...` takes it, of the process `COMMAND... heap.js`
 * - `heap.js` is that process
 *
 * @module
 */
import { standStill } from "../../runtime/linux/standstill.ts";
import { takeSnapshot } from "../../runtime/snapshot/take.ts";

/** Below what malloc(3) has the kernel map for itself alone. */
const BLOCK_BYTES = 100_000;

if (Deno.args[0] === "take") {
  const [, file, ...command] = Deno.args;
  const env = Object.entries(Deno.env.toObject()).map(([name, value]) => `${name}=${value}`);
  const template = { program: command[0]!, args: [...command, import.meta.filename!], env };
  takeSnapshot(template, file!, { otherwise: "/bin/false", tried: [[]] });
} else {
  const { symbols } = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "usize" },
    free: { parameters: ["usize"], result: "void" },
  });
  const allocate = () => Array.from({ length: 20 }, () => symbols.malloc(BigInt(BLOCK_BYTES)));
  const free = (blocks: bigint[]) => blocks.reverse().forEach((block) => symbols.free(block));
  const before = allocate();
  standStill();
  free(before);
  free(allocate());
  console.log("freed");
  // As it began, with nothing that waits for the other process to end.
  Deno.exit(0);
}
