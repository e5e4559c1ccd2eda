/**
 * What a container may leave behind: processes, mounts, cgroups, descriptors of ours, and a spoilt /dev/null.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MNT_DETACH } from "../../runtime/linux/generated/constants.ts";
import { cString, syscall } from "../../runtime/linux/libc.ts";
import { adoptOrphans, livingChildren } from "./children.ts";

/** Everything that {@linkcode leaks} compares. */
export interface Snapshot {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly fds: readonly string[];
}

/** Takes stock before a test whose containers have `id` in their names and cgroups. */
export function snapshot(id: string): Snapshot {
  adoptOrphans();
  return { mounts: mountPoints(), cgroups: cgroups(id), fds: descriptors() };
}

/** What is there now and was not there `before`. Orphans that are still about to end are waited for. */
export async function leaks(before: Snapshot, id: string): Promise<string[]> {
  const now = { ...snapshot(id), processes: await orphans() };
  return [
    ...now.processes,
    ...added(before.mounts, now.mounts).filter((path) => isOurs(path, id)).map((path) => `mount on ${path}`),
    ...added(before.cgroups, now.cgroups).map((path) => `cgroup ${path}`),
    ...added(before.fds, now.fds).map((target) => `descriptor of ${target}`),
    ...nullDevice(),
  ];
}

/** Fails with the list of what is left since `before`. */
export async function assertNothingLeft(before: Snapshot, id: string): Promise<void> {
  assertEquals(await leaks(before, id), []);
}

function added(before: readonly string[], after: readonly string[]): string[] {
  const rest = [...before];
  return after.filter((one) => {
    const at = rest.indexOf(one);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** The mount points of the host, one of several mounts as often as it is mounted. */
function mountPoints(): string[] {
  return Deno.readTextFileSync("/proc/self/mountinfo").trim().split("\n").map((line) => line.split(" ")[4]!);
}

/** Other programs mount below these while we test, and so may another run of the tests. */
function isOurs(mountPoint: string, id: string): boolean {
  return !/^\/(tmp|run|var|mnt|work)\//.test(mountPoint) || mountPoint.includes(id);
}

/** Detaches whatever is mounted below `directory`: who removes that would remove what lies there. */
export function unmountBelow(directory: string): void {
  for (const path of mountPoints().reverse().filter((path) => path.startsWith(`${directory}/`))) {
    syscall("umount2", [cString(path), MNT_DETACH], { path });
  }
}

/**
 * Ends what is in the cgroups that have `id` in their paths, and removes them, whichever runtime made them: once their
 * container's state is gone, no runtime would.
 */
export async function removeCgroups(id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const left = cgroups(id).reverse().filter((path) => !isRemoved(path));
    if (left.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`cannot remove ${cgroups(id).join(" ")}`);
}

function isRemoved(path: string): boolean {
  try {
    const pids = Deno.readTextFileSync(`${path}/cgroup.procs`).split("\n").filter((line) => line !== "");
    for (const pid of pids) Deno.kill(Number(pid), "SIGKILL");
    Deno.removeSync(path);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

function cgroups(id: string): string[] {
  const found: string[] = [];
  const visit = (directory: string, depth: number) => {
    for (const { name, isDirectory } of readDirectory(directory)) {
      if (!isDirectory) continue;
      const path = `${directory}/${name}`;
      if (path.includes(id)) found.push(path);
      if (depth < 4) visit(path, depth + 1);
    }
  };
  visit("/sys/fs/cgroup", 0);
  return found;
}

function readDirectory(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch {
    return []; // Somebody else's, and just removed.
  }
}

/** What our descriptors refer to. Deno makes its event descriptors when it first needs them, and opens itself for stacks. */
function descriptors(): string[] {
  return readDirectory("/proc/self/fd").map(({ name }) => readLink(`/proc/self/fd/${name}`))
    .filter((target) =>
      target !== "" && target !== Deno.execPath() &&
      !/^anon_inode:\[(eventpoll|eventfd|timerfd|signalfd)\]/.test(target)
    );
}

function readLink(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // The one that read the directory.
  }
}

/** Adopted processes that live on, which are then killed. Those that are about to end are waited for. */
async function orphans(): Promise<string[]> {
  let alive = livingChildren();
  for (let tries = 0; alive.length > 0 && tries < 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    alive = livingChildren();
  }
  for (const { pid } of alive) Deno.kill(pid, "SIGKILL");
  return alive.map(({ pid, name, state }) => `process ${pid} (${name}, ${state})`);
}

/** It is everybody's: a spoilt one is mended at once. */
function nullDevice(): string[] {
  const { uid, gid, mode, rdev } = Deno.statSync("/dev/null");
  const [found, right] = [[uid, gid, mode?.toString(8), rdev].join(" "), [0, 0, "20666", 0x103].join(" ")];
  if (found === right) return [];
  Deno.chownSync("/dev/null", 0, 0);
  Deno.chmodSync("/dev/null", 0o666);
  return [`/dev/null is ${found} and not ${right}`];
}
