/** The programs of containers that are made for practice. @module */
import { elfImage } from "../init/elf.ts";
import { encode } from "../init/encode.ts";
import { CPU } from "../linux/libc.ts";
import { type Reason, step } from "../plan/node.ts";

const reason: Reason = { label: "do nothing", pointer: "runtime" };

const PROGRAMS = {
  /** Ends at once. */
  exit: [step(reason, "exit_group", [0])],
  /** Waits to be killed. */
  wait: [step(reason, "ppoll", [null, 0, null, null, 0])],
} as const;

/** Writes a static executable of a few kB to `path`. */
export function writeIdleProgram(path: string, name: keyof typeof PROGRAMS): void {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o755 });
  for (const { offset, bytes } of elfImage(encode(PROGRAMS[name], CPU, {}).data, CPU)) {
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(bytes);
  }
}
