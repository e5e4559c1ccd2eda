/**
 * What of a container is not its own, and so not saved with it: what is mounted from the host, and namespaces of others.
 * It has a name in the images, under which `restore` says what is there now. Pure.
 *
 * @see criu(8), "--external"
 * @module
 */
import type { MountInfo } from "../../host/mountinfo.ts";
import type { Host } from "../../plan/host.ts";
import { clean } from "../../plan/in_root.ts";
import { plannedMounts, source } from "../../plan/mounts.ts";
import { namespace } from "../../plan/namespaces.ts";
import { bindMounts, NULL_NAME } from "../../plan/plan_restore.ts";
import type { Config, NamespaceType } from "../../spec/config.ts";
import type { ExternalMount } from "./options.ts";

/** Where a destination of the config is, links of the image followed. */
export type Resolve = (destination: string) => string;

/** Which of the mounts in a container are the host's. Each is its own name. */
export function savedMounts(config: Config, mounts: readonly MountInfo[], resolve: Resolve): ExternalMount[] {
  const planned = plannedMounts(config).map(({ destination, type }) => ({
    path: resolve(destination),
    type,
  }));
  const bindsCgroups = namespace(config, "cgroup") === "none";
  const masked = new Set((config.linux?.maskedPaths ?? []).map((path) => resolve(clean(path))));
  const devices = new Set(devicePaths(config));
  return mounts.flatMap(({ mountPoint, root, type }) => {
    if (mountPoint === "/") return [];
    if (masked.has(mountPoint) && root === "/null") return [{ key: mountPoint, val: mountPoint }];
    // The last of the longest: what was mounted over the others.
    const owner = planned.filter(({ path }) => isAtOrBelow(mountPoint, path))
      .reduce((a, b) => b.path.length >= a.path.length ? b : a, { path: "", type: "" });
    const isHosts = owner.type === "bind" || devices.has(mountPoint) ||
      (owner.type.startsWith("cgroup") && type.startsWith("cgroup") && bindsCgroups);
    return isHosts ? [{ key: mountPoint, val: mountPoint }] : [];
  });
}

/**
 * What is to be in the place of each of them. What the images do not name is not used.
 *
 * @param sources where {@linkcode planRestore} has put what the config binds
 * @param mounts the host's
 */
export function restoredMounts(
  config: Config,
  host: Host,
  { sources, mounts, resolve }: {
    readonly sources: string;
    readonly mounts: readonly MountInfo[];
    readonly resolve: Resolve;
  },
): ExternalMount[] {
  const cgroups = namespace(config, "cgroup") === "none"
    ? plannedMounts(config).filter(({ type }) => type.startsWith("cgroup"))
    : [];
  return [
    ...bindMounts(config).flatMap(({ planned, name }) => {
      const [key, val] = [resolve(planned.destination), `${sources}/${name}`];
      const { path, recursive } = source(planned, host);
      const below = recursive ? mounts.filter(({ mountPoint }) => mountPoint.startsWith(`${path}/`)) : [];
      const places = ["", ...below.map(({ mountPoint }) => mountPoint.slice(path.length))];
      return places.map((place) => ({ key: key + place, val: val + place }));
    }),
    ...cgroups.flatMap(({ destination }) =>
      host.hierarchies.map(({ mountPoint, cgroup }, _, { length }) => {
        const name = length === 1 ? "" : mountPoint.slice(mountPoint.lastIndexOf("/"));
        return { key: resolve(destination) + name, val: mountPoint + (cgroup === "/" ? "" : cgroup) };
      })
    ),
    ...(config.linux?.maskedPaths ?? []).map((path) => ({
      key: resolve(clean(path)),
      val: `${sources}/${NULL_NAME}`,
    })),
    // In images of runc's and crun's all masks have the name of this device.
    ...devicePaths(config).map((path) => ({ key: path, val: path })),
  ];
}

/** Nodes that a container in a user namespace cannot make, and has bound from the host. */
function devicePaths({ linux }: Config): string[] {
  const defaults = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);
  return [...new Set([...defaults, ...(linux?.devices ?? []).map(({ path }) => path)])];
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Namespaces that a container shares, as CRIU names them. The others of those types it restores by entering them. */
const EXTERNAL: Readonly<Partial<Record<NamespaceType, { readonly type: string; readonly key: string }>>> = {
  network: { type: "net", key: "extRootNetNS" },
  pid: { type: "pid", key: "extRootPidNS" },
};

/** The namespaces given by path: those to be left out, and those to be entered by a path. */
export function sharedNamespaces({ linux }: Config) {
  const shared = (linux?.namespaces ?? []).flatMap(({ type, path }) => path ? [{ type, path }] : []);
  return {
    /** Saved under `key`; restored by a descriptor. */
    external: shared.flatMap(({ type, path }) => {
      const found = EXTERNAL[type];
      return found === undefined ? [] : [{ ...found, path }];
    }),
    joined: shared.filter(({ type }) => EXTERNAL[type] === undefined)
      .map(({ type, path }) => ({ ns: SHORT[type] ?? type, ns_file: path })),
  };
}

const SHORT: Readonly<Partial<Record<NamespaceType, string>>> = { mount: "mnt" };
