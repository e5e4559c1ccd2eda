/**
 * What a config asks for that Hako does not do yet, said loudly: a container must not look more confined than it is.
 *
 * @module
 */
import type { Config } from "../spec/config.ts";

/** One line for each member that has no effect. */
export function ignoredMembers({ linux }: Config): string[] {
  const ignored: string[] = [];
  const add = (pointer: string, value: unknown, what: string) => {
    if (value !== undefined) ignored.push(`config.json ${pointer} is ignored: ${what}`);
  };
  add("/linux/intelRdt", linux?.intelRdt, "the container stays in the caller's class of service");
  add("/linux/netDevices", linux?.netDevices, "no interface is moved");
  return ignored;
}
