/**
 * User namespaces whose only use is their id map: an id-mapped mount takes it from there.
 *
 * @see mount_setattr(2), MOUNT_ATTR_IDMAP; config.md#posix-platform-mounts
 * @module
 */
import { Init } from "../init/init.ts";
import { AT_FDCWD, CLONE_NEWUSER, O_CLOEXEC, O_RDONLY } from "../linux/generated/constants.ts";
import { openat2 } from "../linux/files.ts";
import { meetRuntime } from "../plan/inherited.ts";
import { idmappedMounts } from "../plan/mounts.ts";
import { barrier, type Plan, step } from "../plan/node.ts";
import type { Config } from "../spec/config.ts";
import { idMap, writeProcFile } from "./namespaces.ts";

/**
 * Opens one for each id-mapped mount of the config, in their order.
 *
 * @param opened gets the descriptors, to be closed by the caller
 */
export function openIdmaps(config: Config, id: string, directory: string, opened: number[]): void {
  for (const { uidMappings, gidMappings, reason, index } of idmappedMounts(config)) {
    const own = `${directory}/idmap${index}`;
    Deno.mkdirSync(own, { mode: 0o700 });
    const init = Init.spawn(planNamespace(reason.pointer), { id, directory: own, firstFd: 3 });
    try {
      init.next();
      writeProcFile(init.pid, "gid_map", idMap(gidMappings), `${reason.pointer}/gidMappings`);
      writeProcFile(init.pid, "uid_map", idMap(uidMappings), `${reason.pointer}/uidMappings`);
      // The namespace lives on by this descriptor, and later by the mount.
      opened.push(openat2(AT_FDCWD, `/proc/${init.pid}/ns/user`, { flags: O_RDONLY | O_CLOEXEC }));
    } finally {
      init.end();
    }
  }
}

/** A process that makes a user namespace and waits in it. */
function planNamespace(pointer: string): Plan {
  return [
    ...meetRuntime(),
    step({ label: "create a user namespace for its id map", pointer }, "unshare", [CLONE_NEWUSER]),
    barrier("namespaces", "the runtime writes the id maps"),
  ];
}
