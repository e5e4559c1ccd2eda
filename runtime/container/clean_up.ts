/** What has to be given back whatever fails. @module */

/** Runs all of `actions`, even if one fails. @throws the first of their errors */
export function cleanUp(...actions: readonly (() => unknown)[]): void {
  const [first, ...rest] = actions;
  if (first === undefined) return;
  try {
    first();
  } finally {
    cleanUp(...rest);
  }
}
