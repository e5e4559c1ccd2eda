/**
 * `integration/attacks/run [PATTERN]`: every known escape against Hako, and against a Hako without what is to hold it off,
 * where it has to succeed. With RUNTIME=runc or crun against those, for comparison. ROUNDS is how often what depends on
 * luck is tried.
 *
 * @module
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { type Cases, Suite } from "../engines/suite.ts";
import { known } from "./known.ts";
import { attackWith, type Known, runtimeUnderTest, weakHako } from "./target.ts";

const { name: runtime, command } = runtimeUnderTest();
const rounds = Number(Deno.env.get("ROUNDS") ?? 40);

/** One file, which starts sooner than the sources. */
function bundleWeakened(): string {
  const path = Deno.makeTempFileSync({ prefix: "hako-weakened-", suffix: ".js" });
  globalThis.addEventListener("unload", () => Deno.removeSync(path));
  const source = new URL("weakened.ts", import.meta.url).pathname;
  const args = ["bundle", "--quiet", "--output", path, source];
  const { success, stderr } = new Deno.Command(Deno.execPath(), { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

function hakoCases(): Cases {
  const bundled = bundleWeakened();
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, { attack, weakness }]: [string, Known]) => [
      [name, async () => {
        const { reached, said } = await attackWith(command, attack, { rounds, tidy: true });
        assertEquals(reached, undefined, `got through: ${reached} (${said})`);
      }],
      [
        `${name}: gets through without its protection`,
        async () => {
          const { reached, said } = await attackWith(weakHako(bundled, weakness), attack, {
            rounds: Math.max(rounds, 200),
            tidy: false,
          });
          assertNotEquals(reached, undefined, `held all the same: ${said}`);
        },
      ],
    ]),
  );
}

/** Says what came of each, as docs/security.md has it. */
function foreignCases(): Cases {
  return Object.fromEntries(
    Object.entries(known).map(([name, { attack }]) => [name, async () => {
      const { reached, said } = await attackWith(command, attack, { rounds, tidy: false });
      console.log(`${reached === undefined ? "held        " : "got through "} ${name}: ${reached ?? said}`);
    }]),
  );
}

// Deno has sockets for its signals from the first listener on: now, and not in the middle of a case.
Deno.addSignalListener("SIGUSR2", () => {});
const suite = new Suite();
await suite.run(runtime === "hako" ? hakoCases() : foreignCases());
suite.end();
