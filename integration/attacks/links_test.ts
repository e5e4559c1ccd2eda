/**
 * Whatever a runtime touches in an image is a symbolic link to the host in one of these images.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { attack } from "./attack.ts";
import { Canary } from "./canary.ts";
import { hostileImage } from "./image.ts";

/** A place in the image, and what there is at the other end of the link. */
interface Place {
  readonly path: string;
  readonly to: "dir" | "file";
  /** Why not even a plan without RESOLVE_IN_ROOT is led out of the root here. */
  readonly inert?: string;
}

const dir = (path: string, inert?: string): Place => ({ path, to: "dir", ...inert && { inert } });
const file = (path: string, inert?: string): Place => ({ path, to: "file", ...inert && { inert } });

/** Links by what they say, given the absolute path of what they are to reach. */
const LINKS: Readonly<Record<string, (target: string, place: string) => string>> = {
  "absolute": (target) => target,
  "relative": (target) => "../".repeat(30) + target.slice(1),
  "dangling": (target) => `${target}/not/there`,
  "dangling by one name": (target) => `${target}-new`,
  "a loop": (_, place) => place,
  "through the root of pid 1": (target) => `/proc/1/root${target}`,
  "through a descriptor": (target) => `/proc/self/fd/5/${"../".repeat(30)}${target.slice(1)}`,
  "a descriptor": () => "/proc/self/fd/3",
  "through a working directory": (target) => `/proc/self/cwd/${"../".repeat(30)}${target.slice(1)}`,
};

/** With the mounts that every engine asks for. */
const PLACES: readonly Place[] = [
  dir("/proc"),
  dir("/dev"),
  dir("/sys"),
  dir("/data"),
  dir("/data/deep"),
  dir("/data/deep/target"),
  dir("/etc"),
  file("/etc/resolv.conf"),
  dir("/scratch"),
  dir("/scratch/dir"),
  dir("/masked"),
  file("/masked/file"),
  dir("/masked/dir"),
  dir("/readonly"),
  dir("/readonly/dir"),
  dir("/nodes"),
  file("/nodes/null", "no call follows the last name"),
  dir("/work", "it is entered when there is only the container's root left"),
  dir("/work/dir", "it is entered when there is only the container's root left"),
];

/** With the image's own /dev. */
const PLACES_IN_DEV: readonly Place[] = [
  dir("/dev"),
  dir("/dev/pts"),
  dir("/dev/shm"),
  dir("/dev/mqueue"),
  file("/dev/null", "no call follows the last name"),
  file("/dev/ptmx", "it is replaced"),
  file("/dev/fd", "no call follows the last name"),
  file("/dev/console"),
];

for (const ownDev of [false, true]) {
  for (const { path, to, inert } of ownDev ? PLACES_IN_DEV : PLACES) {
    containerTest(`${path}${ownDev ? " of the image" : ""} is a link to the host`, async (box) => {
      const canary = new Canary(`${box.directory}/canary`);
      const run = (link: keyof typeof LINKS, { shadow = false, weak = false } = {}) => {
        const make = (place: string) =>
          Deno.symlinkSync(LINKS[link]!(`${canary.directory}/${to}`, path), place);
        const without = ownDev ? ["/dev"] : [];
        return attack({ ...hostileImage(box, { canary, place: path, make, shadow, without }), weak });
      };
      for (const link of Object.keys(LINKS)) {
        for (const shadow of [false, true]) {
          const { escapes } = await run(link, { shadow });
          assertEquals(escapes, [], `${link}${shadow ? ", with the same path in the image" : ""}`);
        }
      }
      // This test itself can fail.
      const { escapes } = await run("relative", { weak: true });
      assertEquals(escapes.length > 0, inert === undefined, escapes.join("\n"));
    });
  }
}
