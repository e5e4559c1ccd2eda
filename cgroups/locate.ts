/** Finds the place of a container's cgroup. @module */
import { ConfigError } from "../runtime/errors.ts";
import type { Cgroup, Unit } from "./cgroup.ts";
import { Directory } from "./directory.ts";
import { HierarchyCgroup } from "./hierarchy_cgroup.ts";
import { type Hierarchy, readHierarchies } from "./hierarchies.ts";
import { annotatedProperties } from "./systemd/annotations.ts";
import { Manager } from "./systemd/manager.ts";
import { SystemdCgroup } from "./systemd/systemd_cgroup.ts";
import { expandSlice, parseUnitName } from "./systemd/unit.ts";

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
  const { paths, mountPoints } = inEach(hierarchies, (hierarchy) => cgroupPath(options, hierarchy));
  return new HierarchyCgroup(paths, { mountPoints, rootless, optional: rootless && cgroupsPath === "" });
}

/** A scope, and where it will be. */
export interface LocatedScope {
  readonly cgroup: Cgroup;
  /** Below each mount point. */
  readonly path: string;
}

/**
 * The same for a cgroup that systemd is to make: a scope. `cgroupsPath` is "slice:prefix:name".
 *
 * @param options.annotations config.json /annotations, which may have properties of the scope
 * @throws {ConfigError} if the path or the annotations are not understood
 * @throws {UsageError} if the systemd of a user cannot be reached; for the other one `create` has that to say
 */
export function locateScope(
  options: LocateOptions & { readonly annotations?: Readonly<Record<string, string>> },
): LocatedScope {
  const { id, cgroupsPath = "", hierarchies = readHierarchies(), rootless = false, annotations } = options;
  const { slice, scope } = parseUnitName(cgroupsPath, { id, user: rootless });
  const properties = annotatedProperties(annotations);
  const expanded = expandSlice(slice);
  if (rootless && hierarchies.some(({ controllers }) => controllers !== "")) {
    throw new ConfigError(
      "/linux/cgroupsPath",
      "a user's systemd has only cgroup v2, and there is v1 here: use cgroupfs",
    );
  }
  const path = `${rootless ? userRoot() : ""}${expanded}/${scope}`;
  const { paths, mountPoints } = inEach(hierarchies, () => path);
  const files = new HierarchyCgroup(paths, { mountPoints, rootless, given: true });
  const unit: Unit = { name: scope, manager: rootless ? "user" : "system" };
  return {
    cgroup: new SystemdCgroup(files, unit, { slice, description: `container ${id}`, properties }),
    path,
  };
}

function userRoot(): string {
  const manager = Manager.connect("user");
  try {
    return manager.controlGroup();
  } finally {
    manager.close();
  }
}

/** The cgroup of a container that exists, by what was kept of it. */
export function openCgroup(
  paths: Readonly<Record<string, string>>,
  { rootless = false, unit }: { readonly rootless?: boolean; readonly unit?: Unit } = {},
): Cgroup {
  const files = new HierarchyCgroup(paths, { rootless });
  return unit === undefined ? files : new SystemdCgroup(files, unit);
}

/** By the name of each controller. */
function inEach(hierarchies: readonly Hierarchy[], pathIn: (hierarchy: Hierarchy) => string) {
  const paths: Record<string, string> = {};
  const mountPoints: Record<string, string> = {};
  for (const hierarchy of hierarchies) {
    const path = hierarchy.mountPoint + pathIn(hierarchy);
    for (const name of hierarchy.controllers.split(",")) {
      paths[name] = path;
      mountPoints[name] = hierarchy.mountPoint;
    }
  }
  return { paths, mountPoints };
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
