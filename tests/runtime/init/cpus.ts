/** Machine code of every CPU, run here or by an emulator. @module */
import { type Cpu, SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";

export const CPUS = Object.keys(SYSCALLS) as Cpu[];

/** What the programs of a CPU are run with: the path of an emulator, or why they cannot be. */
export function runnerOf(cpu: Cpu): { readonly emulator?: string; readonly missing?: string } {
  if (cpu === Deno.build.arch) return {};
  const name = `qemu-${cpu}-static`;
  const emulator = (Deno.env.get("PATH") ?? "").split(":").map((folder) => `${folder}/${name}`).find(isFile);
  return emulator === undefined ? { missing: `no ${name}` } : { emulator };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** A test that is skipped where there is a `reason`. */
export function testOrSkip(name: string, reason: string | undefined, fn: () => Promise<void>): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}
