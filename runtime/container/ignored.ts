/**
 * What a config asks for that Hako does not do, said loudly: a container must not look more confined than it is.
 *
 * @module
 */
import { plannedMounts } from "../plan/mounts.ts";
import type { Config } from "../spec/config.ts";

/** One line for each member that has no effect. */
export function ignoredMembers(config: Config): string[] {
  return plannedMounts(config).filter(({ type }) => type === "bind").flatMap(({ index, mount, options }) =>
    // runc refuses them, crun passes them on, and the kernel has no use for them.
    options.data.map(({ option }) =>
      `config.json /mounts/${index}/options/${option} is ignored: ` +
      `a bind mount has no filesystem to tell "${mount.options![option]}"`
    )
  );
}
