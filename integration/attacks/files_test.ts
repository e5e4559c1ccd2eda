/**
 * Images with files of another kind than a runtime expects: none of them is followed, waited for, or written to.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from "../../runtime/linux/generated/constants.ts";
import { mknod } from "../support/files.ts";
import { containerTest } from "../support/fixture.ts";
import { attack } from "./attack.ts";
import { Canary } from "./canary.ts";
import { hostileImage } from "./image.ts";

/** What can be in a place, and how it is made. */
const KINDS = {
  file: (path: string) => Deno.writeTextFileSync(path, ""),
  directory: (path: string) => Deno.mkdirSync(path),
  FIFO: (path: string) => mknod(path, S_IFIFO),
  socket: (path: string) => mknod(path, S_IFSOCK),
  // makedev(1, 11): what is written to it would be in the kernel's log.
  "character device": (path: string) => mknod(path, S_IFCHR, 0x10b),
  // makedev(7, 0): the first loop device.
  "block device": (path: string) => mknod(path, S_IFBLK, 0x700),
} as const;

const PLACES = [
  "/proc",
  "/dev",
  "/sys",
  "/data",
  "/data/deep/target",
  "/etc",
  "/etc/resolv.conf",
  "/scratch/dir",
  "/masked/file",
  "/readonly/dir",
  "/nodes",
  "/nodes/null",
  "/work",
  "/work/dir",
  "/bin/true",
];

/** With the image's own /dev. */
const PLACES_IN_DEV = [
  "/dev",
  "/dev/pts",
  "/dev/pts/ptmx",
  "/dev/null",
  "/dev/zero",
  "/dev/ptmx",
  "/dev/console",
  "/dev/fd",
  "/dev/stdin",
];

for (const ownDev of [false, true]) {
  for (const place of ownDev ? PLACES_IN_DEV : PLACES) {
    containerTest(`${place}${ownDev ? " of the image" : ""} is any kind of file`, async (box) => {
      const canary = new Canary(`${box.directory}/canary`);
      const without = !ownDev ? [] : place === "/dev/pts/ptmx" ? ["/dev", "/dev/pts"] : ["/dev"];
      for (const [kind, make] of Object.entries(KINDS)) {
        const { escapes } = await attack(hostileImage(box, { canary, place, make, without }));
        assertEquals(escapes, [], kind);
      }
    });
  }
}
