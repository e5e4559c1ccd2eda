/** What a new cgroup of v2 needs from those above it. @module */
import { ConfigError } from "../../runtime/errors.ts";
import type { Directory } from "../directory.ts";

/** Controllers that may be used in a threaded cgroup. */
const THREADED = ["cpu", "cpuset", "perf_event", "pids"];

/** Lets every cgroup from `root` down to the parent hand controllers down: all it has, or those in `wanted`. */
export function enableControllers(
  directory: Directory,
  root: string,
  wanted: ReadonlySet<string> | "all",
): void {
  for (const ancestor of ancestors(directory, root)) {
    const words = (file: string) => ancestor.read(file).trim().split(" ").filter((word) => word !== "");
    const enabled = words("cgroup.subtree_control");
    const missing = words("cgroup.controllers")
      .filter((name) => (wanted === "all" || wanted.has(name)) && !enabled.includes(name));
    // One by one, because all fail with one. What is missing is an error only for whom asks for it: explainAbsence().
    for (const name of missing) tryWrite(ancestor, "cgroup.subtree_control", `+${name}`);
  }
}

/**
 * A cgroup below a threaded one is invalid until it is made threaded as well. Then it cannot have controllers that know no
 * threads.
 *
 * @param asked the members of `/linux/resources` by the controller they need
 * @throws {ConfigError} if one of those is asked for
 */
export function settleType(directory: Directory, root: string, asked: ReadonlyMap<string, string>): void {
  const type = directory.tryRead("cgroup.type")?.trim();
  if (type !== "domain invalid" && type !== "threaded" && type !== "domain threaded") return;
  const [name] = [...asked.keys()].filter((name) => !THREADED.includes(name));
  if (name !== undefined) {
    throw new ConfigError(
      "/linux/cgroupsPath",
      `${directory.path} is "${type}", because threads were put into cgroups above or below, and has no controller ` +
        `"${name}", which ${asked.get(name)} needs`,
    );
  }
  if (type !== "domain invalid") return;
  for (const level of [...ancestors(directory, root), directory]) {
    if (level.tryRead("cgroup.type")?.trim() === "domain invalid") level.write("cgroup.type", "threaded");
  }
}

/** Why a controller's file is not there; nothing if it should be. */
export function explainAbsence(directory: Directory, file: string): string | undefined {
  const [name = ""] = file.split(".");
  const available = directory.read("cgroup.controllers").trim();
  if (name === "cgroup" || available.split(" ").includes(name)) return undefined;
  const { parent } = directory;
  const handedDown = parent.tryRead("cgroup.controllers")?.split(/\s/).includes(name);
  const processes = handedDown && parent.tryRead("cgroup.procs");
  return `cannot be set: the controller "${name}" is not available in ${directory.path}, which has ` +
    (available === "" ? "none" : `"${available}"`) +
    (processes ? `, because ${parent.path} has processes of its own` : "");
}

/** From `root` down to the parent. */
function ancestors(directory: Directory, root: string): Directory[] {
  return directory.path === root ? [] : [...ancestors(directory.parent, root), directory.parent];
}

function tryWrite(directory: Directory, file: string, value: string): void {
  try {
    directory.write(file, value);
  } catch {
    // EBUSY: it has processes. EOPNOTSUPP: it is threaded. EACCES: it is not ours. ENOENT: the controller is gone.
  }
}
