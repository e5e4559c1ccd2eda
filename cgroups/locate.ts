/** Finds the place of a container's cgroup. @module */
import { ConfigError } from "../runtime/errors.ts";
import type { Cgroup } from "./cgroup.ts";
import { Directory } from "./directory.ts";
import { HierarchyCgroup } from "./hierarchy_cgroup.ts";
import { type Hierarchy, readHierarchies } from "./hierarchies.ts";

export interface LocateOptions {
  /** The container's id. */
  readonly id: string;
  /** config.json `/linux/cgroupsPath`. */
  readonly cgroupsPath?: string;
  /** What is mounted, if it is known already. */
  readonly hierarchies?: readonly Hierarchy[];
  /** Without rights a container has to do without limits; it is an error only if it asks for some. */
  readonly rootless?: boolean;
}

/** The cgroup of a container that is to be created. Makes nothing. */
export function locateCgroup(options: LocateOptions): Cgroup {
  const { hierarchies = readHierarchies(), rootless = false, cgroupsPath = "" } = options;
  const found: Record<string, string> = {};
  const mountPoints: Record<string, string> = {};
  for (const hierarchy of hierarchies) {
    const path = hierarchy.mountPoint + cgroupPath(options, hierarchy);
    for (const name of hierarchy.controllers.split(",")) {
      found[name] = path;
      mountPoints[name] = hierarchy.mountPoint;
    }
  }
  return new HierarchyCgroup(found, { mountPoints, rootless, optional: rootless && cgroupsPath === "" });
}

/** The cgroup of a container that exists, by what was kept of it. */
export function openCgroup(paths: Readonly<Record<string, string>>, { rootless = false } = {}): Cgroup {
  return new HierarchyCgroup(paths, { rootless });
}

/**
 * The rule of runc. An absolute path begins at the mount point. A relative one begins at our own cgroup with v1, and with v2
 * beside it, because a cgroup with processes cannot hand its controllers down. An absent one is the id.
 *
 * @returns a path without "..", which never leads above where it begins
 * @throws {ConfigError} if nothing is left of it
 */
export function cgroupPath({ id, cgroupsPath }: LocateOptions, { controllers, cgroup }: Hierarchy): string {
  const given = cgroupsPath || id;
  const path = clean(given);
  // The root is not a container's, and all that is on the machine would be deleted with it.
  if (path === "") {
    throw new ConfigError("/linux/cgroupsPath", `must name a cgroup below the root, not "${given}"`);
  }
  if (given.startsWith("/")) return path;
  return clean(controllers === "" ? new Directory(cgroup).parent.path : cgroup) + path;
}

/** As "/a/b", without empty parts, "." and "..". "" is the root. */
function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.map((part) => `/${part}`).join("");
}
