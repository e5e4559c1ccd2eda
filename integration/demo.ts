/**
 * `deno task demo`: a container from this machine's own files, explained, run and timed. Needs no image and no download.
 *
 * @module
 */
import {
  type Config,
  createContainer,
  defaultConfig,
  gatherHost,
  makeHostRootfs,
  type Plan,
  planCreate,
  shellStatus,
  validateConfig,
} from "../runtime/mod.ts";

const SHOW = `
show() { printf '\\n\\033[1m%s\\033[0m\\n' "$1"; }
show "I am process $$ ($(cat /proc/1/comm)), and my host is called $(cat /proc/sys/kernel/hostname)"
show "Processes that I see"; echo $(cd /proc && ls -d [0-9]*)
show "My namespaces"; readlink /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts | tr '\\n' ' '; echo
show "My mounts"; awk '{print $5 " (" $6 ")"}' /proc/self/mountinfo | head -n 30
show "My capabilities"; grep -E '^(Cap|NoNewPrivs)' /proc/self/status
show "What I cannot do"; touch /usr/x /etc/x 2>&1; cat /proc/keys 2>&1 | wc -c
`;

function demo(): Promise<number> {
  const bundle = Deno.makeTempDirSync({ prefix: "hako-demo-" });
  try {
    return runIn(bundle).finally(() => Deno.removeSync(bundle, { recursive: true }));
  } catch (error) {
    Deno.removeSync(bundle, { recursive: true });
    throw error;
  }
}

async function runIn(bundle: string): Promise<number> {
  const timer = new Timer();
  const config = timer.time("write and check config.json", () => hostConfig(bundle));
  const host = timer.time("look at the machine", () => gatherHost(config, { id: "demo", bundle }));
  const plan = timer.time("compile to a plan", () => planCreate(config, host));
  console.log(`The plan: ${countSteps(plan)} system calls.\n`);
  console.log(outline(plan));

  const container = await timer.timeAsync(
    "create: all of the above and the plan up to its last barrier",
    () => createContainer(config, { id: "demo", bundle, root: `${bundle}/state` }),
  );
  try {
    timer.time("start", () => container.start());
    const status = await timer.timeAsync("run the shell command to its end", () => container.wait());
    console.log(`\n${timer}`);
    return shellStatus(status);
  } finally {
    container.delete(true);
  }
}

function hostConfig(bundle: string): Config {
  const uid = Deno.uid() ?? 0;
  const base = defaultConfig({ rootless: uid !== 0, uid, gid: Deno.gid() ?? 0 });
  return validateConfig({
    ...base,
    hostname: "demo",
    process: { ...base.process!, terminal: false, args: ["/bin/sh", "-c", SHOW] },
    mounts: [...base.mounts!, ...makeHostRootfs(`${bundle}/rootfs`)],
  });
}

/** One line for each label: how many calls, and for which member of config.json. */
function outline(plan: Plan): string {
  const lines: { label: string; pointer: string; calls: number }[] = [];
  for (const node of plan) {
    const { label, pointer } = node.kind === "attempt" ? node.step : node;
    const short = label.replace(/: .*/, "");
    const last = lines.at(-1);
    if (last?.label === short) last.calls += countSteps([node]);
    else lines.push({ label: short, pointer, calls: countSteps([node]) });
  }
  return lines.map(({ label, pointer, calls }) =>
    `${`${calls}`.padStart(5)}  ${label.padEnd(60)}  ${pointer}`
  )
    .join("\n");
}

function countSteps(plan: Plan): number {
  return plan.reduce(
    (count, node) =>
      count + 1 + (node.kind === "attempt" ? countSteps(node.then) + countSteps(node.otherwise) : 0),
    0,
  );
}

class Timer {
  readonly #phases: [name: string, milliseconds: number][] = [];

  time<T>(name: string, action: () => T): T {
    const start = performance.now();
    const result = action();
    this.#phases.push([name, performance.now() - start]);
    return result;
  }

  async timeAsync<T>(name: string, action: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await action();
    this.#phases.push([name, performance.now() - start]);
    return result;
  }

  toString(): string {
    return this.#phases.map(([name, ms]) => `${ms.toFixed(1).padStart(8)} ms  ${name}`).join("\n");
  }
}

if (import.meta.main) Deno.exit(await demo());
