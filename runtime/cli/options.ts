/**
 * Options as a table: one entry each, from which come the parser, its result's type, `--help` and the shells'
 * completions.
 *
 * The rules are those of runc's parser (Go's), because callers depend on them: one dash or two before any name, the
 * value behind `=` or as the next argument, whatever it looks like; lists by repetition, commas left alone. Our own
 * because a library costs 4 to 125 ms of start-up, and none has these rules.
 *
 * @module
 */

import { UsageError } from "../errors.ts";

interface Common {
  readonly help: string;
  /** One letter: "b" for `-b`. */
  readonly short?: string;
}

interface Valued extends Common {
  /** What `--help` calls the value: "DIR". */
  readonly value: string;
  /** How a shell completes the value. */
  readonly complete?: "file" | "directory";
}

/** True if given, unless as `--x=false`. */
export interface Flag extends Common {
  readonly type: "flag";
}
/** Any text; of several, the last. */
export interface Text extends Valued {
  readonly type: "text";
}
/** A whole number from 0. */
export interface Count extends Valued {
  readonly type: "count";
}
/** Every value given, in order. */
export interface List extends Valued {
  readonly type: "list";
}
/** One of a few words. */
export interface Choice extends Valued {
  readonly type: "choice";
  readonly choices: readonly string[];
}

export type Option = Flag | Text | Count | List | Choice;

/** By long name, without dashes. */
export type Options = Readonly<Record<string, Option>>;

type Value<O extends Option> = O extends Flag ? boolean
  : O extends List ? readonly string[]
  : O extends Choice ? O["choices"][number] | undefined
  : O extends Count ? number | undefined
  : string | undefined;

/** What parsing gives for a table: flags false and lists empty if not given, the others undefined. */
export type Values<T extends Options> = { readonly [Name in keyof T]: Value<T[Name]> };

export interface Parsed<T extends Options> {
  readonly options: Values<T>;
  readonly positionals: readonly string[];
}

/**
 * Takes the options of `table` out of `args`. A `--` ends them; with `stopAtPositional` so does the first argument that
 * is none, as for the program that `exec` is to start.
 *
 * @throws {UsageError} for an unknown option and for a missing or wrong value
 */
export function parseOptions<T extends Options>(
  table: T,
  args: readonly string[],
  { stopAtPositional = false } = {},
): Parsed<T> {
  const values: Record<string, Value<Option>> = {};
  for (const name in table) values[name] = absent(table[name]!);
  const positionals: string[] = [];

  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (stopAtPositional) {
        positionals.push(...args.slice(i));
        break;
      }
      positionals.push(arg);
      continue;
    }
    const [, given, attached] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (given === undefined) throw new UsageError(`bad flag syntax: ${arg}`);
    const name = longName(table, given);
    if (name === undefined) throw new UsageError(`flag provided but not defined: -${given}`);
    const option = table[name]!;
    if (option.type === "flag") {
      values[name] = parseBoolean(name, attached ?? "true");
    } else {
      const text = attached ?? args[++i];
      if (text === undefined) throw new UsageError(`flag needs an argument: ${dashed(given)}`);
      values[name] = parseValue(option, name, text, values[name]);
    }
  }
  // The loop above has filled in every name of the table, by its type.
  return { options: values as Values<T>, positionals };
}

/** `-b` and `--bundle`, as people write them. */
export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function longName(table: Options, given: string): string | undefined {
  if (Object.hasOwn(table, given)) return given;
  for (const name in table) if (table[name]!.short === given) return name;
}

function absent(option: Option): Value<Option> {
  return option.type === "flag" ? false : option.type === "list" ? [] : undefined;
}

function parseBoolean(name: string, text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw wrongValue(name, text, "true or false");
}

function parseValue(
  option: Exclude<Option, Flag>,
  name: string,
  text: string,
  before: Value<Option>,
): Value<Option> {
  switch (option.type) {
    case "text":
      return text;
    case "list":
      return [...(before as readonly string[]), text];
    case "count":
      if (!/^\d{1,9}$/.test(text)) throw wrongValue(name, text, "a whole number");
      return Number(text);
    case "choice":
      if (!option.choices.includes(text)) throw wrongValue(name, text, option.choices.join(", "));
      return text;
  }
}

function wrongValue(name: string, text: string, allowed: string): UsageError {
  return new UsageError(`invalid ${name}: ${JSON.stringify(text)}, allowed: ${allowed}`);
}
