/**
 * config.json `/linux/devices` and `/linux/netDevices`.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#devices
 * @module
 */

import {
  absolutePath,
  array,
  type Check,
  type Fault,
  fitsBytes,
  id,
  integer,
  map,
  object,
  oneOf,
  orEmpty,
  refuse,
  textThat,
  uint32,
} from "./check.ts";

/** A device node to make with mknod(2). */
export interface Device {
  /** Absolute path in the container. */
  readonly path: string;
  /** Block, character, unbuffered character, or FIFO. */
  readonly type: "b" | "c" | "u" | "p";
  /** 12 bits; absent only for a FIFO. */
  readonly major?: number;
  /** 20 bits; absent only for a FIFO. */
  readonly minor?: number;
  /** Permission bits, the low twelve: engines may send the whole st_mode of the host's device. */
  readonly fileMode?: number;
  /** In the container's user namespace. Absent: 0. */
  readonly uid?: number;
  /** In the container's user namespace. Absent: 0. */
  readonly gid?: number;
}

/** A network interface in the container. */
export interface NetDevice {
  /** Its new name, at most 15 bytes; may end in "%d" for the kernel to number. Absent: as on the host. */
  readonly name?: string;
}

export const checkDevices: Check = array(
  object<Device>(
    {
      path: absolutePath,
      type: oneOf("b", "c", "u", "p"),
      // The bits of the kernel's dev_t, see include/linux/kdev_t.h.
      major: integer(0, 0xfff),
      minor: integer(0, 0xf_ffff),
      fileMode: uint32,
      uid: id,
      gid: id,
    },
    ["path", "type"],
    ({ type, major, minor }) => {
      if (type === "p") return;
      if (major === undefined || minor === undefined) {
        const name = major === undefined ? "major" : "minor";
        return { pointer: `/${name}`, problem: `is missing, and needed for type "${type}"` };
      }
    },
  ),
  devicesRule,
);

/** config-linux.md#devices: a file that exists at the path and is another device must be an error. */
function devicesRule(devices: readonly Device[]): Fault | undefined {
  const numbers = new Map<string, string>();
  for (const [i, { path, type, major, minor }] of devices.entries()) {
    const number = type === "p" ? type : `${type === "b"} ${major} ${minor}`;
    if ((numbers.get(path) ?? number) !== number) {
      return refuse(path, "must not be of two devices", `/${i}/path`);
    }
    numbers.set(path, number);
  }
}

const interfaceName = textThat(
  'must be a network interface name of at most 15 bytes without "/", ":" and white space',
  isInterfaceName,
);

/** As dev_valid_name() of Linux's net/core/dev.c. */
function isInterfaceName(name: string): boolean {
  return /^[^/:\s]+$/.test(name) && name !== "." && name !== ".." && fitsBytes(name, 15);
}

/** By the name of the interface on the host. */
export const checkNetDevices: Check = map(
  object<NetDevice>({ name: orEmpty(interfaceName) }),
  interfaceName,
);
