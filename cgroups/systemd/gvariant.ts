/** Values as text. Pure. @see https://docs.gtk.org/glib/gvariant-text-format.html @module */
import { splitSignature, type Value, type Variant } from "./message.ts";

/** Type names that may stand before a value. */
const NAMES: Readonly<Record<string, string>> = {
  boolean: "b",
  byte: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
  objectpath: "o",
  signature: "g",
};

/**
 * "true", "'text'", "uint64 5", "@as []", "[1, 2]", "('a', 1)", "<'x'>": what properties of systemd are made of.
 * Dictionaries, maybe types and byte strings are not.
 *
 * @throws {RangeError} saying what is wrong
 */
export function parseVariant(text: string): Variant {
  const parser = new Parser(text);
  const { signature, value } = parser.value();
  parser.end();
  return { signature: oneType(signature), value };
}

/** Bytes of a signature: its length has one itself. */
const MAX_SIGNATURE = 255;

/** @throws {RangeError} if `signature` is none of a single type, as "()" is none */
function oneType(signature: string): string {
  if (signature.length > MAX_SIGNATURE || splitSignature(signature).length !== 1) {
    throw new RangeError(`not a type of a value: "${signature}"`);
  }
  return signature;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    this.#take(/\s*/y);
    if (this.#at < this.#text.length) throw this.#bad();
  }

  /** @param type what it has to be, if that is known */
  value(type?: string): Variant {
    const annotated = this.#take(/\s*@([\w()]+)\s/y) ?? "";
    if (annotated !== "") return this.value(oneType(annotated));
    const named = this.#take(/\s*([a-z]+\d*)(?=\s+[^\s,\])])/y) ?? "";
    if (named !== "") {
      if (NAMES[named] === undefined) throw this.#bad();
      return this.value(NAMES[named]);
    }
    if (this.#take(/\s*([[])/y)) return this.#array(type);
    if (this.#take(/\s*([(])/y)) return this.#tuple(type);
    if (this.#take(/\s*([<])/y)) {
      const { signature, value } = this.value();
      this.#expect(/\s*(>)/y);
      return { signature: "v", value: { signature: oneType(signature), value } };
    }
    return this.#basic(type);
  }

  #array(type?: string): Variant {
    if (type !== undefined && type[0] !== "a") throw this.#bad();
    const values = this.#list(/\s*(\])/y, () => type?.slice(1));
    const element = type?.slice(1) ?? values[0]?.signature;
    // The type of an empty one is not to be seen.
    if (element === undefined || values.some(({ signature }) => signature !== element)) throw this.#bad();
    return { signature: `a${element}`, value: values.map(({ value }) => value) };
  }

  #tuple(type?: string): Variant {
    if (type !== undefined && type[0] !== "(") throw this.#bad();
    const members = type?.slice(1, -1);
    // Members of tuples that are annotated as a whole: the simple ones have a letter each.
    const values = this.#list(/\s*(\))/y, (index) => members?.[index]);
    return {
      signature: `(${values.map(({ signature }) => signature).join("")})`,
      value: values.map(({ value }) => value),
    };
  }

  #list(end: RegExp, typeOf: (index: number) => string | undefined): Variant[] {
    const values: Variant[] = [];
    while (!this.#take(end)) {
      if (values.length > 0) this.#expect(/\s*(,)/y);
      // A comma may stand behind the last one.
      if (values.length > 0 && this.#take(end)) break;
      values.push(this.value(typeOf(values.length)));
    }
    return values;
  }

  #basic(type?: string): Variant {
    const quoted = this.#take(/\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/sy);
    if (quoted !== undefined) return this.#typed(type ?? "s", "sog", unquote(quoted.slice(1, -1)));
    const word = this.#take(/\s*(true|false)\b/y);
    if (word !== undefined) return this.#typed(type ?? "b", "b", word === "true");
    const real = this.#take(/\s*([-+]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[-+]?\d+)?)/yi);
    if (real !== undefined) return this.#typed(type ?? "d", "d", Number(real));
    const whole = this.#take(/\s*([-+]?(?:0x[\da-f]+|\d+))/yi);
    if (whole === undefined) throw this.#bad();
    if (type === "d") return { signature: "d", value: Number(whole) };
    const magnitude = BigInt(whole.replace(/^[-+]/, ""));
    return this.#typed(type ?? "i", "ynqiuxt", whole.startsWith("-") ? -magnitude : magnitude);
  }

  #typed(signature: string, allowed: string, value: Value): Variant {
    if (!allowed.includes(signature)) throw this.#bad();
    const [least, most] = RANGES[signature] ?? [0n, 0n];
    if (typeof value === "bigint" && (value < least || value > most)) throw this.#bad();
    return { signature, value };
  }

  #expect(pattern: RegExp): void {
    if (this.#take(pattern) === undefined) throw this.#bad();
  }

  /** What the pattern, which must be sticky, has found in its first group. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1];
  }

  #bad(): RangeError {
    return new RangeError(`not a value of GVariant at "${this.#text.slice(this.#at)}"`);
  }
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  y: [0n, 2n ** 8n - 1n],
  n: [-(2n ** 15n), 2n ** 15n - 1n],
  q: [0n, 2n ** 16n - 1n],
  i: [-(2n ** 31n), 2n ** 31n - 1n],
  u: [0n, 2n ** 32n - 1n],
  x: [-(2n ** 63n), 2n ** 63n - 1n],
  t: [0n, 2n ** 64n - 1n],
};

function unquote(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };
  return text.replace(
    /\\(u[\da-fA-F]{4}|.)/gs,
    (_, escape: string) =>
      escape.length === 5 ? String.fromCharCode(parseInt(escape.slice(1), 16)) : escapes[escape] ?? escape,
  );
}
