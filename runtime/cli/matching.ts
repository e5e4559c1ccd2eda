/** A command for all containers whose ids match: crun's `--regex`. @module */

import { listIds } from "../container/state.ts";
import { UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";
import { log } from "../log.ts";
import type { Flag } from "./options.ts";

export const regexOption = {
  type: "flag",
  short: "r",
  help: "ID is a regular expression: all containers whose ids match",
} as const satisfies Flag;

/**
 * Does `action` for each container whose id matches. As with crun, one that fails is a warning, and the others go on.
 *
 * @throws {UsageError} if `pattern` is no regular expression
 */
export function forMatching(root: string, pattern: string, action: (id: string) => void): void {
  for (const id of listIds(root).filter(matcher(pattern))) {
    try {
      action(id);
    } catch (error) {
      log.warn(messageOf(error));
    }
  }
}

function matcher(pattern: string): (id: string) => boolean {
  try {
    const expression = new RegExp(pattern);
    return (id) => expression.test(id);
  } catch {
    throw new UsageError(`invalid regular expression "${pattern}"`);
  }
}
