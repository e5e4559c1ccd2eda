/** Seccomp filters: how long they take to compile and to install, and how long they are. @module */
import { engineConfig } from "../support/bundle.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { asText } from "../seccomp/libseccomp.ts";
import type { Benchmark, Machine } from "./benchmark.ts";
import { time } from "./hyperfine.ts";
import { build, forEachRuntime, makeBundle, sh } from "./programs.ts";

const POLICY = engineConfig("docker-default").linux!.seccomp!;

const compile: Benchmark = {
  name: "bpf-compile",
  title: "compile Docker's seccomp profile; libseccomp with its process",
  unit: "ms",
  needs: ["gcc"],
  async measure({ box, size }) {
    const itself = `${Deno.execPath()} run -A --no-check ${import.meta.url}`;
    const here = { first: [] as number[], later: [] as number[] };
    for (let round = 0; round < size.runs; round++) {
      const [first, ...later]: number[] = JSON.parse(sh(itself));
      here.first.push(first!);
      here.later.push(...later);
    }
    const [program, policy] = [`${box.directory}/libseccomp`, `${box.directory}/policy`];
    sh(`gcc -O2 -o ${program} ${import.meta.dirname}/../seccomp/libseccomp.c -lseccomp`);
    Deno.writeTextFileSync(policy, asText(POLICY));
    const { libseccomp } = await time({ libseccomp: `sh -c '${program} 1 <${policy} >/dev/null'` }, size);
    return { "hako, first": here.first, "hako, later": here.later, libseccomp: libseccomp! };
  },
};

/** The filter that each runtime loads for Docker's profile, as it is read back from a container. @returns paths */
function loadedFilters(machine: Machine): Record<string, string> {
  const { box, under, runtimes } = machine;
  const path = makeBundle(machine, "docker", ["/bin/sleep", "1000"]);
  return forEachRuntime(machine, (command, name) => {
    const [pid, filter] = [`${box.directory}/pid`, `${box.directory}/${name}.filter`];
    sh(`${command} run -d -b ${path} --pid-file ${pid} ${box.id} </dev/null >/dev/null 2>&1`, under);
    try {
      sh(`${runtimes.hako} bpf dump $(cat ${pid}) > ${filter}`);
      return filter;
    } finally {
      sh(`${command} delete -f ${box.id}`, under);
    }
  });
}

/** sizeof(struct sock_filter) */
const INSTRUCTION_BYTES = 8;

const size: Benchmark = {
  name: "bpf-size",
  title: "filter of Docker's profile",
  unit: "instructions",
  measure(machine) {
    const sizes = Object.entries(loadedFilters(machine)).map(([name, filter]) =>
      [name, [Deno.statSync(filter).size / INSTRUCTION_BYTES]] as const
    );
    return Promise.resolve(Object.fromEntries(sizes));
  },
};

const install: Benchmark = {
  name: "bpf-install",
  title: "load the filter of Docker's profile: seccomp(2)",
  unit: "µs",
  needs: ["gcc"],
  measure(machine) {
    const filters = Object.entries(loadedFilters(machine));
    const { rounds, runs } = machine.size;
    const rows = sh(
      `${build("install", machine)} ${rounds * runs} ${filters.map(([, filter]) => filter).join(" ")}`,
    );
    const times = rows.trim().split("\n").map((row) => row.split(" ").map(Number));
    return Promise.resolve(
      Object.fromEntries(filters.map(([name], index) => [name, times.map((row) => row[index]!)])),
    );
  },
};

export const seccompBenchmarks: readonly Benchmark[] = [compile, size, install];

// In a process of its own: milliseconds of the first time, and of later ones.
if (import.meta.main) {
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now();
    compileSeccomp(POLICY, { native: "x86_64" });
    return performance.now() - start;
  });
  console.log(JSON.stringify(times));
}
