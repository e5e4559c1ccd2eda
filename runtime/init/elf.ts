/**
 * A program as a static executable: the stub, room for the status page, and the data.
 *
 * @see elf(5)
 * @module
 */
import type { Cpu } from "../linux/generated/syscalls.ts";
import { STATUS_BYTES } from "../plan/status_page.ts";
import { STUB as STUB_AARCH64 } from "./generated/stub_aarch64.ts";
import { STUB as STUB_X86_64 } from "./generated/stub_x86_64.ts";
import { DATA_ADDRESS, STATUS_ADDRESS, TEXT_ADDRESS } from "./record.ts";

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

/** `align` is the largest page that a kernel for this CPU may have: a segment's file offset must be a multiple. */
const CPUS: Readonly<
  Record<Cpu, { readonly machine: number; readonly align: number; readonly stub: string }>
> = {
  x86_64: { machine: 62, align: 0x1000, stub: STUB_X86_64 },
  aarch64: { machine: 183, align: 0x10000, stub: STUB_AARCH64 },
};

/** A piece of an executable that lies at `offset` of the file. Between the pieces are zeros. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The executable that runs `data`, a {@linkcode Program}'s, on `cpu`. */
export function elfImage(data: Uint8Array<ArrayBuffer>, cpu: Cpu): Piece[] {
  const { machine, align, stub } = CPUS[cpu];
  const code = Uint8Array.fromHex(stub);
  const segments = [
    { type: PT_LOAD, flags: PF_R | PF_X, offset: 0, address: TEXT_ADDRESS, file: 0, memory: 0 },
    { type: PT_LOAD, flags: PF_R | PF_W, offset: 0, address: STATUS_ADDRESS, file: 0, memory: STATUS_BYTES },
    {
      type: PT_LOAD,
      flags: PF_R | PF_W,
      offset: align,
      address: DATA_ADDRESS,
      file: data.length,
      memory: data.length,
    },
    // Absent, the kernel would make the stack executable.
    { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, address: 0, file: 0, memory: 0 },
  ];
  const codeOffset = HEADER_BYTES + segments.length * PROGRAM_HEADER_BYTES;
  const text = new Uint8Array(codeOffset + code.length);
  text.set(code, codeOffset);
  const [first] = segments;
  first!.file = first!.memory = text.length;

  const view = new DataView(text.buffer);
  // \x7fELF, 64 bits, little-endian, version 1.
  text.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, TEXT_ADDRESS + codeOffset, true);
  view.setUint32(32, HEADER_BYTES, true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, segments.length, true);
  segments.forEach(({ type, flags, offset, address, file, memory }, index) => {
    const at = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    view.setUint32(at + 8, offset, true);
    view.setUint32(at + 16, address, true);
    view.setUint32(at + 24, address, true);
    view.setUint32(at + 32, file, true);
    view.setUint32(at + 40, memory, true);
    view.setUint32(at + 48, type === PT_LOAD ? align : 16, true);
  });
  return [{ offset: 0, bytes: text }, { offset: align, bytes: data }];
}
