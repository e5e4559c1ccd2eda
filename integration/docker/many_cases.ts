/** Many containers: one after the other, at once, and what is left of all. @module */
import { assertEquals } from "@std/assert";
import { BOX, ended, find, ID, pairs, processes, programPath, RUNTIME } from "../engines/machine.ts";
import { type Cases, expect } from "../engines/suite.ts";
import { docker, IMAGE } from "./docker.ts";

/** FULL=1: measured beside the others, which takes its time. Under names of their own, as `runc` is Docker's. */
const PEERS = new Map(
  (Deno.env.get("FULL") ? ["runc", "crun"] : []).filter((name) => name !== RUNTIME)
    .flatMap((name) => programPath(name) ?? []).map((path) => [`peer-${path.split("/").at(-1)}`, path]),
);

/** Options of dockerd. */
export const PEER_OPTIONS: readonly string[] = [...PEERS].flatMap(([name, path]) => [
  "--add-runtime",
  `${name}=${path}`,
]);

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

export const manyCases: Cases = {
  "thirty containers, one after the other": async () => {
    const times = new Map<string, number[]>();
    for (let round = 0; round < 30; round++) {
      // Each time another is the first.
      for (const runtime of rotated(["tested", ...PEERS.keys()], round)) {
        const start = performance.now();
        expect(await docker("run", "--rm", "--runtime", runtime, "--network", "none", IMAGE, "true"), {
          stdout: "",
          stderr: "",
        });
        times.set(runtime, [...times.get(runtime) ?? [], performance.now() - start]);
      }
    }
    for (const [runtime, all] of times) {
      const median = all.sort((a, b) => a - b)[all.length >> 1]!;
      console.log(
        `         docker run --rm, median of 30: ${median.toFixed(0)} ms with ${
          runtime === "tested" ? RUNTIME : runtime
        }`,
      );
    }
  },
  "twenty containers at once": async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => docker("run", "--rm", IMAGE, "echo", `${index}`)),
    );
    assertEquals(
      results.map(({ status, stdout }) => [status, stdout]),
      Array.from({ length: 20 }, (_, index) => [0, `${index}\n`]),
    );
  },
};

export const leftCases: Cases = {
  "nothing is left: containers, processes, mounts, cgroups, state": async () => {
    expect(await docker("ps", "--all", "--quiet"), { stdout: "" });
    // The shim ends a little later than its container.
    await ended(/containerd-shim|^sleep/);
    assertEquals(processes(/\/hako |^runc |^crun /), []);
    assertEquals(pairs(), []);
    const mounts = Deno.readTextFileSync("/proc/self/mountinfo").split("\n").map((line) =>
      line.split(" ")[4] ?? ""
    );
    assertEquals(
      mounts.filter((path) =>
        path.startsWith(`${BOX}/docker/`) && /merged|shm$|netns\/[0-9a-f]{12}/.test(path)
      ),
      [],
    );
    assertEquals(
      find("/sys/fs/cgroup", new RegExp(`/${ID}/(?!buildkit$)[^/]+$`)).filter((path) =>
        Deno.statSync(path).isDirectory
      ),
      [],
    );
    assertEquals(find(`${BOX}/docker/run`, /\/(state\.json|status|exec\.fifo|config\.json)$/), []);
  },
};
