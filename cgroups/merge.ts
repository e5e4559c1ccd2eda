/** What `update` changes of what a container has. @module */
import type { Resources } from "../runtime/spec/resources.ts";

/** `changes` on top of `stored`: members that are not in `changes` keep their values, lists are replaced as a whole. */
export function mergeResources(stored: Resources = {}, changes: Resources): Resources {
  const merged: Record<string, unknown> = { ...stored };
  for (const [name, value] of Object.entries(changes)) {
    const old = merged[name];
    if (value === undefined) continue;
    merged[name] = isObject(old) && isObject(value) ? { ...old, ...defined(value) } : value;
  }
  return merged as Resources;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function defined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
