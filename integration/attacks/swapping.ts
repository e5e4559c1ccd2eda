/** A process that has two files change places all the time. @module */
import { assert } from "@std/assert";

/** Starts it, and waits until it does. Whoever starts it kills it. */
export async function startSwapping(one: string, other: string): Promise<Deno.ChildProcess> {
  const program = new URL("swap.ts", import.meta.url).pathname;
  const args = ["run", "--allow-all", "--no-check", program, one, other];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  assert((await reader.read()).value);
  await reader.cancel();
  return child;
}
