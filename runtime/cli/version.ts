/** What `hako --version` prints. @module */

import { OCI_VERSION } from "../spec/version.ts";

/** As in deno.json, which a command need not read for it. */
export const VERSION = "0.1.0";

export function versionText(): string {
  return `hako version ${VERSION}\nspec: ${OCI_VERSION}\ndeno: ${Deno.version.deno}\n`;
}
