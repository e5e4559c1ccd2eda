/**
 * What fuzzing has kept and found, and some new inputs for each target: `FUZZ_SEED=n FUZZ_COUNT=n deno test -A tests/fuzz`
 * for others, and more.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readCorpus, readFound } from "./store.ts";
import { Random } from "./random.ts";
import { outcome } from "./target.ts";
import { targets } from "./targets/mod.ts";

const COUNT = Number(Deno.env.get("FUZZ_COUNT") ?? 300);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 32);

for (const [name, target] of Object.entries(targets)) {
  Deno.test(`what fuzzing ${name} has kept gives a value or an error of ours`, () => {
    for (const input of [...target.seeds, ...readCorpus(name)]) outcome(target, input);
  });

  for (const [file, input] of readFound(name)) {
    Deno.test(`${file}, which fuzzing has found, gives a value or an error of ours`, () => {
      outcome(target, input);
    });
  }

  Deno.test(`${COUNT} mutations of ${name} give a value or an error of ours (FUZZ_SEED=${SEED})`, () => {
    const corpus = [...target.seeds, ...readCorpus(name)];
    for (let count = 0; count < COUNT; count++) {
      // So that one comes again without those before it: FUZZ_SEED=SEED+count FUZZ_COUNT=1.
      const random = new Random(SEED + count);
      const input = target.mutate(random.pick(corpus), corpus, random).toWellFormed();
      try {
        outcome(target, input);
      } catch (error) {
        throw new Error(`FUZZ_SEED=${SEED + count} FUZZ_COUNT=1: ${JSON.stringify(input)}`, { cause: error });
      }
    }
  });
}

/** Where it has found faults before, and the pointer of each. */
const FOUND: Readonly<Record<string, [change: Record<string, unknown>, pointer: string]>> = {
  "a device at the root": [{ linux: { devices: [{ path: "/dev/..", type: "p" }] } }, "/linux/devices/*/path"],
  "more mounts than a plan has room for": [
    { mounts: Array.from({ length: 1000 }, () => ({ destination: "/a", type: "tmpfs" })) },
    "/mounts",
  ],
  "a line break in a name": [{ linux: { sysctl: { "net.a\nb": "1" } } }, "/linux/sysctl"],
};

for (const [name, [change, pointer]] of Object.entries(FOUND)) {
  Deno.test(`${name} is a ConfigError`, () => {
    const process = { cwd: "/", args: ["true"], user: { uid: 0, gid: 0 } };
    const text = JSON.stringify({ ociVersion: "1.0.0", root: { path: "rootfs" }, process, ...change });
    const [word] = outcome(targets.config!, text);
    assertEquals(word?.split(" ").slice(0, 2), ["ConfigError", pointer]);
  });
}
