/**
 * A container as a file that runs by itself: `supervisor.ts` says what lies in it.
 *
 * ```
 *   0            ELF header, loader
 *   1024         with --embed, an image from here (squashfs: from 4096) to the end of a page
 *                head, supervisor
 *                the program, packed
 *                the plan, deflated, for people: its length and MAGIC are the last twelve bytes
 * ```
 *
 * @see elf(5)
 * @module
 */
import { ERRNO, ERRNO_TEXT } from "../linux/generated/errno.ts";
import type { Cpu } from "../linux/generated/syscalls.ts";
import { IMAGE_OFFSETS, type ImageType } from "../plan/embedded.ts";
import type { Step } from "../plan/node.ts";
import type { Standalone } from "../plan/standalone.ts";
import { cgroupName, PID } from "../plan/standalone_cgroup.ts";
import { NULL_SLOTS } from "../plan/streams.ts";
import { MACHINES, PF_R, PF_X, writeHeaders } from "./elf_header.ts";
import { encode } from "./encode.ts";
import { LOADER as LOADER_AARCH64 } from "./generated/loader_aarch64.ts";
import { LOADER as LOADER_X86_64 } from "./generated/loader_x86_64.ts";
import { SUPERVISOR as SUPERVISOR_AARCH64 } from "./generated/supervisor_aarch64.ts";
import { SUPERVISOR as SUPERVISOR_X86_64 } from "./generated/supervisor_x86_64.ts";
import { packLz4 } from "./lz4.ts";
import { DATA_ADDRESS, RECORD, RECORD_BYTES, STATUS, STATUS_ADDRESS, TEXT_ADDRESS } from "./record.ts";
import { ELF_BYTES, HEAD, HEAD_BYTES, IMAGE_ADDRESS, LOADER, LOADER_BYTES, MAX_ERRNO } from "./supervisor.ts";

const CODE: Readonly<Record<Cpu, { readonly loader: string; readonly supervisor: string }>> = {
  x86_64: { loader: LOADER_X86_64, supervisor: SUPERVISOR_X86_64 },
  aarch64: { loader: LOADER_AARCH64, supervisor: SUPERVISOR_AARCH64 },
};

/** Where the file may be mapped, for a step that unmaps it. */
export const IMAGE = { address: IMAGE_ADDRESS, bytes: TEXT_ADDRESS - IMAGE_ADDRESS } as const;

/** Signals that are passed on, SIGCHLD among them: a mask. */
export type SignalMask = bigint;

/**
 * The executable of `source` for `cpu`. The same source gives the same bytes.
 *
 * @param image with the container's root filesystem
 */
export function executableImage(
  source: Standalone,
  cpu: Cpu,
  { signals, image }: { readonly signals: SignalMask; readonly image?: Image },
): Uint8Array<ArrayBuffer> {
  const { loader, supervisor } = CODE[cpu];
  const { page } = MACHINES[cpu];
  const { data, head } = program(source, cpu, signals);
  const [loaderCode, code] = [Uint8Array.fromHex(loader), concat([head, Uint8Array.fromHex(supervisor)])];
  const packed = packLz4(data);
  const loaderAt = ELF_BYTES + LOADER_BYTES;
  // Behind an image it begins at a page of its own.
  const codeAt = image === undefined ? align(loaderAt + loaderCode.length, 8) : align(imageEnd(image), page);
  const packedAt = codeAt + code.length;
  const file = new Uint8Array(packedAt + packed.length);
  if (image !== undefined) {
    const from = Math.max(OWN_BYTES, IMAGE_OFFSETS[image.type]);
    file.set(image.bytes.subarray(from - IMAGE_OFFSETS[image.type]), from);
  }
  const view = new DataView(file.buffer);
  const set = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);
  const base = image === undefined ? IMAGE_ADDRESS : TAIL_ADDRESS - codeAt;

  const mapped = image === undefined ? file.length : OWN_BYTES;
  const tail = file.length - codeAt;
  writeHeaders(file, cpu, {
    entry: IMAGE_ADDRESS + loaderAt,
    segments: [
      { flags: PF_R | PF_X, offset: 0, address: IMAGE_ADDRESS, file: mapped, memory: mapped },
      ...(image === undefined
        ? []
        : [{ flags: PF_R, offset: codeAt, address: TAIL_ADDRESS, file: tail, memory: tail }]),
    ],
  });
  set(LOADER.code, base + codeAt);
  set(LOADER.code_bytes, code.length);
  set(LOADER.packed, base + packedAt);
  set(LOADER.packed_end, base + file.length);
  set(LOADER.text_bytes, align(code.length, page));
  set(LOADER.data_bytes, align(data.length, page));
  file.set(loaderCode, loaderAt);
  file.set(code, codeAt);
  file.set(packed, packedAt);
  const room = image === undefined ? IMAGE.bytes : TEXT_ADDRESS - TAIL_ADDRESS;
  if ((image === undefined ? file.length : tail) > room) {
    throw new Error(`a compiled container has room for ${room} bytes`);
  }
  return file;
}

