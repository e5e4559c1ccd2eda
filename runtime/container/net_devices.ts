/**
 * linux.netDevices: interfaces of ours that move to the container, with the addresses that they have.
 *
 * @see config-linux.md#network-devices
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from "../linux/generated/constants.ts";
import { close, openat2 } from "../linux/files.ts";
import { RouteSocket } from "../linux/netlink.ts";
import type { Config } from "../spec/config.ts";
import { onBehalfOf } from "./on_behalf_of.ts";

/** Moves them to the network namespace of `pid`. What ends with that goes with it, but for physical ones: these come back. */
export function moveNetDevices({ linux }: Config, pid: number): void {
  const devices = Object.entries(linux?.netDevices ?? {});
  if (devices.length === 0) return;
  const namespace = openat2(AT_FDCWD, `/proc/${pid}/ns/net`, { flags: O_RDONLY | O_CLOEXEC });
  const sockets: RouteSocket[] = [];
  const open = (fd?: number) => {
    const socket = new RouteSocket(fd);
    sockets.push(socket);
    return socket;
  };
  try {
    const [ours, theirs] = [open(), open(namespace)];
    for (const [device, { name = "" }] of devices) {
      const target = name || device;
      const pointer = `/linux/netDevices/${device.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      onBehalfOf({ label: `move network interface ${device} to the container as ${target}`, pointer }, () => {
        const index = ours.indexOf(device);
        const addresses = ours.addressesOf(index);
        // One that is up cannot be renamed on its way.
        ours.setUp(index, false);
        ours.move(index, namespace, target);
        // Of a pattern, as "net%d", the kernel makes a name. It keeps the number where that is free.
        const moved = target.includes("%") ? index : theirs.indexOf(target);
        for (const address of addresses) theirs.addAddress(moved, address);
        theirs.setUp(moved, true);
      });
    }
  } finally {
    for (const socket of sockets) socket.close();
    close(namespace);
  }
}
