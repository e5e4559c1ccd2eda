/**
 * A plan as bytes: records for the stub, and the constants, strings and structures that they point to. The only file that
 * knows addresses.
 *
 * ```
 *   DATA_ADDRESS   records
 *                  blobs: strings, structures, pointer arrays
 *                  constants: every argument is loaded from an address, so each number has a place too
 * ```
 *
 * @module
 */
import { CLONE_PARENT_SETTID } from "../linux/generated/constants.ts";
import { ERRNO } from "../linux/generated/errno.ts";
import { type Cpu, SYSCALLS } from "../linux/generated/syscalls.ts";
import { acceptRuntime } from "../plan/inherited.ts";
import {
  type Arg,
  type Barrier,
  type Node,
  type Plan,
  slot,
  type SlotName,
  type Step,
  step,
  type StructArg,
} from "../plan/node.ts";
import { lateOffset } from "../plan/status_page.ts";
import { type MemberType, STRUCTS } from "../plan/struct.ts";
import { DATA_ADDRESS, RECORD, RECORD_BYTES, STATUS, STATUS_ADDRESS } from "./record.ts";

/** What the stub runs, and the way back from an address to a step. */
export interface Program {
  /** Loaded at DATA_ADDRESS. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** By record. */
  readonly steps: readonly Step[];
  /** Offsets into the status page. */
  readonly slots: ReadonlyMap<SlotName, number>;
}

/** Descriptors that the init finds open, by the names that plans have for them. */
export type InheritedFds = Readonly<Partial<Record<SlotName, number>>>;

/** Encodes `plan` for `cpu`. */
export function encode(plan: Plan, cpu: Cpu, inherited: InheritedFds): Program {
  const encoder = new Encoder(countRecords(plan), cpu, inherited);
  encoder.nodes(plan, 0, END);
  return encoder.finish();
}

/** Where nothing follows: the stub exits with 0. */
const END = -1;

function countRecords(nodes: readonly Node[]): number {
  let count = 0;
  for (const node of nodes) {
    if (node.kind === "attempt") count += 1 + countRecords(node.then) + countRecords(node.otherwise);
    else count += node.kind === "barrier" ? expandBarrier(node).length : 1;
  }
  return count;
}

/** Says the barrier's name, and waits for an answer or, at `start`, for another runtime. */
function expandBarrier(barrier: Barrier): Step[] {
  const socket = slot("$barrier");
  const say = step(barrier, "write", [socket, barrier.name, 1]);
  return barrier.name === "start"
    ? [say, ...acceptRuntime(barrier)]
    : [say, step(barrier, "read", [socket, { buffer: 1 }, 1])];
}

/** Where a record goes on, as indexes of records. */
interface Exits {
  readonly next: number;
  readonly zero: number;
  readonly caught?: { readonly at: number; readonly errnos: readonly number[] };
}

class Encoder {
  readonly #cpu: Cpu;
  readonly #inherited: InheritedFds;
  readonly #records: { nr: number; exits: Exits; save: number; args: number[] }[] = [];
  readonly #steps: Step[] = [];
  readonly #slots = new Map<SlotName, number>();
  readonly #blobAddress: number;
  #blobs = new Uint8Array(16384);
  #blobBytes = 0;
  readonly #strings = new Map<string, number>();
  readonly #constants = new Map<number | bigint, number>();

  constructor(records: number, cpu: Cpu, inherited: InheritedFds) {
    this.#cpu = cpu;
    this.#inherited = inherited;
    this.#blobAddress = DATA_ADDRESS + records * RECORD_BYTES;
  }

  /** Emits `nodes` from record `at` on; the last of them goes on at `after`. */
  nodes(nodes: readonly Node[], at: number, after: number): void {
    nodes.forEach((node, index) => {
      const end = at + countRecords([node]);
      this.#node(node, at, index === nodes.length - 1 ? after : end);
      at = end;
    });
  }

