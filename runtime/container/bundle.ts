/**
 * A bundle: a directory with a config.json.
 *
 * @see bundle.md of the runtime specification
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { Config } from "../spec/config.ts";
import { parseConfig } from "../spec/parse.ts";

export interface Bundle {
  /** Absolute path. */
  readonly path: string;
  readonly config: Config;
}

/**
 * Reads and checks a bundle's configuration.
 *
 * @param bundle the directory, the working directory if absent
 * @param file the configuration, if it is not the bundle's config.json
 * @throws {ConfigError} if it cannot be read, or is wrong
 */
export function readBundle(bundle = ".", file?: string): Bundle {
  const path = absolute(bundle);
  const name = file === undefined ? `${path}/config.json` : absolute(file);
  let text: string;
  try {
    text = Deno.readTextFileSync(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ConfigError("", `JSON specification file ${name} not found: no such file or directory`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ConfigError("", `open ${name}: permission denied`);
    }
    throw error;
  }
  return { path, config: parseConfig(text) };
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : path === "." ? Deno.cwd() : `${Deno.cwd()}/${path}`;
}
