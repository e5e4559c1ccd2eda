/**
 * JSON whose 64-bit integers keep their value. JSON.parse reads 18446744073709551615 (RLIM_INFINITY, a seccomp mask) as
 * 2^64, and 9223372036854771712 (the largest memory limit) as 2^63.
 *
 * @module
 */

/** A `number` from -(2^53 - 1) to 2^53 - 1, a `bigint` beyond. Compares with `<`, but not with `===`. */
export type Integer = number | bigint;

/** ECMAScript's JSON.parse source text access and JSON.rawJSON, which TypeScript does not know yet. */
declare const JSON: {
  parse(
    text: string,
    reviver?: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  stringify(value: unknown, replacer?: (key: string, value: unknown) => unknown, space?: string): string;
  rawJSON(text: string): unknown;
};

/** JSON.parse, but an integer that a `number` cannot hold becomes a `bigint`. Ten times slower, if there may be one. */
export function parseExact(text: string): unknown {
  // 2^53 has sixteen digits.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) => {
    const inexact = Number.isInteger(value) && !Number.isSafeInteger(value);
    return inexact && /^-?\d+$/.test(source!) ? BigInt(source!) : value;
  });
}

/** JSON.stringify for values of {@linkcode parseExact}. */
export function stringify(value: unknown, indent?: string): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // There is a bigint, which is rare: a replacer is ten times slower.
    if (!(error instanceof TypeError)) throw error;
    const replacer = (_key: string, item: unknown) =>
      typeof item === "bigint" ? JSON.rawJSON(`${item}`) : item;
    return JSON.stringify(value, replacer, indent);
  }
}

/** Where and why `text`, which JSON.parse refused with `error`, is not JSON. */
export function explainSyntaxError(text: string, error: SyntaxError): string {
  const message = error.message.replace(/\s+/g, " "); // It may quote several lines.
  if (message.includes("(line ")) return message;
  // V8 gives the place of every error but two: that of an unexpected token, which is where the shortest prefix with one
  // ends, and that of an unexpected end.
  let [before, after] = [0, text.length + 1];
  while (after - before > 1) {
    const middle = (before + after) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) after = middle;
    else before = middle;
  }
  const lines = text.slice(0, before).split("\n");
  return `${message} (line ${lines.length} column ${lines.at(-1)!.length + 1})`;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as SyntaxError).message.endsWith("is not valid JSON");
  }
}
