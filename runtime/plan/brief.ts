/**
 * A call as an error names it: with its paths, names and descriptors, without flags and numbers. `format.ts` has the whole,
 * and costs more to load than a command that succeeds should pay.
 *
 * @module
 */
import type { Step } from "./node.ts";

/** `fsconfig($fs, "size", "zzz")` */
export function briefCall({ call, args }: Pick<Step, "call" | "args">): string {
  const named = args.flatMap((arg) => {
    if (typeof arg === "string") return arg === "" ? [] : [JSON.stringify(arg)];
    return arg !== null && typeof arg === "object" && "slot" in arg ? [arg.slot] : [];
  });
  return `${call}(${named.join(", ")})`;
}
