/**
 * The headers of a static executable for one address.
 *
 * @see elf(5)
 * @module
 */
import type { Cpu } from "../linux/generated/syscalls.ts";

/** e_machine, and the largest page that a kernel for this CPU may have: a segment's file offset must be a multiple. */
export const MACHINES: Readonly<Record<Cpu, { readonly machine: number; readonly page: number }>> = {
  x86_64: { machine: 62, page: 0x1000 },
  aarch64: { machine: 183, page: 0x10000 },
};

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** What the kernel maps: PT_LOAD. */
export interface Segment {
  readonly flags: number;
  /** Of its bytes in the file. */
  readonly offset: number;
  readonly address: number;
  /** How many the file has, and how many there are in memory; the others are zero. */
  readonly file: number;
  readonly memory: number;
}

const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** How long the headers of an executable with so many segments are. */
export function headerBytes(segments: number): number {
  return HEADER_BYTES + (segments + 1) * PROGRAM_HEADER_BYTES;
}

/** Writes the headers of an executable for `cpu` that begins at `entry` to the start of `file`. */
export function writeHeaders(
  file: Uint8Array,
  cpu: Cpu,
  { entry, segments }: { readonly entry: number; readonly segments: readonly Segment[] },
): void {
  const { machine, page } = MACHINES[cpu];
  const view = new DataView(file.buffer, file.byteOffset);
  // \x7fELF, 64 bits, little-endian, version 1.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(32, HEADER_BYTES, true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, segments.length + 1, true);
  const header = (index: number, type: number, align: number, segment: Segment) => {
    const { flags, offset, address, file, memory } = segment;
    const at = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    [offset, address, address, file, memory, align].forEach((value, word) => {
      view.setUint32(at + 8 + 8 * word, value, true);
      view.setUint32(at + 12 + 8 * word, Math.floor(value / 2 ** 32), true);
    });
  };
  segments.forEach((segment, index) => header(index, PT_LOAD, page, segment));
  // Absent, the kernel would make the stack executable.
  header(segments.length, PT_GNU_STACK, 16, {
    flags: PF_R | PF_W,
    offset: 0,
    address: 0,
    file: 0,
    memory: 0,
  });
}
