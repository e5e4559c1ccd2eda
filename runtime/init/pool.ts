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
    if ("buffer" in arg) return this.#bytes(new Uint8Array(arg.buffer));
    return "strings" in arg ? this.#stringArray(arg.strings) : this.#struct(arg);
  }

  #string(text: string): number {
    const bytes = this.#encoder.encode(text);
    // Blobs are zero until something is put there, and so is the NUL.
    return this.#bytes(bytes, bytes.length + 1);
  }

  #stringArray(strings: readonly Exclude<PointerArg, StructArg | Uint8Array>[]): number {
    const words = new Uint32Array(2 * strings.length + 2);
    const inner: number[] = [];
    strings.forEach((text, index) => {
      if (typeof text === "object" && "late" in text) {
        words[2 * index] = STATUS_ADDRESS + lateOffset(text.late);
      } else {
        words[2 * index] = this.#memory(text);
        inner.push(8 * index);
      }
    });
    return this.#withPointers(words, inner);
  }

  #struct({ struct, members }: StructArg): number {
    const bytes: number[] = [];
    const inner: number[] = [];
    const layout: Readonly<Record<string, MemberType>> = STRUCTS[struct];
    for (const name in layout) {
      const type = layout[name]!;
      const value = members[name] ?? 0;
      const end = bytes.length + (type === "pointer" ? 8 : type);
      if (type === "pointer" && typeof value === "object") inner.push(bytes.length);
      if (typeof value === "object" && type !== "pointer") bytes.push(...value);
      else {
        const word = new Uint32Array(2);
        setWord(word, 0, typeof value === "object" ? this.#bytes(value) : value);
        bytes.push(...new Uint8Array(word.buffer, 0, Math.min(8, end - bytes.length)));
      }
      while (bytes.length < end) bytes.push(0);
    }
    return this.#withPointers(new Uint8Array(bytes), inner);
  }

  #withPointers(memory: Uint8Array | Uint32Array, inner: readonly number[]): number {
    const at = this.#bytes(new Uint8Array(memory.buffer, 0, memory.byteLength));
    for (const offset of inner) this.#inner.push(at + offset);
    return at;
  }

  /** Places bytes at a multiple of 8. */
  #bytes(bytes: Uint8Array, length = bytes.length): number {
    const at = this.#used;
    this.#used = at + (length + 7 & ~7);
    while (this.#used > this.#blobs.length) {
      const larger = new Uint8Array(this.#blobs.length * 2);
      larger.set(this.#blobs);
      this.#blobs = larger;
    }
    this.#blobs.set(bytes, at);
    return at;
  }
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
