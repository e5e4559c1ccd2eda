/** What `hako --version` prints. @module */

/** As in deno.json, which a command need not read for it. */
export const VERSION = "0.1.0";

/** The newest runtime-spec whose config.json is covered in full. */
export const SPEC_VERSION = "1.3.0";

export function versionText(): string {
  return `hako version ${VERSION}\nspec: ${SPEC_VERSION}\ndeno: ${Deno.version.deno}\n`;
}
