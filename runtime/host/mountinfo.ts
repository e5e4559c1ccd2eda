/**
 * /proc/self/mountinfo.
 *
 * @see proc_pid_mountinfo(5)
 * @module
 */

/** One line. */
export interface MountInfo {
  /** What of the filesystem is mounted: "/", or the directory that was bound. */
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
  /** Options of the superblock: for cgroup v1 its controllers are among them. */
  readonly superOptions: readonly string[];
}

/** The mounts of our own mount namespace, in the order in which they were made. */
export function readMountinfo(): MountInfo[] {
  return parseMountinfo(Deno.readTextFileSync("/proc/self/mountinfo"));
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
export function parseMountinfo(text: string): MountInfo[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [mount = "", filesystem = ""] = line.split(" - ");
    const [, , , root = "", mountPoint = ""] = mount.split(" ");
    const [type = "", , options = ""] = filesystem.split(" ");
    return { root: unescape(root), mountPoint: unescape(mountPoint), type, superOptions: options.split(",") };
  });
}

/** Space, tab, newline and backslash are octal. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

/** The mount point that `path`, absolute and without links, lies on. */
export function mountPointOf(path: string, mounts: readonly MountInfo[]): string {
  let found = "/";
  for (const { mountPoint } of mounts) {
    const beneath = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (beneath && mountPoint.length >= found.length) found = mountPoint;
  }
  return found;
}
