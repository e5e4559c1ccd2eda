/**
 * The smallest way to make a program of the stub: records written by hand, without plan or encoder, so that the stub's
 * contract (runtime/init/record.ts) is tested against its own words.
 *
 * @module
 */
import * as aarch64 from "../../../runtime/init/generated/stub_aarch64.ts";
import * as x86_64 from "../../../runtime/init/generated/stub_x86_64.ts";
import {
  DATA_ADDRESS,
  RECORD,
  RECORD_BYTES,
  STATUS,
  STATUS_ADDRESS,
  TEXT_ADDRESS,
} from "../../../runtime/init/record.ts";
import { ERRNO, type ErrnoName } from "../../../runtime/linux/generated/errno.ts";
import { type Cpu, type SyscallName, SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";

export const STUBS: Readonly<Record<Cpu, Uint8Array>> = {
  x86_64: Uint8Array.fromHex(x86_64.STUB),
  aarch64: Uint8Array.fromHex(aarch64.STUB),
};

/** A value, bytes by reference, a structure of 64-bit words by reference, or the address or content of a slot. */
export type Value =
  | number
  | bigint
  | string
  | Uint8Array
  | { words: readonly Value[] }
  | { addressOf: number }
  | { slot: number };

/** One record. Jumps count records, 0 ends the program; a positive result and 0 go to the next one if nothing is said. */
export interface Instruction {
  readonly call: SyscallName;
  readonly args?: readonly Value[];
  /** Number of a slot of the status page. */
  readonly save?: number;
  readonly next?: number;
  readonly zero?: number;
  readonly caught?: number;
  readonly errnos?: readonly ErrnoName[];
}

const PAGE = 4096;
const SEGMENT_BYTES = 16 * PAGE;

/** A static ELF executable of the stub and `program`. */
export function image(cpu: Cpu, program: readonly Instruction[]): Uint8Array {
  const file = new Uint8Array(2 * PAGE + SEGMENT_BYTES);
  file.set(header(cpu));
  file.set(STUBS[cpu], PAGE);
  file.set(data(cpu, program), 2 * PAGE);
  return file;
}

/** The segment at DATA_ADDRESS: the records, and behind them what they refer to. */
function data(cpu: Cpu, program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_BYTES);
  const view = new DataView(bytes.buffer);
  let end = program.length * RECORD_BYTES;

  const put = (content: Uint8Array) => {
    const offset = end;
    bytes.set(content, offset);
    end += Math.ceil(content.length / 8) * 8;
    return DATA_ADDRESS + offset;
  };
  const slotAddress = (slot: number) => STATUS_ADDRESS + STATUS.slots + slot * 8;
  const word = (value: Value): bigint => {
    if (typeof value === "number" || typeof value === "bigint") return BigInt.asUintN(64, BigInt(value));
    if (typeof value === "string") return BigInt(put(new TextEncoder().encode(`${value}\0`)));
    if (value instanceof Uint8Array) return BigInt(put(value));
    if ("words" in value) {
      return BigInt(put(new Uint8Array(BigUint64Array.from(value.words.map(word)).buffer)));
    }
    if ("addressOf" in value) return BigInt(slotAddress(value.addressOf));
    throw new TypeError("Cannot nest a slot");
  };
  const zero = put(new Uint8Array(8));
  const unread = put(new Uint8Array(8));

  program.forEach((instruction, index) => {
    const { call, args = [], save, next = 1, zero: onZero = 1, caught = 0, errnos = [] } = instruction;
    const at = index * RECORD_BYTES;
    view.setUint32(at + RECORD.nr, SYSCALLS[cpu][call], true);
    view.setUint32(at + RECORD.next, next * RECORD_BYTES, true);
    view.setUint32(at + RECORD.zero, onZero * RECORD_BYTES, true);
    view.setUint32(at + RECORD.caught, caught * RECORD_BYTES, true);
    view.setBigUint64(at + RECORD.save, BigInt(save === undefined ? unread : slotAddress(save)), true);
    for (let i = 0; i < 6; i++) {
      const arg = args[i];
      const address = arg === undefined
        ? zero
        : typeof arg === "object" && "slot" in arg
        ? slotAddress(arg.slot)
        : put(new Uint8Array(BigUint64Array.of(word(arg)).buffer));
      view.setBigUint64(at + RECORD.args + i * 8, BigInt(address), true);
    }
    errnos.forEach((name, i) => view.setUint16(at + RECORD.errnos + i * 2, ERRNO[name], true));
  });
  return bytes;
}

/** elf(5): an ELF header and three segments. The status page has no content in the file. */
function header(cpu: Cpu): Uint8Array {
  const ELF_BYTES = 64;
  const PROGRAM_HEADER_BYTES = 56;
  const [READ, WRITE, EXECUTE] = [4, 2, 1];
  const segments = [
    { flags: READ | EXECUTE, offset: PAGE, address: TEXT_ADDRESS, inFile: PAGE, inMemory: PAGE },
    { flags: READ | WRITE, offset: 0, address: STATUS_ADDRESS, inFile: 0, inMemory: 2 * PAGE },
    {
      flags: READ | WRITE,
      offset: 2 * PAGE,
      address: DATA_ADDRESS,
      inFile: SEGMENT_BYTES,
      inMemory: SEGMENT_BYTES,
    },
  ];
  const bytes = new Uint8Array(ELF_BYTES + segments.length * PROGRAM_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  // 64-bit, little-endian, version 1
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // e_type ET_EXEC
  view.setUint16(18, cpu === "x86_64" ? 62 : 183, true); // e_machine
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, BigInt(TEXT_ADDRESS), true); // e_entry
  view.setBigUint64(32, BigInt(ELF_BYTES), true); // e_phoff
  view.setUint16(52, ELF_BYTES, true); // e_ehsize
  view.setUint16(54, PROGRAM_HEADER_BYTES, true); // e_phentsize
  view.setUint16(56, segments.length, true); // e_phnum
  segments.forEach(({ flags, offset, address, inFile, inMemory }, index) => {
    const at = ELF_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, 1, true); // p_type PT_LOAD
    view.setUint32(at + 4, flags, true);
    [offset, address, address, inFile, inMemory, PAGE].forEach((value, i) =>
      view.setBigUint64(at + 8 + i * 8, BigInt(value), true)
    );
  });
  return bytes;
}
