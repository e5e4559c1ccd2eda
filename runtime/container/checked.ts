/** Creating a container for other programs than our own commands, which have read its config themselves. @module */
import type { Config } from "../spec/config.ts";
import { validateConfig } from "../spec/parse.ts";
import type { Container } from "./container.ts";
import { createContainer as create, type CreateOptions } from "./create.ts";

/**
 * Makes the container of `config`, up to the point where only its program is missing. It is locked.
 *
 * After an error nothing of it is left.
 *
 * @throws {ConfigError} if the config is wrong: without a namespace of its own what it asks for would befall the host
 * @throws {StateError} if the id is taken
 * @throws {SyscallError} the step that failed, with its pointer
 */
// deno-lint-ignore require-await -- What is wrong is a rejection, too.
export async function createContainer(config: Config, options: CreateOptions): Promise<Container> {
  return create(validateConfig(config), options);
}
