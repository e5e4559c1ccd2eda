/**
 * Messages of D-Bus as bytes. Pure.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol
 * @module
 */

/** A value of any type: arrays and structures are arrays, an array of bytes may be one of bytes. */
export type Value = boolean | number | bigint | string | Variant | Uint8Array | readonly Value[];

/** A value that says what it is. */
export interface Variant {
  /** "s", "t", "a(sv)" */
  readonly signature: string;
  readonly value: Value;
}

export const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** The sender does not wait for a reply, so none is made. */
export const NO_REPLY_EXPECTED = 1;

/** Fields of the header, by their numbers. */
const FIELDS = {
  path: [1, "o"],
  interface: [2, "s"],
  member: [3, "s"],
  errorName: [4, "s"],
  replySerial: [5, "u"],
  destination: [6, "s"],
  signature: [8, "g"],
} as const;

export interface Message {
  readonly type: number;
  readonly flags?: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  /** The message that this one answers. */
  readonly replySerial?: number;
  readonly destination?: string;
  /** Of the body. */
  readonly signature?: string;
  readonly body?: readonly Value[];
}

/** The first bytes of a message, which tell how long it is. */
export const FIXED_BYTES = 16;

/** 128 MiB, as the specification has it. */
const MAX_BYTES = 2 ** 27;

export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const body = new Writer();
  splitSignature(message.signature ?? "").forEach((type, index) => body.write(type, message.body![index]!));
  const fields = Object.entries(FIELDS).flatMap(([name, [code, signature]]) => {
    const value = message[name as keyof typeof FIELDS];
    return value === undefined || value === "" ? [] : [[code, { signature, value }]];
  });
  const LITTLE_ENDIAN = "l".charCodeAt(0);
  const writer = new Writer();
  for (const byte of [LITTLE_ENDIAN, message.type, message.flags ?? 0, 1]) writer.write("y", byte);
  writer.write("u", body.length);
  writer.write("u", message.serial);
  writer.write("a(yv)", fields);
  writer.align(8);
  return Uint8Array.from([...writer.bytes, ...body.bytes]);
}

/**
 * The length of the message that begins with `bytes`, at least {@linkcode FIXED_BYTES} of them.
 *
 * @throws {RangeError} if that is no beginning of a message
 */
export function messageLength(bytes: Uint8Array<ArrayBuffer>): number {
  const reader = new Reader(bytes);
  const [, , , version] = [1, 2, 3, 4].map(() => reader.read("y"));
  const body = reader.read("u") as number;
  reader.read("u");
  const fields = reader.read("u") as number;
  const length = FIXED_BYTES + Math.ceil(fields / 8) * 8 + body;
  if (version !== 1 || length > MAX_BYTES) throw new RangeError("not a message of D-Bus");
  return length;
}

/** @throws {RangeError} if `bytes` are no message */
export function decodeMessage(bytes: Uint8Array<ArrayBuffer>): Message {
  const reader = new Reader(bytes);
  const [, type, flags] = [1, 2, 3, 4].map(() => reader.read("y") as number);
  reader.read("u");
  const serial = reader.read("u") as number;
  const names = new Map(Object.entries(FIELDS).map(([name, [code]]) => [code as number, name]));
  const fields: Record<string, Value> = {};
  for (const [code, variant] of reader.read("a(yv)") as [number, Variant][]) {
    const name = names.get(code);
    if (name !== undefined) fields[name] = variant.value;
  }
  reader.align(8);
  const body = splitSignature(`${fields.signature ?? ""}`).map((one) => reader.read(one));
  return { type: type!, flags: flags!, serial, body, ...fields };
}

/** The complete types of a signature: "sa(sv)u" is "s", "a(sv)" and "u". */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length;) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, start: number): number {
  const letter = signature[start] ?? "";
  if (letter === "a") return endOfType(signature, start + 1);
  if (letter !== "(" && letter !== "{") {
    if (!"ybnqiuxtdsogvh".includes(letter) || letter === "") {
      throw new RangeError(`bad signature "${signature}"`);
    }
    return start + 1;
  }
  let end = start + 1;
  while (signature[end] !== ")" && signature[end] !== "}") end = endOfType(signature, end);
  // It would take no bytes, and an array of it as many elements as one likes.
  if (end === start + 1) throw new RangeError(`bad signature "${signature}"`);
  return end + 1;
}

