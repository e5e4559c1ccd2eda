/** Texts that are no JSON, as nobody would write them. @module */
import { mutate, mutateText } from "./mutate.ts";
import type { Random } from "./random.ts";

const PIECES: readonly string[] = [
  "\n",
  "\t",
  " ",
  " - ",
  ":",
  "::",
  ",",
  "/",
  "..",
  "\\040",
  "\\999",
  "\0",
  "(",
  ")",
  "[",
  "<",
  "'",
  "0",
  "-1",
  "00",
  "1e9",
  "0x",
  "9223372036854775808",
  "18446744073709551616",
  "max",
  "unlimited",
  "",
  "☃",
  "x".repeat(5000),
];

/** A few changes of a few characters, or a line of another text. `pieces`: words that the text may have. */
export function mutateLines(
  input: string,
  corpus: readonly string[],
  random: Random,
  pieces: readonly string[] = [],
): string {
  let text = input;
  for (let times = random.pick([1, 1, 2, 4, 8]); times > 0; times--) {
    text = change(text, corpus, random, pieces);
  }
  return text;
}

function change(text: string, corpus: readonly string[], random: Random, pieces: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = at + random.pick([0, 1, 1, 2, random.below(20), random.below(text.length + 1)]);
  const replaced = (piece: string) => text.slice(0, at) + piece + text.slice(end);
  switch (random.below(6)) {
    case 0:
      return replaced("");
    case 1:
      return replaced(random.pick(PIECES));
    case 2:
      return replaced(random.pick(pieces.length > 0 ? pieces : PIECES));
    case 3:
      return replaced(String.fromCharCode(random.below(256)));
    case 4: {
      const lines = text.split("\n");
      return lines.toSpliced(
        random.below(lines.length),
        random.below(2),
        random.pick(random.pick(corpus).split("\n")),
      ).join("\n");
    }
    default:
      return replaced(text.slice(at, end) + text.slice(at, end));
  }
}

/** A JSON value, with members of others; its text now and then damaged. */
export function mutateJson(input: string, corpus: readonly string[], random: Random): string {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    return mutateLines(input, corpus, random);
  }
  const donors = [random.pick(corpus), random.pick(corpus)].flatMap((text) => {
    try {
      return [JSON.parse(text)];
    } catch {
      return [];
    }
  });
  if (donors.length === 0) donors.push(structuredClone(value));
  for (let times = random.pick([1, 1, 1, 2, 3, 4]); times > 0; times--) mutate(value, donors, random);
  return mutateText(JSON.stringify(value), random);
}
