/**
 * `deno run -A integration/bench/smallest_memory.ts [--check]`: with which memory limit a container of `/bin/true` still
 * starts, beside runc and crun. What runs in the container's cgroup before its program does counts against its limit.
 *
 * With `--check` it fails if Hako needs more than 256 kB.
 *
 * @module
 */
import { makeBundle } from "../support/bundle.ts";
import { Box } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { withV1Controllers } from "../support/v1_controllers.ts";

const KB = 1024;
/** The kernel counts in pages: 4 kB. */
const LIMITS = [64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024, 2048, 4096, 8192, 16384];
/** What a container needs differs by a few pages, by the CPUs that they were taken on. */
const RUNS = 10;

/** @returns kB, nothing if none will do */
export async function smallest(
  runtime: readonly string[],
  box: Box,
  under: readonly string[],
): Promise<number | undefined> {
  for (const limit of LIMITS) {
    const path = `${box.directory}/${limit}`;
    Deno.mkdirSync(path, { recursive: true });
    makeBundle(path, {
      args: ["/bin/true"],
      config: {
        ociVersion: "1.0.2",
        linux: { cgroupsPath: `/${box.id}`, resources: { memory: { limit: limit * KB, swap: limit * KB } } },
      },
    });
    let good = 0;
    while (good < RUNS && await starts(runtime, { box, path, under })) good++;
    Deno.removeSync(path, { recursive: true });
    if (good === RUNS) return limit;
  }
}

interface Run {
  readonly box: Box;
  readonly path: string;
  readonly under: readonly string[];
}

async function starts(runtime: readonly string[], { box, path, under }: Run): Promise<boolean> {
  const command = [...runtime, "--root", `${box.directory}/state-${runtime[0]!.slice(-4)}`];
  const { status } = await run([...under, ...command, "run", "--bundle", path, box.id]);
  if (status !== 0) await run([...under, ...command, "delete", "--force", box.id]);
  return status === 0;
}

function isInstalled(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const box = new Box();
  try {
    const limits = await withV1Controllers(["hugetlb"], async (under) => {
      const found: Record<string, number | undefined> = { hako: await smallest(HAKO, box, under) };
      for (const peer of ["crun", "runc"].filter(isInstalled)) {
        found[peer] = await smallest([peer], box, under);
      }
      return found;
    });
    for (const [name, limit] of Object.entries(limits)) {
      console.log(`${name.padEnd(6)} ${limit === undefined ? "more than 16 MB" : `${limit} kB`}`);
    }
    if (Deno.args.includes("--check") && !(limits.hako! <= 256)) {
      console.error("smallest_memory: Hako needs more than 256 kB");
      Deno.exitCode = 1;
    }
  } finally {
    await box.remove();
  }
}
