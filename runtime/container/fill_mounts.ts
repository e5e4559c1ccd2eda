/**
 * The loops of setting up a container, which a plan does not have: copying what a tmpfs covers, and comparing the device
 * nodes of an image with those that were asked for.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { Init } from "../init/init.ts";
import {
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_IN_ROOT,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
} from "../linux/generated/constants.ts";
import { close, fstat, openat2 } from "../linux/files.ts";
import { pidfdGetfd } from "../linux/processes.ts";
import { devicesToCompare } from "../plan/devices.ts";
import { copiedUp } from "../plan/mounts.ts";
import type { SlotName } from "../plan/node.ts";
import type { Config, Device } from "../spec/config.ts";
import { copyTree } from "./copy_tree.ts";
import { onBehalfOf } from "./on_behalf_of.ts";

/** Does at the barrier `mounted` what the config needs there. */
export function fillMounts(config: Config, init: Init): void {
  for (const { under, over, reason } of copiedUp(config)) {
    onBehalfOf(reason, () => withSlots(init, [under, over], ([from, to]) => copyTree(from!, to!)));
  }
  const devices = devicesToCompare(config);
  if (devices.length > 0) withSlots(init, ["$root"], ([root]) => compareDevices(root!, devices));
}

/** Lends the init's descriptors in these slots. */
function withSlots(init: Init, slots: readonly SlotName[], use: (fds: readonly number[]) => void): void {
  const fds: number[] = [];
  try {
    for (const slot of slots) fds.push(pidfdGetfd(init.pidfd, init.slot(slot)));
    use(fds);
  } finally {
    fds.forEach(close);
  }
}

const FILE_TYPE: Readonly<Record<Device["type"], number>> = {
  b: S_IFBLK,
  c: S_IFCHR,
  u: S_IFCHR,
  p: S_IFIFO,
};

/** config-linux.md#devices: a file that is already there and is something else is an error. */
function compareDevices(root: number, devices: ReturnType<typeof devicesToCompare>): void {
  for (const { path, type, major = 0, minor = 0, reason } of devices) {
    const fd = openat2(root, path, { flags: O_PATH | O_NOFOLLOW | O_CLOEXEC, resolve: RESOLVE_IN_ROOT });
    try {
      const found = fstat(fd);
      const same = (found.mode & S_IFMT) === FILE_TYPE[type] &&
        (type === "p" || (found.major === major && found.minor === minor));
      if (!same) {
        throw new ConfigError(
          reason.pointer,
          `there is another file at "${path}" than the device asked for`,
        );
      }
    } finally {
      close(fd);
    }
  }
}
