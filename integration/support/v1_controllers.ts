/**
 * Controllers that this machine has, but not as cgroup v1: some are in cgroup2, some nowhere. Whoever mounts one as v1
 * takes it away from where it was, for the whole machine, until the last cgroup of the new hierarchy is gone.
 *
 * @module
 */
import { livingChildren } from "./children.ts";
import { exists } from "./files.ts";
import { afterMounting, inMountNamespace } from "./fixture.ts";

const CGROUPS = "/sys/fs/cgroup";

/**
 * Runs `action` with the beginning of commands that find `controllers` as v1, beside those that are there. A controller
 * that cannot be mounted is left out, and all of them on a machine that has cgroup2 alone.
 */
export async function withV1Controllers<T>(
  controllers: readonly string[],
  action: (under: readonly string[]) => Promise<T>,
): Promise<T> {
  const mountable = controllers.filter((name) => isFree(name) && canMount(name));
  const made = mountable.filter((name) => makeDirectory(`${CGROUPS}/${name}`));
  try {
    return await action(mountable.length === 0 ? [] : afterMounting(mountable.map(mount).join("\n")));
  } finally {
    for (const name of mountable) await giveBack(name);
    for (const name of made) Deno.removeSync(`${CGROUPS}/${name}`);
  }
}

function mount(name: string): string {
  return `mount -t cgroup -o ${name} cgroup ${CGROUPS}/${name}`;
}

/** Whether it is enabled and in no hierarchy of v1, in a layout that has v1 at all. See cgroups(7), /proc/cgroups. */
function isFree(name: string): boolean {
  if (exists(`${CGROUPS}/cgroup.controllers`)) return false;
  const line = Deno.readTextFileSync("/proc/cgroups").split("\n").find((line) =>
    line.startsWith(`${name}\t`)
  );
  const [, hierarchy, , enabled] = line?.split("\t") ?? [];
  return hierarchy === "0" && enabled === "1";
}

/** Not while it is enabled for a child in cgroup2. */
function canMount(name: string): boolean {
  const made = makeDirectory(`${CGROUPS}/${name}`);
  try {
    return under([...inMountNamespace(mount(name))]);
  } finally {
    if (made) Deno.removeSync(`${CGROUPS}/${name}`);
  }
}

/**
 * The kernel keeps the hierarchy as long as a cgroup of it is not quite gone, be it for a process that nobody has waited
 * for. Then it has to be unmounted once more.
 */
async function giveBack(name: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    for (let polls = 0; polls < 20; polls++) {
      if (isFree(name)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    livingChildren();
    under(inMountNamespace(`${mount(name)}; umount ${CGROUPS}/${name}`));
  }
  throw new Error(`the controller ${name} stays in a hierarchy of cgroup v1`);
}

function under([program, ...args]: readonly string[]): boolean {
  return new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
    .success;
}

function makeDirectory(path: string): boolean {
  if (exists(path)) return false;
  Deno.mkdirSync(path);
  return true;
}
