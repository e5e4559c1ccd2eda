/** Attacks by a process that has a directory and a link change places all the time. @module */
import type { Mount } from "../../runtime/spec/config.ts";
import { SECRET } from "./canary.ts";
import { startSwapping } from "./swapping.ts";
import type { Target } from "./target.ts";

const PROC: Mount = { destination: "/proc", type: "proc", source: "proc" };

/** Tries until something is reached. */
async function race(
  target: Target,
  path: string,
  attempt: (round: number) => Promise<string | undefined>,
): Promise<string | undefined> {
  const swapping = await startSwapping(path, `${path}-link`);
  try {
    for (let round = 0; round < target.rounds; round++) {
      const reached = await attempt(round);
      if (reached !== undefined) return `${reached}, in round ${round + 1}`;
    }
  } finally {
    swapping.kill("SIGKILL");
    await swapping.status;
  }
}

/**
 * As it was done in Kubernetes: the first volume is mounted, by the link, on the host's path of the second, which so becomes
 * a link of the first.
 */
export function mountsElsewhere(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const volumes = `${target.box.directory}/volumes`;
  for (const name of ["first", "second/sub"]) Deno.mkdirSync(`${volumes}/${name}`, { recursive: true });
  Deno.symlinkSync(treasure, `${volumes}/first/sub`);
  const bind = (source: string, destination: string): Mount => ({
    destination,
    type: "bind",
    source: `${volumes}/${source}`,
    options: ["bind"],
  });
  const { path, rootfs } = target.bundle({
    config: {
      mounts: [PROC, bind("first", "/data/second"), bind("second/sub", "/loot")],
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
    script: "cat /loot/secret",
    image(rootfs) {
      Deno.mkdirSync(`${rootfs}/loot`);
      Deno.mkdirSync(`${rootfs}/data/second`, { recursive: true });
      Deno.symlinkSync("../".repeat(30) + volumes.slice(1), `${rootfs}/data-link`);
    },
  });
  return race(target, `${rootfs}/data`, async () => {
    const { stdout } = await target.run(path);
    return stdout.includes(SECRET.trim()) ? "a file of the host was read" : undefined;
  });
}

/** Mount points that are missing are made, each time others. */
export function createsOnHost(target: Target): Promise<string | undefined> {
  const treasure = target.treasure();
  const source = `${target.box.directory}/source`;
  Deno.mkdirSync(source);
  const { path, rootfs } = target.bundle({
    config: { mounts: [PROC], linux: { maskedPaths: [], readonlyPaths: [] } },
    args: ["true"],
    image(rootfs) {
      Deno.mkdirSync(`${rootfs}/data`);
      Deno.symlinkSync("../".repeat(30) + treasure.slice(1), `${rootfs}/data-link`);
    },
  });
  const config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  return race(target, `${rootfs}/data`, async (round) => {
    const mount = { destination: `/data/a${round}/b/c/d`, type: "bind", source, options: ["bind"] };
    Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify({ ...config, mounts: [PROC, mount] }));
    await target.run(path);
    const found = [...Deno.readDirSync(treasure)].map(({ name }) => name).filter((name) => name !== "secret");
    return found.length === 0 ? undefined : `made on the host: ${found.join(", ")}`;
  });
}
