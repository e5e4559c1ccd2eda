/**
 * Protocol buffers, as much of them as CRIU's RPC has: messages of numbers, flags, texts and messages. Our own, because the
 * libraries are several times the size of all that uses it.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @module
 */

/** A kind of message: its fields by name. */
export type Message = Readonly<Record<string, Field>>;

interface Field {
  /** The number that it has on the wire. */
  readonly id: number;
  /** "number" is an int32, an uint32 or an enum. */
  readonly type: "number" | "flag" | "text" | Message;
  readonly repeated?: true;
}

type One<T extends Field["type"]> = T extends "number" ? number
  : T extends "flag" ? boolean
  : T extends "text" ? string
  : T extends Message ? Values<T>
  : never;

/** What a message of a kind says. A field that is not set is absent. */
export type Values<M extends Message> = {
  readonly [Name in keyof M]?: M[Name] extends { readonly repeated: true } ? readonly One<M[Name]["type"]>[]
    : One<M[Name]["type"]>;
};

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The bytes of a message. */
export function encode<M extends Message>(message: M, values: Values<M>): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const [name, { id, type }] of Object.entries(message)) {
    const value: unknown = values[name];
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (type === "number" || type === "flag") {
        bytes.push(...varint(id << 3 | VARINT), ...varint(Number(one)));
      } else {
        const content = type === "text" ? new TextEncoder().encode(one) : encode(type, one);
        bytes.push(...varint(id << 3 | BYTES), ...varint(content.length), ...content);
      }
    }
  }
  return new Uint8Array(bytes);
}

/** Seven bits a byte, the lowest first. A negative number takes all 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/**
 * What the bytes of a message say. Fields that we do not know are skipped.
 *
 * @throws {RangeError} if they are no message
 */
export function decode<M extends Message>(message: M, bytes: Uint8Array): Values<M> {
  const values: Record<string, unknown> = {};
  let at = 0;
  const take = (count: number) => {
    if (count > bytes.length - at) throw new RangeError("a message ends early");
    return bytes.subarray(at, at += count);
  };
  const takeVarint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(32, value));
    }
  };
  while (at < bytes.length) {
    const key = takeVarint();
    const wire = key & 7;
    if (wire !== VARINT && wire !== BYTES) {
      take(wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : Infinity);
      continue;
    }
    const content = wire === VARINT ? takeVarint() : take(takeVarint() >>> 0);
    const found = Object.entries(message).find(([, { id }]) => id === key >>> 3);
    if (found === undefined) continue;
    const [name, { type, repeated }] = found;
    const value = valueOf(type, content);
    if (repeated) (values[name] = values[name] ?? [] as unknown[], values[name] as unknown[]).push(value);
    else values[name] = value;
  }
  // The loop has filled in fields of `message` alone, each by its type.
  return values as Values<M>;
}

function valueOf(type: Field["type"], content: number | Uint8Array): unknown {
  if ((typeof content === "number") !== (type === "number" || type === "flag")) {
    throw new RangeError("a field has another type");
  }
  if (typeof content === "number") return type === "flag" ? content !== 0 : content;
  return type === "text" ? new TextDecoder().decode(content) : decode(type as Message, content);
}
