/**
 * Which hierarchies of control groups are mounted, and where we are in them.
 *
 * ```
 *   v2       /sys/fs/cgroup           cgroup2
 *   v1       /sys/fs/cgroup/cpu,...   cgroup    one or more controllers each
 *   hybrid   as v1, and               cgroup2   on /sys/fs/cgroup/unified, with the controllers that v1 leaves
 * ```
 *
 * @see cgroups(7), proc_pid_mountinfo(5)
 * @module
 */

/** One mounted hierarchy. */
export interface Hierarchy {
  /** "cpu,cpuacct", "name=systemd"; "" for cgroup v2. */
  readonly controllers: string;
  readonly mountPoint: string;
  /** Path of our cgroup below the mount point; "/" if it is not there to be seen. */
  readonly cgroup: string;
}

const STANDARD = "/sys/fs/cgroup";

/** The hierarchies of this machine that count, one of each. */
export function readHierarchies(): Hierarchy[] {
  return findHierarchies(
    Deno.readTextFileSync("/proc/self/mountinfo"),
    Deno.readTextFileSync("/proc/self/cgroup"),
  );
}

/** @param ownCgroups the text of /proc/self/cgroup: `4:cpu,cpuacct:/path`, and `0::/path` for cgroup v2 */
export function findHierarchies(mountinfo: string, ownCgroups: string): Hierarchy[] {
  const own = new Map(
    ownCgroups.split("\n").filter((line) => line !== "").map((line) => {
      const [, controllers = "", ...path] = line.split(":");
      return [controllers, path.join(":")];
    }),
  );
  const visible = new Map<string, Hierarchy>();
  for (const { type, root, mountPoint, options } of parseMountinfo(mountinfo)) {
    // A mount hides those at and below the same place.
    for (const other of visible.keys()) {
      if (other === mountPoint || other.startsWith(`${mountPoint}/`)) visible.delete(other);
    }
    const controllers = type === "cgroup2"
      ? ""
      : type === "cgroup"
      ? controllersOf(own.keys(), options)
      : undefined;
    const path = controllers === undefined ? undefined : own.get(controllers);
    if (path !== undefined) {
      visible.set(mountPoint, { controllers: controllers!, mountPoint, cgroup: below(root, path) });
    }
  }
  return relevant([...visible.values()]);
}

/** Nothing but cgroup v2 where it is all that is mounted, or where it has the place of the hierarchies of v1. */
function relevant(hierarchies: readonly Hierarchy[]): Hierarchy[] {
  const pure = hierarchies.find(({ controllers, mountPoint }) =>
    controllers === "" && mountPoint === STANDARD
  );
  if (pure !== undefined) return [pure];
  // Containers' engines bind hierarchies to other places as well: those at the standard ones come first.
  const standard = (hierarchy: Hierarchy) => hierarchy.mountPoint.startsWith(`${STANDARD}/`);
  const sorted = [...hierarchies.filter(standard), ...hierarchies.filter((one) => !standard(one))];
  const found = new Map<string, Hierarchy>();
  for (const hierarchy of sorted) {
    if (!found.has(hierarchy.controllers)) found.set(hierarchy.controllers, hierarchy);
  }
  return [...found.values()];
}

/** The line of /proc/self/cgroup that a mount of cgroup v1 belongs to, by the options of its superblock. */
function controllersOf(lines: Iterable<string>, options: readonly string[]): string | undefined {
  return [...lines].find((line) => line !== "" && line.split(",").every((name) => options.includes(name)));
}

/**
 * The cgroup `path` as it is named under a mount of `root`, both as seen from our cgroup namespace. A mount that was made
 * outside begins above us, and its root reads "/../..": how we are called from there nobody tells.
 */
function below(root: string, path: string): string {
  if (path.split("/").includes("..")) return "/";
  if (root === "/") return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : "/";
}

interface Mount {
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
function parseMountinfo(text: string): Mount[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [mount = "", filesystem = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = mount.split(" ");
    const [type = "", , options = ""] = filesystem.split(" ");
    return { root: unescape(root), mountPoint: unescape(mountPoint), type, options: options.split(",") };
  });
}

/** Space, tab, newline and backslash are octal. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