  #node(node: Node, at: number, after: number): void {
    switch (node.kind) {
      case "step":
        return this.#record(at, node, { next: after, zero: after });
      case "fork": {
        // The parent is done at once. The child goes on, and stores its own result, 0, in shared memory: so it is the
        // kernel that stores the pid, before the child runs (clone(2), CLONE_PARENT_SETTID).
        const args = [node.flags | CLONE_PARENT_SETTID, 0, this.#slot(node.save), 0, 0];
        return this.#record(at, {
          kind: "step",
          label: node.label,
          pointer: node.pointer,
          call: "clone",
          args,
        }, {
          next: END,
          zero: after,
        });
      }
      case "barrier":
        return expandBarrier(node).forEach((step, index, steps) => {
          const next = index === steps.length - 1 ? after : at + index + 1;
          // Nothing to read: the runtime has gone, and nobody would wait for us.
          this.#record(at + index, step, { next, zero: step.call === "read" ? END : next });
        });
      case "attempt": {
        const then = at + 1;
        const otherwise = then + countRecords(node.then);
        const success = node.then.length > 0 ? then : after;
        const caught = node.otherwise.length > 0 ? otherwise : after;
        const errnos = node.on.map((name) => ERRNO[name]);
        this.#record(at, node.step, { next: success, zero: success, caught: { at: caught, errnos } });
        this.nodes(node.then, then, after);
        this.nodes(node.otherwise, otherwise, after);
      }
    }
  }

  #record(at: number, step: Step, exits: Exits): void {
    const args = step.args.map((arg) => this.#argument(arg));
    const none = this.#constant(0);
    while (args.length < 6) args.push(none);
    this.#records[at] = {
      nr: SYSCALLS[this.#cpu][step.call],
      exits,
      save: this.#slot(step.save ?? "$unused"),
      args,
    };
    this.#steps[at] = step;
  }

  /** The address of the argument's value, or, as the constants' own place is not known yet, its number as ~index. */
  #argument(arg: Arg): number {
    if (arg !== null && typeof arg === "object" && "slot" in arg) {
      const fd = this.#inherited[arg.slot];
      return fd === undefined ? this.#slot(arg.slot) : this.#constant(fd);
    }
    return this.#constant(typeof arg === "number" || typeof arg === "bigint" ? arg : this.#pointer(arg));
  }

  /** The address of the memory that a pointer argument points to. */
  #pointer(arg: Exclude<Arg, number | bigint | { slot: SlotName }>): number {
    if (arg === null) return 0;
    if (typeof arg === "string") return this.#string(arg);
    if (arg instanceof Uint8Array) return this.#blob(arg);
    if ("late" in arg) return STATUS_ADDRESS + lateOffset(arg.late);
    if ("buffer" in arg) return this.#blob(new Uint8Array(arg.buffer));
    if ("strings" in arg) {
      const pointers = new BigUint64Array(arg.strings.length + 1);
      arg.strings.forEach((text, index) => pointers[index] = BigInt(this.#pointer(text)));
      return this.#blob(new Uint8Array(pointers.buffer));
    }
    return this.#struct(arg);
  }

  #struct({ struct, members }: StructArg): number {
    const bytes: number[] = [];
    for (const [name, type] of Object.entries<MemberType>(STRUCTS[struct])) {
      const value = members[name] ?? 0;
      const width = type === "pointer" ? 8 : type;
      const inline = value instanceof Uint8Array && type !== "pointer"
        ? [...value]
        : littleEndian(value instanceof Uint8Array ? this.#blob(value) : value).slice(0, width);
      while (inline.length < width) inline.push(0);
      bytes.push(...inline);
    }
    return this.#blob(new Uint8Array(bytes));
  }

  #string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const address = this.#blob(new TextEncoder().encode(text + "\0"));
    this.#strings.set(text, address);
    return address;
  }

  /** Places bytes at an address that is a multiple of 8. */
  #blob(bytes: Uint8Array): number {
    const at = this.#blobBytes;
    this.#blobBytes += Math.ceil(bytes.length / 8) * 8;
    while (this.#blobBytes > this.#blobs.length) {
      const larger = new Uint8Array(this.#blobs.length * 2);
      larger.set(this.#blobs);
      this.#blobs = larger;
    }
    this.#blobs.set(bytes, at);
    return this.#blobAddress + at;
  }

  #constant(value: number | bigint): number {
    let index = this.#constants.get(value);
    if (index === undefined) {
      index = this.#constants.size;
      this.#constants.set(value, index);
    }
    return ~index;
  }

  #slot(name: SlotName): number {
    let offset = this.#slots.get(name);
    if (offset === undefined) {
      offset = STATUS.slots + 8 * this.#slots.size;
      if (offset >= STATUS.late) {
        throw new Error(`a plan has room for ${(STATUS.late - STATUS.slots) / 8} slots`);
      }
      this.#slots.set(name, offset);
    }
    return STATUS_ADDRESS + offset;
  }

  finish(): Program {
    const recordBytes = this.#records.length * RECORD_BYTES;
    const constantsAt = recordBytes + this.#blobBytes;
    const data = new Uint8Array(constantsAt + 8 * this.#constants.size);
    data.set(this.#blobs.subarray(0, this.#blobBytes), recordBytes);
    // Words of 32 bits, since all addresses have no more: a DataView costs five times as much.
    const words = new Uint32Array(data.buffer);
    for (const [value, index] of this.#constants) setWord(words, constantsAt / 4 + 2 * index, value);

    const constantsAddress = DATA_ADDRESS + constantsAt;
    this.#records.forEach(({ nr, exits: { next, zero, caught }, save, args }, index) => {
      const at = index * RECORD_BYTES / 4;
      words[at + RECORD.nr / 4] = nr;
      words[at + RECORD.next / 4] = next === END ? 0 : (next - index) * RECORD_BYTES;
      words[at + RECORD.zero / 4] = zero === END ? 0 : (zero - index) * RECORD_BYTES;
      words[at + RECORD.save / 4] = save;
      for (let position = 0; position < 6; position++) {
        const address = args[position]!;
        words[at + RECORD.args / 4 + 2 * position] = address < 0 ? constantsAddress + 8 * ~address : address;
      }
      if (caught === undefined) return;
      words[at + RECORD.caught / 4] = caught.at === END ? 0 : (caught.at - index) * RECORD_BYTES;
      caught.errnos.forEach((errno, position) =>
        words[at + RECORD.errnos / 4 + (position >> 1)]! |= errno << (16 * (position & 1))
      );
    });
    return { data, steps: this.#steps, slots: this.#slots };
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

function littleEndian(value: number | bigint): number[] {
  const words = new Uint32Array(2);
  setWord(words, 0, value);
  return [...new Uint8Array(words.buffer)];
}
