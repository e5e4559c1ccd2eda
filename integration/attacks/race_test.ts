/**
 * A directory of the image and a link to the host change places all the time, while containers are made of it
 * (CVE-2021-30465, CVE-2024-45310).
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { attack, type Outcome } from "./attack.ts";
import { Canary, makeTree } from "./canary.ts";
import { hostileImage } from "./image.ts";
import { startSwapping } from "./swapping.ts";

const RUNS = 300;

/** Directories that something is mounted on, made in, masked or entered beneath. */
const PLACES = ["/data", "/etc", "/scratch", "/masked", "/readonly", "/nodes", "/work", "/dev"] as const;

for (const place of PLACES) {
  containerTest(`${place} is swapped with a link to the host`, async (box) => {
    const canary = new Canary(`${box.directory}/canary`);
    const image = hostileImage(box, {
      canary,
      place,
      make: makeTree,
      without: place === "/dev" ? ["/dev"] : [],
    });
    const path = `${image.bundle}/rootfs${place}`;
    Deno.symlinkSync(`${canary.directory}/dir`, `${path}-link`);
    const swap = await startSwapping(path, `${path}-link`);
    const count = { created: 0, refused: 0 };
    try {
      for (let run = 0; run < RUNS / PLACES.length; run++) {
        const { escapes, error } = await attack(image);
        assertEquals(escapes, []);
        count[error === undefined ? "created" : "refused"]++;
      }
      // This test itself can fail.
      let weak: Outcome;
      for (let tries = 0; tries < 50; tries++) {
        weak = await attack({ ...image, weak: true });
        if (weak.escapes.length > 0) break;
      }
      assertEquals(
        weak!.escapes.length > 0,
        place !== "/work",
        "the root has been entered before /work is opened",
      );
    } finally {
      swap.kill("SIGKILL");
      await swap.status;
    }
    console.log(`${place}: ${count.created} containers, ${count.refused} refused`);
  });
}