/** A root filesystem as one file. */
export interface Image {
  readonly type: ImageType;
  readonly bytes: Uint8Array;
}

/** Where in the file it ends. */
export function imageEnd({ type, bytes }: Image): number {
  return IMAGE_OFFSETS[type] + bytes.length;
}

/** What an image leaves to the ELF header and the loader, and where the rest of an executable with an image is mapped. */
const OWN_BYTES = 1024;
const TAIL_ADDRESS = IMAGE_ADDRESS + 0x100000;

/** The records with all that the supervisor needs behind them, and the supervisor's head. */
function program(source: Standalone, cpu: Cpu, signals: SignalMask) {
  const { container, cleanup, args, kept, env, passed, name } = source;
  const { data: records, steps, slots } = encode([...container, ...cleanup], cpu, {});
  const data = new Data(records);
  const slot = (slotName: `$${string}`) => {
    const offset = slots.get(slotName);
    // One that no step reads may be anywhere: the page has room behind those that it has.
    return STATUS_ADDRESS + (offset ?? STATUS.late - 8);
  };
  const [first] = cleanup;
  const firstStep = first!.kind === "attempt" ? first!.step : first;
  const cleanupAt = steps.indexOf(firstStep as Step);
  const strings = (list: readonly string[], room = 0) =>
    data.words([...list.map((text) => data.string(text)), ...Array(room + 1).fill(0)]);

  writeTexts(data, source, steps.slice(0, cleanupAt));
  const own = strings(env, passed.length);
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  const set = (offset: number, value: number | bigint) => head.setBigUint64(offset, BigInt(value), true);
  set(HEAD.records, DATA_ADDRESS);
  set(HEAD.cleanup, DATA_ADDRESS + cleanupAt * RECORD_BYTES);
  set(HEAD.args, strings(args));
  set(HEAD.kept, kept);
  set(HEAD.argv, slot("$argv"));
  set(HEAD.pass, strings(passed.map((variable) => `${variable}=`)));
  set(HEAD.environment, own + 8 * env.length);
  set(HEAD.env, own);
  set(HEAD.envp, slot("$envp"));
  set(HEAD.names, data.words([...pidAddresses(records, name), 0]));
  set(HEAD.forked, slots.has("$init") ? slot("$init") : 0);
  set(HEAD.status, slot("$exit"));
  NULL_SLOTS.forEach((nullSlot, index) => set(HEAD.nulls + 8 * index, slot(nullSlot)));
  set(HEAD.texts, errnoTexts(data));
  set(HEAD.all, 2n ** 64n - 1n);
  set(HEAD.signals, signals);
  return { data: data.bytes(), head: new Uint8Array(head.buffer) };
}

/** Memory that grows. */
class Data {
  /** What was there before. */
  readonly first: Uint8Array;
  readonly #parts: Uint8Array[];
  #end: number;

  constructor(first: Uint8Array) {
    this.first = first;
    this.#parts = [first];
    this.#end = first.length;
  }

  /** @returns its address */
  add(bytes: Uint8Array): number {
    const address = DATA_ADDRESS + this.#end;
    this.#parts.push(bytes);
    this.#end += bytes.length;
    return address;
  }

  string(text: string): number {
    return this.add(new TextEncoder().encode(`${text}\0`));
  }

  words(values: readonly number[]): number {
    this.add(new Uint8Array(-this.#end & 7));
    return this.add(new Uint8Array(BigUint64Array.from(values, BigInt).buffer));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }
}

/** What is said when a step fails, before the errno. Many steps say the same. */
function writeTexts(data: Data, { name }: Standalone, steps: readonly Step[]): void {
  const texts = new Map<string, number>();
  const records = data.first;
  const view = new DataView(records.buffer, records.byteOffset);
  steps.forEach(({ label, call, pointer }, index) => {
    const asked = pointer === "runtime" ? "" : `config.json ${pointer}: `;
    const text = `${name}: ${asked}${label}: ${call}: `;
    const address = texts.get(text) ?? data.string(text);
    texts.set(text, address);
    view.setUint32(index * RECORD_BYTES + RECORD.text, address, true);
  });
}

/** One after the other, from errno 0 on. The last is for all that have none. */
function errnoTexts(data: Data): number {
  const names = new Map<number, string>(Object.entries(ERRNO).map(([name, number]) => [number, name]));
  const text = (errno: number) => names.has(errno) ? `${ERRNO_TEXT[errno]} (${names.get(errno)})\n` : "\n";
  return data.string(
    [...Array.from({ length: MAX_ERRNO }, (_, errno) => text(errno)), "unknown error\n"].join("\0"),
  );
}

/** Wherever the cgroup's name has room for the pid. */
function pidAddresses(data: Uint8Array, name: string): number[] {
  const wanted = new TextEncoder().encode(cgroupName(name));
  const addresses: number[] = [];
  for (let at = data.indexOf(wanted[0]!); at !== -1; at = data.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, index) => data[at + index] === byte)) {
      addresses.push(DATA_ADDRESS + at + wanted.length - PID.length);
    }
  }
  return addresses;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
