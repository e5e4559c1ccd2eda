/**
 * Device nodes and the links of /dev.
 *
 * @see mknod(2), config-linux.md#devices, #default-devices, config-linux.md#dev-symbolic-links
 * @module
 */
import {
  AT_SYMLINK_NOFOLLOW,
  CAP_MKNOD,
  MOUNT_ATTR_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
} from "../linux/generated/constants.ts";
import { ConfigError } from "../errors.ts";
import type { Config, Device } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { clean, components, openInRoot, openOrCreateInRoot } from "./in_root.ts";
import { attach, cloneTree, setAttributes } from "./mount_api.ts";
import { plannedMounts } from "./mounts.ts";
import { namespace } from "./namespaces.ts";
import { attempt, type Node, type Reason, slot, type SlotArg, step, tolerate } from "./node.ts";

/** One node with the member that asked for it. */
interface PlannedDevice extends Device {
  readonly reason: Reason;
}

const character = (path: string, major: number, minor: number): Device => ({ path, type: "c", major, minor });

/** config-linux.md#default-devices; /dev/console and /dev/ptmx are the terminal's. */
const DEFAULT_DEVICES: readonly Device[] = [
  character("/dev/null", 1, 3),
  character("/dev/zero", 1, 5),
  character("/dev/full", 1, 7),
  character("/dev/random", 1, 8),
  character("/dev/urandom", 1, 9),
  character("/dev/tty", 5, 0),
];

const LINKS: Readonly<Record<string, string>> = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  core: "/proc/kcore",
};

/** Makes the nodes of config.json, the default ones that it does not name, and the links. */
export function devices(config: Config, host: Host): Node[] {
  if (!needsDev(config)) return [];
  const reason: Reason = { label: "make /dev", pointer: "runtime" };
  return [
    ...openOrCreateInRoot(reason, { path: "/dev", type: "directory", save: "$dev" }),
    ...plannedDevices(config).flatMap((device) => makeDevice(config, host, device)),
    ...Object.entries(LINKS).map(([name, to]) => {
      const link: Reason = { label: `link /dev/${name}`, pointer: "runtime" };
      return tolerate(step(link, "symlinkat", [to, slot("$dev"), name]), ["EEXIST"]);
    }),
    // The image's own /dev/ptmx would open a terminal of the host.
    ...ptmx(),
  ];
}

/**
 * Nodes that may be another thing than was asked for: the runtime compares them at the barrier `mounted`, since a file that
 * is there and differs is an error (config-linux.md#devices). That are those that the image or a volume may have had
 * before us, and those that are bound from the host, where the name may stand for another device. Empty when /dev is a
 * fresh tmpfs.
 */
export function devicesToCompare(config: Config): PlannedDevice[] {
  if (!needsDev(config)) return [];
  const fresh = plannedMounts(config).filter(({ type }) => type === "tmpfs")
    .map(({ destination }) => destination);
  const isNew = (path: string) => fresh.some((mount) => path.startsWith(`${mount}/`));
  const bound = namespace(config, "user") !== "none";
  return plannedDevices(config).filter(({ path, type, reason }) =>
    !isNew(path) || (bound && type !== "p" && reason.pointer !== "runtime")
  );
}

/** A /dev that is bound from elsewhere is taken as it is: its nodes are somebody else's. */
function needsDev(config: Config): boolean {
  return !plannedMounts(config).some(({ destination, type }) => destination === "/dev" && type === "bind");
}

function plannedDevices(config: Config): PlannedDevice[] {
  const asked = (config.linux?.devices ?? []).map((device, index) => {
    const path = clean(device.path);
    const pointer = `/linux/devices/${index}`;
    if (path === "/") throw new ConfigError(`${pointer}/path`, "must not be the root itself");
    return { ...device, path, reason: { label: `make device ${device.path}`, pointer } };
  });
  const named = new Set(asked.map(({ path }) => path));
  const defaults = DEFAULT_DEVICES.filter(({ path }) => !named.has(path)).map((device) => ({
    ...device,
    fileMode: 0o666,
    reason: { label: `make device ${device.path}`, pointer: "runtime" },
  }));
  // The last of several entries for a path counts; /dev/ptmx is always a link to the container's own devpts.
  const last = new Map(
    asked.filter(({ path }) => path !== "/dev/ptmx").map((device) => [device.path, device]),
  );
  return [...defaults, ...last.values()];
}

function makeDevice(config: Config, host: Host, device: PlannedDevice): Node[] {
  const { path, reason, uid = 0, gid = 0 } = device;
  const names = components(path);
  const name = names.at(-1)!;
  const inDev = names.length === 2 && names[0] === "dev";
  const parent = slot(names.length === 1 ? "$root" : inDev ? "$dev" : "$parent");
  const above = `/${names.slice(0, -1).join("/")}`;
  const open = inDev || names.length === 1 ? [] : openOrCreateInRoot(reason, {
    path: above,
    type: "directory",
    save: "$parent",
  });
  if (device.type !== "p" && !mayMakeNodes(config, host)) {
    return [...open, ...bindDevice(config, device, { parent, name })];
  }

  const owner = uid === 0 && gid === 0
    ? []
    : [step(reason, "fchownat", [parent, name, uid, gid, AT_SYMLINK_NOFOLLOW])];
  const make = step(reason, "mknodat", [
    parent,
    name,
    FILE_TYPE[device.type] | ((device.fileMode ?? 0o666) & 0o7777),
    deviceNumber(device.major ?? 0, device.minor ?? 0),
  ]);
  // EEXIST: the image had something there, or an earlier mount put it there; see devicesToCompare.
  return [...open, attempt(make, ["EEXIST"], { then: owner })];
}

/** The kernel lets nobody in a user namespace make nodes that work there (user_namespaces(7)). */
function mayMakeNodes(config: Config, host: Host): boolean {
  return namespace(config, "user") === "none" && !host.userNamespace &&
    (host.capabilities >> BigInt(CAP_MKNOD) & 1n) === 1n;
}

/** The host's node of the same path, bound over an empty file. */
function bindDevice(
  config: Config,
  { path, reason }: PlannedDevice,
  { parent, name }: { readonly parent: SlotArg; readonly name: string },
): Node[] {
  return [
    tolerate(step(reason, "mknodat", [parent, name, S_IFREG | 0o600, 0]), ["EEXIST"]),
    openInRoot(reason, path, "$target", { noSymlinks: true }),
    cloneTree(reason, { path }, "$device"),
    // Without a user namespace its root would be the owner of the host's own file, and could change its mode.
    ...(namespace(config, "user") === "none"
      ? [setAttributes(reason, "$device", { set: MOUNT_ATTR_RDONLY })]
      : []),
    attach(reason, "$device", slot("$target")),
  ];
}

function ptmx(): Node[] {
  const reason: Reason = { label: "link /dev/ptmx", pointer: "runtime" };
  const link = step(reason, "symlinkat", ["pts/ptmx", slot("$dev"), "ptmx"]);
  return [
    attempt(link, ["EEXIST"], { otherwise: [step(reason, "unlinkat", [slot("$dev"), "ptmx", 0]), link] }),
  ];
}

const FILE_TYPE: Readonly<Record<Device["type"], number>> = {
  b: S_IFBLK,
  c: S_IFCHR,
  u: S_IFCHR,
  p: S_IFIFO,
};

/** As the kernel takes it in 32 bits: new_encode_dev() in linux/kdev_t.h, 12 bits of major and 20 of minor. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
