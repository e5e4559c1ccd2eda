/**
 * The socket by which a container says that it is ready, as the container sees it. See notify.ts for our side.
 *
 * @see sd_notify(3)
 * @module
 */
import { exists } from "../linux/files.ts";
import type { Config } from "../spec/config.ts";

/** Where the container finds it. */
const TARGET = "/run/notify";

/** What goes behind the container's environment. */
export const NOTIFY_ENV = `NOTIFY_SOCKET=${TARGET}/notify.sock`;

/** Mounts the socket's directory, for a container whose state is kept in `directory`. The socket comes with the start. */
export function withNotify(config: Config, directory: string): Config {
  const source = `${directory}/notify`;
  Deno.mkdirSync(source, { mode: 0o755 });
  const mount = {
    destination: TARGET,
    type: "bind",
    source,
    options: ["bind", "nosuid", "noexec", "nodev", "ro"],
  };
  return { ...config, mounts: [...config.mounts ?? [], mount] };
}

/** Whether a container was made with {@linkcode withNotify}. */
export function hasNotify(directory: string): boolean {
  return exists(`${directory}/notify`);
}