/** Every type begins at a multiple of this. */
function alignment(type: string): number {
  return ({ y: 1, g: 1, v: 1, n: 2, q: 2, x: 8, t: 8, d: 8, "(": 8, "{": 8 })[type[0]!] ?? 4;
}

/** The types of a structure's members. */
function members(type: string): string[] {
  return splitSignature(type.slice(1, -1));
}

class Writer {
  readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }

  align(boundary: number): void {
    while (this.bytes.length % boundary !== 0) this.bytes.push(0);
  }

  write(type: string, value: Value): void {
    this.align(alignment(type));
    switch (type[0]) {
      case "y":
        this.bytes.push(Number(value));
        break;
      case "b":
      case "i":
      case "u":
        this.#number((view) => view.setUint32(0, Number(value), true), 4);
        break;
      case "n":
      case "q":
        this.#number((view) => view.setUint16(0, Number(value), true), 2);
        break;
      case "x":
      case "t":
        this.#number((view) => view.setBigUint64(0, BigInt(value as bigint), true), 8);
        break;
      case "d":
        this.#number((view) => view.setFloat64(0, Number(value), true), 8);
        break;
      case "s":
      case "o":
      case "g": {
        const text = new TextEncoder().encode(value as string);
        this.write(type === "g" ? "y" : "u", text.length);
        this.bytes.push(...text, 0);
        break;
      }
      case "v": {
        const { signature, value: inner } = value as Variant;
        this.write("g", signature);
        this.write(signature, inner);
        break;
      }
      case "a":
        this.#array(type.slice(1), value as readonly Value[]);
        break;
      default:
        members(type).forEach((member, index) => this.write(member, (value as readonly Value[])[index]!));
    }
  }

  #array(type: string, values: Iterable<Value>): void {
    const at = this.length;
    this.write("u", 0);
    // Not a part of the length.
    this.align(alignment(type));
    const start = this.length;
    for (const value of values) this.write(type, value);
    const length = this.length - start;
    for (let byte = 0; byte < 4; byte++) this.bytes[at + byte] = length >>> 8 * byte & 0xff;
  }

  #number(set: (view: DataView) => void, size: number): void {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.bytes.push(...bytes);
  }
}

class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  /** Peers may have the other byte order. */
  readonly #little: boolean;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#little = bytes[0] === "l".charCodeAt(0);
  }

  align(boundary: number): void {
    this.#at = Math.ceil(this.#at / boundary) * boundary;
  }

  read(type: string): Value {
    this.align(alignment(type));
    switch (type[0]) {
      case "y":
        return this.#view.getUint8(this.#take(1));
      case "b":
        return this.#view.getUint32(this.#take(4), this.#little) !== 0;
      case "u":
      case "h":
        return this.#view.getUint32(this.#take(4), this.#little);
      case "i":
        return this.#view.getInt32(this.#take(4), this.#little);
      case "n":
        return this.#view.getInt16(this.#take(2), this.#little);
      case "q":
        return this.#view.getUint16(this.#take(2), this.#little);
      case "x":
        return this.#view.getBigInt64(this.#take(8), this.#little);
      case "t":
        return this.#view.getBigUint64(this.#take(8), this.#little);
      case "d":
        return this.#view.getFloat64(this.#take(8), this.#little);
      case "s":
      case "o":
      case "g": {
        const length = this.read(type === "g" ? "y" : "u") as number;
        const start = this.#take(length + 1);
        return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
      }
      case "v": {
        const signature = this.read("g") as string;
        const [type, ...more] = splitSignature(signature);
        if (type === undefined || more.length > 0) throw new RangeError(`bad signature "${signature}"`);
        return { signature, value: this.read(type) };
      }
      case "a": {
        const length = this.read("u") as number;
        this.align(alignment(type[1]!));
        const end = this.#at + length;
        const values: Value[] = [];
        while (this.#at < end) values.push(this.read(type.slice(1)));
        return values;
      }
      default:
        return members(type).map((member) => this.read(member));
    }
  }

  #take(count: number): number {
    const start = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError("a message of D-Bus is cut off");
    return start;
  }
}
