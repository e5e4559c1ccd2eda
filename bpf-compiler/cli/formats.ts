/**
 * How `compile` writes a program.
 *
 * @module
 */

import { disassemble } from "../disassemble.ts";
import { decodeProgram } from "../program.ts";

interface ByteOrder {
  readonly bigEndian: boolean;
}

export const FORMATS: Readonly<
  Record<string, (program: Uint8Array, order: ByteOrder) => string | Uint8Array>
> = {
  raw: (program) => program,
  c: (program, order) =>
    decodeProgram(program, order).map(({ code, jt, jf, k }) =>
      `{ 0x${code.toString(16).padStart(2, "0")}, ${jt}, ${jf}, 0x${k.toString(16).padStart(8, "0")} },\n`
    ).join(""),
  json: (program, order) => `${JSON.stringify(decodeProgram(program, order), null, 2)}\n`,
  asm: (program, order) =>
    disassemble(decodeProgram(program, order), order).map((line) => `${line}\n`).join(""),
};
