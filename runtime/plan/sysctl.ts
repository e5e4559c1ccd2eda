import type { Config } from "../spec/config.ts";
import { sysctlPath } from "../spec/sysctl.ts";
import { memberPointer, writeProc } from "./idioms.ts";
import type { Node } from "./node.ts";

/**
 * linux.sysctl: kernel parameters of the container's own namespaces. Which ones /proc/sys shows depends on the
 * namespaces of the process that looks, not on those of the mount.
 *
 * @see sysctl(8), proc_sys(5), config-linux.md#sysctl
 */
export function sysctl(config: Config): Node[] {
  return Object.entries(config.linux?.sysctl ?? {}).flatMap(([key, value]) => {
    const label = `set sysctl ${key} to ${JSON.stringify(value)}`;
    return writeProc(
      { label, pointer: memberPointer("/linux/sysctl", key) },
      `sys/${sysctlPath(key)}`,
      value,
    );
  });
}
