/**
 * The mount type "cgroup": the container's view of its control groups.
 *
 * @see cgroups(7), cgroup_namespaces(7)
 * @module
 */
import { MOUNT_ATTR_RDONLY } from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import type { Hierarchy, Host } from "./host.ts";
import { openOrCreateInRoot } from "./in_root.ts";
import { attach, cloneTree, newFilesystem, orElse, setAttributes } from "./mount_api.ts";
import type { PlannedMount } from "./mounts.ts";
import { namespace } from "./namespaces.ts";
import { type Node, slot, type SlotName, step } from "./node.ts";

/** Mounts cgroup2 alone where the host has nothing else, and a directory of all hierarchies otherwise. */
export function cgroupMount(config: Config, planned: PlannedMount, host: Host): Node[] {
  const { reason, save, destination } = planned;
  const target = openOrCreateInRoot(reason, { path: destination, type: "directory", save: "$target" });
  const [only] = host.hierarchies;
  const unified = host.hierarchies.length === 1 && only?.controllers === "";
  return unified
    ? [...hierarchyMount(config, planned, only, save), ...target, attach(reason, save, slot("$target"))]
    : [...target, ...allHierarchies(config, planned, host)];
}

function allHierarchies(config: Config, planned: PlannedMount, host: Host): Node[] {
  const { reason, save, options } = planned;
  const directory = slot(save);
  return [
    ...newFilesystem(reason, {
      type: "tmpfs",
      source: "tmpfs",
      attributes: options.attributes.set & ~MOUNT_ATTR_RDONLY,
      parameters: [{ key: "mode", value: "755", reason }],
    }, save),
    attach(reason, save, slot("$target")),
    ...host.hierarchies.flatMap((hierarchy) => {
      // As on the host: "cpu,cpuacct", with a link for each of the two; "systemd"; "unified".
      const name = hierarchy.mountPoint.slice(hierarchy.mountPoint.lastIndexOf("/") + 1);
      const links = name.includes(",") ? name.split(",") : [];
      return [
        step(reason, "mkdirat", [directory, name, 0o755]),
        ...hierarchyMount(config, planned, hierarchy, "$hierarchy"),
        // The directory was made by us in a filesystem that nobody else has: no link can be in its place.
        attach(reason, "$hierarchy", directory, name),
        ...links.map((link) => step(reason, "symlinkat", [name, directory, link])),
      ];
    }),
    ...((options.attributes.set & MOUNT_ATTR_RDONLY) === 0
      ? []
      : [setAttributes(reason, save, { set: MOUNT_ATTR_RDONLY })]),
  ];
}

/** One hierarchy: a mount of its own in a cgroup namespace, where it begins at the container's cgroup, else that part bound. */
function hierarchyMount(config: Config, planned: PlannedMount, hierarchy: Hierarchy, save: SlotName): Node[] {
  const { reason, options } = planned;
  const { controllers, mountPoint, cgroup } = hierarchy;
  const bound = [
    cloneTree(reason, { path: mountPoint + (cgroup === "/" ? "" : cgroup) }, save),
    ...(options.attributes.set === 0 ? [] : [setAttributes(reason, save, options.attributes)]),
  ];
  if (namespace(config, "cgroup") === "none") return bound;
  const made = newFilesystem(reason, {
    type: controllers === "" ? "cgroup2" : "cgroup",
    source: "cgroup",
    attributes: options.attributes.set,
    // "name=systemd" is a hierarchy without controllers.
    parameters: controllers === ""
      ? []
      : controllers.startsWith("name=")
      ? [{ key: "none", reason }, { key: "name", value: controllers.slice("name=".length), reason }]
      : controllers.split(",").map((key) => ({ key, reason })),
  }, save);
  return orElse(made, ["EPERM", "EBUSY"], bound);
}
