/** How much memory containers and runtimes take. @module */
import { makeBundle as writeBundle } from "../support/bundle.ts";
import type { Box } from "../support/fixture.ts";
import { run } from "../support/hako.ts";
import type { Benchmark, Machine, Samples } from "./benchmark.ts";
import { build, forEachRuntime, makeBundle, runtimeCommands, sh } from "./programs.ts";

/** What of a process lies in memory; Pss: its part of that when shared pages are divided. proc_pid_smaps(5) */
function waitingInit(field: "Rss" | "Pss", targets: Benchmark["targets"]): Benchmark {
  return {
    name: `init-${field.toLowerCase()}`,
    title: `${field.toUpperCase()} of the init of a created container`,
    unit: "kB",
    ...(targets && { targets }),
    measure: (machine) => Promise.resolve(waitingInits(machine, field)),
  };
}

function waitingInits(machine: Machine, field: string): Samples {
  const { box, under } = machine;
  const path = makeBundle(machine, "docker");
  const pidFile = `${box.directory}/pid`;
  return forEachRuntime(machine, (command) => {
    // Its streams are not ours: a pipe would stay open in the container.
    sh(`${command} create -b ${path} --pid-file ${pidFile} ${box.id} </dev/null >/dev/null 2>&1`, under);
    try {
      const memory = Deno.readTextFileSync(`/proc/${Deno.readTextFileSync(pidFile)}/smaps_rollup`);
      return [Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(memory)![1])];
    } finally {
      sh(`${command} delete -f ${box.id}`, under);
    }
  });
}

/** Of `run` with all of its processes, the one that had most in memory at once: ru_maxrss of getrusage(2). */
const peak: Benchmark = {
  name: "peak-rss",
  title: "peak RSS of the runtime, run, Docker's config",
  unit: "kB",
  needs: ["gcc"],
  measure(machine) {
    const program = build("peak", machine);
    const path = makeBundle(machine, "docker");
    const once = (command: string) =>
      Number(sh(`${program} ${command} run -b ${path} ${machine.box.id}`, machine.under));
    return Promise.resolve(
      forEachRuntime(machine, (command) => Array.from({ length: machine.size.runs }, () => once(command))),
    );
  },
};

/** The kernel counts in pages: 4 kB. */
const LIMITS = [64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024, 2048, 4096, 8192, 16384];

/** What runs in the container's cgroup before its program does counts against its limit. */
const smallestLimit: Benchmark = {
  name: "memory-limit",
  title: "smallest memory limit that /bin/true starts with",
  unit: "kB",
  targets: [{ command: "hako", most: 256 }],
  async measure(machine) {
    const found: Record<string, number[]> = {};
    for (const [name, command] of Object.entries(runtimeCommands(machine))) {
      found[name] = [await smallest(command.split(" "), machine, machine.size.rounds / 2)];
    }
    return found;
  },
};

/**
 * What a container needs differs by a few pages, by the CPUs that they were taken on, so it has to start `times` times.
 *
 * @returns kB
 */
export async function smallest(
  command: readonly string[],
  { box, under }: { readonly box: Box; readonly under: readonly string[] },
  times: number,
): Promise<number> {
  const starts = async (path: string) => {
    const { status } = await run([...under, ...command, "run", "--bundle", path, box.id]);
    if (status !== 0) await run([...under, ...command, "delete", "--force", box.id]);
    return status === 0;
  };
  for (const limit of LIMITS) {
    const path = `${box.directory}/limit${limit}`;
    Deno.mkdirSync(path);
    const memory = { limit: limit << 10, swap: limit << 10 };
    const linux = { cgroupsPath: `/${box.id}`, resources: { memory } };
    writeBundle(path, { args: ["/bin/true"], config: { ociVersion: "1.0.2", linux } });
    let good = 0;
    while (good < times && await starts(path)) good++;
    Deno.removeSync(path, { recursive: true });
    if (good >= times) return limit;
  }
  throw new Error(`${command[0]} starts nothing with 16 MB`);
}

export const memoryBenchmarks: readonly Benchmark[] = [
  waitingInit("Rss", undefined),
  waitingInit("Pss", [{ command: "hako", most: 200 }]),
  peak,
  smallestLimit,
];
