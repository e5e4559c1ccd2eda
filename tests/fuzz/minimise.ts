/** Makes an input smaller as long as something holds of it. @module */

/** Whether it is still so. */
export type Holds = (input: string) => boolean | Promise<boolean>;

/** JSON loses members and elements, other texts characters: many at once, then fewer. Stops after `tries`. */
export async function minimise(input: string, holds: Holds, tries = 2000): Promise<string> {
  const limited: Holds = (smaller) => tries-- > 0 && holds(smaller);
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    return (await shorten([...input], (characters) => limited(characters.join("")))).join("");
  }
  const text = JSON.stringify(value);
  if (!await holds(text)) return (await shorten([...input], (rest) => limited(rest.join("")))).join("");
  return JSON.stringify(await prune(value, (smaller) => limited(JSON.stringify(smaller))));
}

/** Leaves out what is not needed, in pieces that halve. */
async function shorten<T>(
  items: readonly T[],
  holds: (items: readonly T[]) => boolean | Promise<boolean>,
): Promise<readonly T[]> {
  let rest = items;
  for (let size = items.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < rest.length;) {
      const smaller = rest.toSpliced(at, size);
      if (await holds(smaller)) rest = smaller;
      else at += size;
    }
  }
  return rest;
}

/** Leaves out members, then looks into those that are left. `holds`: with another value in its place. */
async function prune(
  value: unknown,
  holds: (value: unknown) => boolean | Promise<boolean>,
): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  const build = (entries: readonly (readonly [string, unknown])[]) =>
    Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
  const entries = [...await shorten(Object.entries(value), (entries) => holds(build(entries)))];
  for (const [index, [name, member]] of entries.entries()) {
    const smaller = await prune(member, (other) => holds(build(entries.with(index, [name, other]))));
    entries[index] = [name, smaller];
  }
  return build(entries);
}
