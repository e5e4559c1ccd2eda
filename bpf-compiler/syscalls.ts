/**
 * Names and numbers of system calls.
 *
 * The generated table is text; an ABI is decoded when it is asked for the first time.
 *
 * @module
 */

import { CALLS, NAMES, SINCE } from "./generated/syscalls.ts";

/** The calls of an ABI by number: places in the list of names, and the numbers of the same calls. */
export interface Calls {
  readonly names: readonly number[];
  readonly numbers: readonly number[];
}

let names: readonly string[] | undefined;
let places: ReadonlyMap<string, number> | undefined;
const decoded = new Map<string, Calls>();

/** All names of all ABIs. */
export function syscallNames(): readonly string[] {
  return names ??= NAMES.split(" ");
}

/** The place of a name in {@linkcode syscallNames}; undefined if no ABI knows it. */
export function placeOf(name: string): number | undefined {
  places ??= new Map(syscallNames().map((name, place) => [name, place]));
  return places.get(name);
}

export function callsOf(table: string): Calls {
  let calls = decoded.get(table);
  if (calls === undefined) decoded.set(table, calls = decode(CALLS[table]!));
  return calls;
}

/** The inverse of encode() in `generate.ts`. */
function decode(text: string): Calls {
  const calls = { names: [] as number[], numbers: [] as number[] };
  let [number, name] = [-1, -1];
  const add = (numbers: number, names: number) => {
    calls.numbers.push(number += numbers + 1);
    calls.names.push(name += names + 1);
  };
  for (const word of text.split(" ")) {
    if (word.startsWith("*")) {
      for (let run = parseInt(word.slice(1), 36); run > 0; run--) add(0, 0);
    } else {
      const comma = word.indexOf(",");
      add(parseInt(word.slice(0, comma), 36), parseInt(word.slice(comma + 1), 36));
    }
  }
  return calls;
}

/** The number of a call, without the offset of x32. */
export function numberOf(table: string, name: string): number | undefined {
  const place = placeOf(name);
  const calls = callsOf(table);
  return place === undefined ? undefined : calls.numbers[calls.names.indexOf(place)];
}

/** The name of a number, which has no offset of x32. */
export function nameOf(table: string, number: number): string | undefined {
  const calls = callsOf(table);
  const at = calls.numbers.indexOf(number);
  return at < 0 ? undefined : syscallNames()[calls.names[at]!];
}

/** "5.9": the kernel in which it appeared first; undefined if that was before 3.0 or is not known. */
export function sinceKernel(name: string): string | undefined {
  return Object.keys(SINCE).find((kernel) => SINCE[kernel]!.split(" ").includes(name));
}
