/**
 * A program as a static executable: the stub, room for the status page, and the data.
 *
 * @module
 */
import type { Cpu } from "../linux/generated/syscalls.ts";
import { STATUS_BYTES } from "../plan/status_page.ts";
import { headerBytes, MACHINES, PF_R, PF_W, PF_X, writeHeaders } from "./elf_header.ts";
import { STUB as STUB_AARCH64 } from "./generated/stub_aarch64.ts";
import { STUB as STUB_X86_64 } from "./generated/stub_x86_64.ts";
import { DATA_ADDRESS, STATUS_ADDRESS, TEXT_ADDRESS } from "./record.ts";

const STUBS: Readonly<Record<Cpu, string>> = { x86_64: STUB_X86_64, aarch64: STUB_AARCH64 };

/** A piece of an executable that lies at `offset` of the file. Between the pieces are zeros. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The executable that runs `data`, a {@linkcode Program}'s, on `cpu`. */
export function elfImage(data: Uint8Array<ArrayBuffer>, cpu: Cpu): Piece[] {
  const code = Uint8Array.fromHex(STUBS[cpu]);
  const codeOffset = headerBytes(3);
  const text = new Uint8Array(codeOffset + code.length);
  const offset = MACHINES[cpu].page;
  writeHeaders(text, cpu, {
    entry: TEXT_ADDRESS + codeOffset,
    segments: [
      { flags: PF_R | PF_X, offset: 0, address: TEXT_ADDRESS, file: text.length, memory: text.length },
      { flags: PF_R | PF_W, offset: 0, address: STATUS_ADDRESS, file: 0, memory: STATUS_BYTES },
      { flags: PF_R | PF_W, offset, address: DATA_ADDRESS, file: data.length, memory: data.length },
    ],
  });
  text.set(code, codeOffset);
  return [{ offset: 0, bytes: text }, { offset, bytes: data }];
}
