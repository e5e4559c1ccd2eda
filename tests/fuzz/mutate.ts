/** Configs as nobody would write them, made from those that engines write. @module */
import type { Random } from "./random.ts";

type Container = Record<string, unknown> | unknown[];

/** A member, and the object or list that holds it. */
interface Place {
  readonly holder: Container;
  readonly name: string;
}

const LONG = "x".repeat(5000);

const STRINGS: readonly string[] = [
  "",
  "/",
  ".",
  "..",
  "relative",
  "/..",
  "//../../..//etc/./passwd/",
  "/proc/self/fd/7",
  "/proc/1/root",
  "/dev",
  "/dev/pts/ptmx",
  "/a/../../b",
  "/a\0b",
  "\0",
  " ",
  "\n",
  "/new\nline",
  "/ünï-☃-𝄞",
  "\ud800",
  "/\udfff",
  LONG,
  `/${LONG}`,
  `/${"a/".repeat(300)}`,
  "__proto__",
  "constructor",
  "toString",
  "-1",
  "0",
  "0x10",
  "1e3",
  "a=b",
  "=",
  "PATH",
  "HOME=",
  "%s%n",
  "~0~1",
  "a,b",
  "bind",
  "rbind",
  "remount",
  "idmap",
  "ridmap",
  "tmpcopyup",
  "iversion",
  "rro",
  "rshared",
  `lowerdir=${LONG}`,
  "cgroup2",
  "tmpfs",
  "proc",
  "sysfs",
  "overlay",
  "user",
  "time",
  "shared",
  "runbindable",
];

const NUMBERS: readonly number[] = [
  0,
  1,
  -1,
  3,
  4,
  255,
  256,
  4095,
  0o7777,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  -(2 ** 63),
  1e300,
  0.5,
  -0,
];

const OTHERS: readonly unknown[] = [null, true, false, [], {}, [[]], [null], { "": null }, [{}], [""], [0]];

/** Changes `config` in place: one small thing. @param corpus configs to take members from */
export function mutate(config: unknown, corpus: readonly unknown[], random: Random): void {
  if (random.once(2)) return cross(config, random.pick(corpus), random);
  const place = randomPlace(config, random);
  if (place === undefined) return;
  const value = member(place);
  switch (random.below(9)) {
    case 0:
      return remove(place);
    case 1:
      return set(place, random.pick(STRINGS));
    case 2:
      return set(place, random.pick(NUMBERS));
    case 3:
      return set(place, structuredClone(random.pick(OTHERS)));
    case 4:
      return set(place, twist(value, random));
    case 5:
      return repeat(place, random);
    case 6:
      return rename(place, random);
    case 7:
      return set(place, structuredClone(member(randomPlace(config, random)!)));
    case 8:
      return transplant(place, corpus, random);
  }
}

/** From the top down: else nearly all would be in the lists of names of seccomp. */
function randomPlace(value: unknown, random: Random): Place | undefined {
  const place = randomMember(value, random);
  return place && (random.once(8) ? place : randomPlace(member(place), random) ?? place);
}

/** The larger a member, the likelier, but not in proportion. */
function randomMember(value: unknown, random: Random): Place | undefined {
  if (typeof value !== "object" || value === null) return;
  const names = Object.keys(value);
  const sizes = Object.values(value).map((one) => Math.sqrt(size(one)));
  let at = random.below(sizes.reduce((sum, one) => sum + one, 0));
  const name = names.find((_, index) => (at -= sizes[index]!) < 0);
  return name === undefined ? undefined : { holder: value as Container, name };
}

function size(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, one) => sum + size(one), 1);
}

function* places(value: unknown): Generator<Place> {
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    const place = { holder: value as Container, name };
    yield place;
    yield* places(member(place));
  }
}

function member({ holder, name }: Place): unknown {
  return (holder as Record<string, unknown>)[name];
}

/** Also for a member named "__proto__", as JSON.parse makes it. */
function set({ holder, name }: Place, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, writable: true, configurable: true });
}

function remove({ holder, name }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else delete holder[name];
}

/** The same kind of value, and nearly the same. */
function twist(value: unknown, random: Random): unknown {
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return value + random.pick([1, -1, 2 ** 31, 0.5, -2 * value]);
  if (Array.isArray(value)) return value.toReversed();
  if (typeof value !== "string") return JSON.stringify(value);
  const at = random.below(value.length + 1);
  return random.pick([
    value.slice(0, at),
    value.slice(at),
    value.slice(0, at) + random.pick(STRINGS) + value.slice(at),
    value + random.pick(STRINGS),
    value.toUpperCase(),
    `/${value}/../${value}`,
  ]);
}

function repeat(place: Place, random: Random): void {
  const { holder, name } = place;
  const times = random.once(50) ? 1000 : 1;
  if (Array.isArray(holder)) {
    for (let count = 0; count < times; count++) {
      holder.splice(random.below(holder.length + 1), 0, structuredClone(member(place)));
    }
  } else set({ holder, name: `${name}${random.pick(STRINGS)}` }, structuredClone(member(place)));
}

function rename(place: Place, random: Random): void {
  const value = member(place);
  if (Array.isArray(place.holder)) return set(place, { [random.pick(STRINGS)]: value });
  remove(place);
  set({ holder: place.holder, name: random.pick(STRINGS) }, value);
}

/** Takes over a member of `donor`, at the same place: the result is often a valid config. */
function cross(value: unknown, donor: unknown, random: Random): void {
  const from = randomMember(donor, random);
  if (from === undefined || typeof value !== "object" || value === null) return;
  const name = Array.isArray(value) ? `${random.below(value.length + 1)}` : from.name;
  const place = { holder: value as Container, name };
  const [mine, theirs] = [member(place), member(from)];
  const both = Array.isArray(mine) === Array.isArray(theirs) && typeof mine === typeof theirs;
  if (both && typeof mine === "object" && !random.once(8)) cross(mine, theirs, random);
  else set(place, structuredClone(theirs));
}

/** What another config has under the same name, be it elsewhere. */
function transplant(place: Place, corpus: readonly unknown[], random: Random): void {
  const donors = [...places(random.pick(corpus))];
  const same = donors.filter(({ name }) => name === place.name);
  const from = same.length > 0 ? same : donors;
  if (from.length > 0) set(place, structuredClone(member(random.pick(from))));
}

/** The text of a config, now and then damaged. */
export function mutateText(text: string, random: Random): string {
  if (!random.once(40)) return text;
  const at = random.below(text.length);
  return random.pick([
    text.slice(0, at),
    text.slice(0, at) + random.pick(["\0", '"', "{", "]", ",", "\\u0000", "\ufeff", "1", "-"]) +
    text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.replace(/:(\d+)/, ":18446744073709551615"),
    "[".repeat(20000),
    "",
  ]);
}
