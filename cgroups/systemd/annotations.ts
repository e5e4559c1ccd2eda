/** Properties of a container's scope that annotations give: `org.systemd.property.TimeoutStopSec: "uint64 5"`. Pure. @module */
import { ConfigError } from "../../runtime/errors.ts";
import { parseVariant } from "./gvariant.ts";
import type { Variant } from "./message.ts";
import type { Property } from "./properties.ts";

/** That an annotation of the sort begins with. */
export const ANNOTATION_PREFIX = "org.systemd.property.";

/**
 * By runc's rules: letters only, and `...Sec`, in seconds, is `...USec` on the bus.
 *
 * @throws {ConfigError} if a name or a value is not understood
 */
export function annotatedProperties(annotations: Readonly<Record<string, string>> = {}): Property[] {
  return Object.entries(annotations).flatMap(([key, text]): Property[] => {
    if (!key.startsWith(ANNOTATION_PREFIX) || text === "") return [];
    const pointer = `/annotations/${key}`;
    const name = key.slice(ANNOTATION_PREFIX.length);
    if (!/^[A-Za-z]{3,}$/.test(name)) {
      throw new ConfigError(pointer, `must be letters behind "${ANNOTATION_PREFIX}"`);
    }
    try {
      const value = parseVariant(text);
      return /[a-z]Sec$/.test(name) ? [[name.replace(/Sec$/, "USec"), microseconds(value)]] : [[name, value]];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ConfigError(pointer, error.message);
    }
  });
}

function microseconds({ signature, value }: Variant): Variant {
  if (!"ynqiuxtd".includes(signature) || Number(value) < 0) {
    throw new RangeError("must be a number of seconds");
  }
  return { signature: "t", value: BigInt(Math.round(Number(value) * 1e6)) };
}
