/** How long containers take by the command line. @module */
import type { Benchmark, Machine, Samples, Target } from "./benchmark.ts";
import { time } from "./hyperfine.ts";
import { build, type ConfigName, dockerFilter, forEachRuntime, makeBundle, sh } from "./programs.ts";

const TITLES: Readonly<Record<ConfigName, string>> = { bare: "bare config", docker: "Docker's config" };

const atMost = (times: number, of: string, command = "hako"): Target => ({ command, times, of });

/** `run` of /bin/true. */
function run(config: ConfigName, targets: readonly Target[]): Benchmark {
  return {
    name: `run-${config}`,
    title: `run, ${TITLES[config]}`,
    unit: "ms",
    targets,
    measure(machine) {
      const path = makeBundle(machine, config);
      return timeRuntimes(machine, (command) => `${command} run -b ${path} ${machine.box.id}`);
    },
  };
}

/** The same in three commands. */
function lifecycle(config: ConfigName): Benchmark {
  return {
    name: `lifecycle-${config}`,
    title: `create, start and delete, ${TITLES[config]}`,
    unit: "ms",
    targets: [atMost(0.9, "runc")],
    measure(machine) {
      const { id } = machine.box;
      const path = makeBundle(machine, config);
      const script = (command: string) =>
        `${command} create -b ${path} ${id} </dev/null >/dev/null && ${command} start ${id} && ${command} delete -f ${id}`;
      return timeRuntimes(machine, (command) => `sh -c '${script(command)}'`);
    },
  };
}

/** Another /bin/true in a container that runs. */
function exec(config: ConfigName): Benchmark {
  return {
    name: `exec-${config}`,
    title: `exec, ${TITLES[config]}`,
    unit: "ms",
    targets: [atMost(0.8, "runc")],
    async measure(machine) {
      const path = makeBundle(machine, config, ["/bin/sleep", "1000"]);
      const id = (name: string) => `${machine.box.id}-${name}`;
      const each = (script: (command: string, name: string) => string) =>
        Object.values(forEachRuntime(machine, (command, name) => sh(script(command, name), machine.under)));
      try {
        each((command, name) => `${command} run -d -b ${path} ${id(name)} </dev/null >/dev/null 2>&1`);
        return await timeRuntimes(machine, (command, name) => `${command} exec ${id(name)} /bin/true`);
      } finally {
        each((command, name) => `${command} delete -f ${id(name)}`);
      }
    },
  };
}

/** Twenty that start together, until the last has ended. */
function parallel(config: ConfigName): Benchmark {
  return {
    name: `parallel-${config}`,
    title: `20 runs at once, ${TITLES[config]}`,
    unit: "ms",
    measure(machine) {
      const path = makeBundle(machine, config);
      const all = (command: string) =>
        `bash -ec 'for i in {1..20}; do ${command} run -b ${path} ${machine.box.id}-$i & pids+=" $!"; done; ` +
        `for pid in $pids; do wait $pid; done'`;
      return timeRuntimes({ ...machine, size: fewer(machine.size) }, all);
    },
  };
}

/** Each run is twenty. */
const fewer = ({ rounds }: Machine["size"]) => ({ rounds: Math.ceil(rounds / 2), runs: 1 });

function timeRuntimes(machine: Machine, make: (command: string, name: string) => string): Promise<Samples> {
  return time(forEachRuntime(machine, make), machine.size, machine.under);
}

/**
 * The same container without a runtime: compiled; by the calls alone (bare.c); and, with as many namespaces but without
 * cgroup, filter and masks, bubblewrap's.
 */
const compiled: Benchmark = {
  name: "compiled",
  title: "compiled executable, Docker's config",
  unit: "ms",
  needs: ["gcc", "bwrap"],
  targets: [
    atMost(0.2, "crun", "compiled"),
    atMost(1, "bwrap", "compiled"),
    atMost(1.5, "bare calls", "compiled"),
  ],
  async measure(machine) {
    const { box, runtimes, size, under } = machine;
    const bundle = makeBundle(machine, "docker");
    const tool = `${box.directory}/compiled`;
    sh(`${runtimes.hako} compile -b ${bundle} -o ${tool}`);
    const namespaces = "--unshare-pid --unshare-net --unshare-ipc --unshare-uts";
    const mounts = `--bind ${bundle}/rootfs / --proc /proc --dev /dev --tmpfs /dev/shm`;
    return await time(
      {
        compiled: tool,
        "bare calls": `${build("bare", machine)} ${bundle}/rootfs ${await dockerFilter(machine)} /bin/true`,
        bwrap: `bwrap ${namespaces} ${mounts} --cap-drop ALL /bin/true`,
        ...(runtimes.crun &&
          { crun: `${runtimes.crun} --root ${box.directory}/crun run -b ${bundle} ${box.id}` }),
      },
      size,
      under,
    );
  },
};

/** What a command takes before it does anything. */
const nothing: Benchmark = {
  name: "start-up",
  title: "--version: start-up alone",
  unit: "ms",
  measure: (machine) => timeRuntimes(machine, (command) => `${command} --version`),
};

/** What Docker's seccomp profile adds to a run: each runtime with it and without. */
const profile: Benchmark = {
  name: "profile",
  title: "run, Docker's config, with its seccomp profile and without",
  unit: "ms",
  measure(machine) {
    const { box, size, under } = machine;
    const bundles = {
      "": makeBundle(machine, "docker"),
      ", without": makeBundle(machine, "docker", undefined, { filtered: false }),
    };
    const commands = Object.entries(forEachRuntime(machine, (command) => command)).flatMap((
      [name, command],
    ) =>
      Object.entries(bundles).map((
        [suffix, path],
      ) => [`${name}${suffix}`, `${command} run -b ${path} ${box.id}`])
    );
    return time(Object.fromEntries(commands), { ...size, rounds: Math.ceil(size.rounds / 2) }, under);
  },
};

/** `docker run --rm`, of a daemon of its own: docker.ts, on a private machine. */
const docker: Benchmark = {
  name: "docker-run",
  title: "docker run --rm",
  unit: "ms",
  async measure({ runtimes, size }) {
    const start = new URL("../engines/start", import.meta.url).pathname;
    const suite = new URL("docker.ts", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(start, {
      args: [suite, "docker.io", "busybox-static", "--", JSON.stringify({ runtimes, runs: size.rounds })],
      // FULL has it make a place where crun finds all controllers.
      env: { RUNTIME: "hako", HAKO: runtimes.hako!, FULL: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  },
};

export const commandBenchmarks: readonly Benchmark[] = [
  run("bare", [atMost(0.65, "runc")]),
  run("docker", [atMost(0.5, "runc"), atMost(0.8, "crun")]),
  lifecycle("bare"),
  lifecycle("docker"),
  exec("bare"),
  exec("docker"),
  parallel("bare"),
  parallel("docker"),
  compiled,
  docker,
  profile,
  nothing,
];
