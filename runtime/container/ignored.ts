/**
 * What a config asks for that Hako does not do, said loudly: a container must not look more confined than it is.
 *
 * @module
 */
import { plannedMounts } from "../plan/mounts.ts";
import type { Config } from "../spec/config.ts";

/** One line for each member that has no effect. */
export function ignoredMembers(config: Config): string[] {
  const { linux } = config;
  const ignored: string[] = [];
  const add = (pointer: string, value: unknown, what: string) => {
    if (value !== undefined) ignored.push(`config.json ${pointer} is ignored: ${what}`);
  };
  add("/linux/intelRdt", linux?.intelRdt, "the container stays in the caller's class of service");
  for (const { index, mount, type, options } of plannedMounts(config)) {
    // runc refuses them, crun passes them on, and the kernel has no use for them.
    for (const { option } of type === "bind" ? options.data : []) {
      add(
        `/mounts/${index}/options/${option}`,
        true,
        `a bind mount has no filesystem to tell "${mount.options![option]}"`,
      );
    }
  }
  return ignored;
}
