/**
 * config.json `/hooks`: programs run at points of the container's life.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md#posix-platform-hooks
 * @module
 */

import { absolutePath, array, type Check, integer, object, texts } from "./check.ts";

/** The hooks by the point at which they run, each list in order. */
export interface Hooks {
  /** Deprecated: after the namespaces are made and before pivot_root, in the runtime's namespaces. */
  readonly prestart?: readonly Hook[];
  /** After the namespaces are made and before pivot_root, in the runtime's namespaces. */
  readonly createRuntime?: readonly Hook[];
  /** After the mounts are made and before pivot_root, in the container's namespaces, the path looked up outside. */
  readonly createContainer?: readonly Hook[];
  /** Before the user's process is executed, in the container. */
  readonly startContainer?: readonly Hook[];
  /** After the user's process is executed, in the runtime's namespaces. */
  readonly poststart?: readonly Hook[];
  /** After the container is deleted, in the runtime's namespaces. */
  readonly poststop?: readonly Hook[];
}

/** One program, which gets the container's state as JSON on its standard input. */
export interface Hook {
  /** Absolute. */
  readonly path: string;
  /** As execv(3): argv[0] included. */
  readonly args?: readonly string[];
  /** As environ(7). */
  readonly env?: readonly string[];
  /** Seconds, more than zero, until the hook is killed. */
  readonly timeout?: number;
}

const hookList = array(object<Hook>({
  path: absolutePath,
  args: texts,
  env: texts,
  timeout: integer(1, 0x7fff_ffff),
}, ["path"]));

export const checkHooks: Check = object<Hooks>({
  prestart: hookList,
  createRuntime: hookList,
  createContainer: hookList,
  startContainer: hookList,
  poststart: hookList,
  poststop: hookList,
});
