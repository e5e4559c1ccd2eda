/**
 * The constants of a program, and the memory that some of them point to.
 *
 * @module
 */
import type { Arg, SlotArg, StructArg } from "../plan/node.ts";
import { lateOffset } from "../plan/status_page.ts";
import { type MemberType, STRUCTS } from "../plan/struct.ts";
import { STATUS_ADDRESS } from "./record.ts";

/** What is passed as the address of memory. */
export type PointerArg = Exclude<Arg, number | bigint | null | SlotArg>;

const BLOB_BYTES = 16384;

export class Pool {
  /** Where the constants lie: the blobs are behind them, at an address that is known when no constant can come any more. */
  readonly #address: number;
  readonly #values: (number | bigint)[] = [];
  readonly #numbers = new Map<number | bigint, number>();
  readonly #strings = new Map<string, number>();
  /** Constants that are offsets into the blobs until then. */
  readonly #pointers: number[] = [];
  /** Offsets of words in the blobs that are so as well. */
  readonly #inner: number[] = [];
  readonly #encoder = new TextEncoder();
  #blobs = new Uint8Array(BLOB_BYTES);
  #words = new Uint32Array(this.#blobs.buffer);
  #used = 0;

  constructor(address: number) {
    this.#address = address;
  }

  /** The address of a number's place. Equal numbers share one. */
  number(value: number | bigint): number {
    let address = this.#numbers.get(value);
    if (address === undefined) {
      address = this.#place(value);
      this.#numbers.set(value, address);
    }
    return address;
  }

  /** The address of the place of a pointer to what `arg` is. */
  pointer(arg: PointerArg): number {
    if (typeof arg === "string") {
      const known = this.#strings.get(arg);
      if (known !== undefined) return known;
    } else if ("late" in arg) return this.number(STATUS_ADDRESS + lateOffset(arg.late));
    this.#pointers.push(this.#values.length);
    const address = this.#place(this.#memory(arg));
    if (typeof arg === "string") this.#strings.set(arg, address);
    return address;
  }

  /** The whole: `records`, the constants, the blobs. */
  joinedTo(records: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const values = this.#values;
    const blobsAt = records.byteLength + 8 * values.length;
    const blobsAddress = this.#address + 8 * values.length;
    const words = new Uint32Array((blobsAt + this.#used) / 4);
    words.set(records);
    for (let index = 0, at = records.length; index < values.length; index++, at += 2) {
      setWord(words, at, values[index]!);
    }
    for (const index of this.#pointers) words[records.length + 2 * index]! += blobsAddress;
    const data = new Uint8Array(words.buffer);
    data.set(this.#blobs.subarray(0, this.#used), blobsAt);
    for (const offset of this.#inner) words[(blobsAt + offset) / 4]! += blobsAddress;
    return data;
  }

  #place(value: number | bigint): number {
    return this.#address + 8 * (this.#values.push(value) - 1);
  }

  /** Lays `arg` out. @returns its offset into the blobs */
  #memory(arg: Exclude<PointerArg, { late: string }>): number {
    if (typeof arg === "string") return this.#string(arg);
    if (arg instanceof Uint8Array) return this.#bytes(arg);
    if ("struct" in arg) return this.#struct(arg);
    return "buffer" in arg ? this.#reserve(arg.buffer) : this.#stringArray(arg.strings);
  }

  #string(text: string): number {
    const bytes = this.#encoder.encode(text);
    // Blobs are zero until something is put there, and so is the NUL.
    const at = this.#reserve(bytes.length + 1);
    this.#blobs.set(bytes, at);
    return at;
  }

  #bytes(bytes: Uint8Array): number {
    const at = this.#reserve(bytes.length);
    this.#blobs.set(bytes, at);
    return at;
  }

  #stringArray(strings: readonly Exclude<PointerArg, StructArg | Uint8Array>[]): number {
    const at = this.#reserve(8 * strings.length + 8);
    for (let index = 0; index < strings.length; index++) {
      const text = strings[index]!;
      const late = typeof text === "object" && "late" in text;
      const value = late ? STATUS_ADDRESS + lateOffset(text.late) : this.#memory(text);
      this.#setNumber(at + 8 * index, 8, value);
      if (!late) this.#inner.push(at + 8 * index);
    }
    return at;
  }

  #struct({ struct, members }: StructArg): number {
    const layout: Readonly<Record<string, MemberType>> = STRUCTS[struct];
    let length = 0;
    for (const name in layout) length += bytesOf(layout[name]!);
    const start = this.#reserve(length);
    let at = start;
    for (const name in layout) {
      const type = layout[name]!;
      const value = members[name] ?? 0;
      if (typeof value !== "object") this.#setNumber(at, bytesOf(type), value);
      else if (type !== "pointer") this.#blobs.set(value, at);
      else {
        this.#setNumber(at, 8, this.#bytes(value));
        this.#inner.push(at);
      }
      at += bytesOf(type);
    }
    return start;
  }

  #setNumber(at: number, bytes: number, value: number | bigint): void {
    if (bytes === 8) setWord(this.#words, at / 4, value);
    else if (bytes === 4) this.#words[at / 4] = Number(value);
    else for (let index = 0; index < bytes; index++) this.#blobs[at + index] = Number(value) >> (8 * index);
  }

  /** Room at a multiple of 8, all zero. @returns its offset */
  #reserve(length: number): number {
    const at = this.#used;
    this.#used = at + (length + 7 & ~7);
    if (this.#used > this.#blobs.length) {
      const old = this.#blobs;
      this.#blobs = new Uint8Array(2 * this.#used);
      this.#words = new Uint32Array(this.#blobs.buffer);
      this.#blobs.set(old);
    }
    return at;
  }
}

function bytesOf(type: MemberType): number {
  return type === "pointer" ? 8 : type;
}

/** A number or a bigint as 64 bits, in two's complement, low word first. */
function setWord(words: Uint32Array, at: number, value: number | bigint): void {
  // Stores keep the lowest 32 bits.
  if (typeof value === "bigint") {
    words[at] = Number(value & 0xffffffffn);
    words[at + 1] = Number((value >> 32n) & 0xffffffffn);
  } else {
    words[at] = value;
    words[at + 1] = Math.floor(value / 2 ** 32);
  }
}
