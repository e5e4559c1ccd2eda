/**
 * config.json `/linux`, without its resources and seccomp.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md
 * @module
 */

import {
  absolutePath,
  array,
  beneath,
  boolean,
  type Check,
  type Fault,
  map,
  object,
  oneOf,
  orEmpty,
  refuse,
  text,
  textThat,
} from "./check.ts";
import { checkDevices, checkNetDevices, type Device, type NetDevice } from "./devices.ts";
import {
  checkIdMappings,
  checkNamespaces,
  checkTimeOffsets,
  findNamespace,
  type IDMapping,
  type Namespace,
  needNamespace,
  type TimeOffsets,
} from "./namespaces.ts";
import { parseRanges } from "./ranges.ts";
import { checkResources, type Resources } from "./resources.ts";
import { checkSeccomp, type Seccomp } from "./seccomp.ts";
import { checkSysctl } from "./sysctl.ts";

/** What is particular to Linux containers. */
export interface Linux {
  /** The map of the user namespace. */
  readonly uidMappings?: readonly IDMapping[];
  /** The map of the user namespace. */
  readonly gidMappings?: readonly IDMapping[];
  /** Kernel parameters by key, "." or "/" separated; only those of the container's own namespaces. */
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly resources?: Resources;
  /** The container's cgroup: a path, or "slice:prefix:name" for systemd. */
  readonly cgroupsPath?: string;
  /** Each type at most once. A type that is not listed is the runtime's. */
  readonly namespaces?: readonly Namespace[];
  /** Device nodes beside the default ones. */
  readonly devices?: readonly Device[];
  /** Network interfaces to move into the container, by their name on the host. */
  readonly netDevices?: Readonly<Record<string, NetDevice>>;
  readonly seccomp?: Seccomp;
  /** Mount propagation of "/" in the container. */
  readonly rootfsPropagation?: RootfsPropagation;
  /** Absolute paths in the container to make unreadable. */
  readonly maskedPaths?: readonly string[];
  /** Absolute paths in the container to make read-only. */
  readonly readonlyPaths?: readonly string[];
  /** SELinux context of the mounts. */
  readonly mountLabel?: string;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: MemoryPolicy;
  readonly personality?: Personality;
  /** Only with a new time namespace. */
  readonly timeOffsets?: TimeOffsets;
}

/** The names of mount(8), recursive ones included. */
export type RootfsPropagation =
  | "shared"
  | "slave"
  | "private"
  | "unbindable"
  | "rshared"
  | "rslave"
  | "rprivate"
  | "runbindable";

/** Intel Resource Director Technology, through resctrl. */
export interface IntelRdt {
  /** Class of service. Absent: the container's id. "/" is the root class. */
  readonly closID?: string;
  /** Lines for the class's schemata file; written after the two below. */
  readonly schemata?: readonly string[];
  /** "L3:0=ffff0;1=ff" */
  readonly l3CacheSchema?: string;
  /** "MB:0=20;1=70", in percent or MB/s */
  readonly memBwSchema?: string;
  /** Make a monitoring group for the container. */
  readonly enableMonitoring?: boolean;
}

export const MEMORY_POLICY_MODES = [
  "MPOL_DEFAULT",
  "MPOL_BIND",
  "MPOL_INTERLEAVE",
  "MPOL_WEIGHTED_INTERLEAVE",
  "MPOL_PREFERRED",
  "MPOL_PREFERRED_MANY",
  "MPOL_LOCAL",
] as const;

export const MEMORY_POLICY_FLAGS = [
  "MPOL_F_NUMA_BALANCING",
  "MPOL_F_RELATIVE_NODES",
  "MPOL_F_STATIC_NODES",
] as const;

/** One set_mempolicy(2). */
export interface MemoryPolicy {
  readonly mode: typeof MEMORY_POLICY_MODES[number];
  /** NUMA nodes as a list of ranges: "0-1,3". Absent: none. */
  readonly nodes?: string;
  readonly flags?: readonly (typeof MEMORY_POLICY_FLAGS[number])[];
}

/** One personality(2). */
export interface Personality {
  readonly domain: "LINUX" | "LINUX32";
  /** The specification names none yet. */
  readonly flags?: readonly never[];
}

const schemataLine = textThat("must be one line", (line) => !line.includes("\n"));

const intelRdt = object<IntelRdt>({
  closID: textThat(
    'must be "/" or a file name',
    (name) => name === "/" || (!name.includes("/") && name !== "." && name !== ".."),
  ),
  schemata: array(schemataLine),
  l3CacheSchema: text,
  memBwSchema: orEmpty(
    textThat('must be one line that starts with "MB:"', (line) => /^MB:[^\n]*$/.test(line)),
  ),
  enableMonitoring: boolean,
});

const memoryPolicy = object<MemoryPolicy>(
  {
    mode: oneOf(...MEMORY_POLICY_MODES),
    nodes: textThat('must be a list of NUMA nodes as "0-1,3"', (list) => parseRanges(list) !== undefined),
    flags: array(oneOf(...MEMORY_POLICY_FLAGS)),
  },
  ["mode"],
  memoryPolicyRule,
);

/** What set_mempolicy(2) answers with EINVAL. */
function memoryPolicyRule({ mode, nodes = "" }: MemoryPolicy): Fault | undefined {
  const none = parseRanges(nodes)!.length === 0;
  if (mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL") {
    if (!none) return refuse(nodes, `must be absent with ${mode}`, "/nodes");
  } else if (none && mode !== "MPOL_PREFERRED") {
    return { pointer: "/nodes", problem: `must name at least one node with ${mode}` };
  }
}

export const checkLinux: Check = object<Linux>(
  {
    uidMappings: checkIdMappings,
    gidMappings: checkIdMappings,
    sysctl: map(text),
    resources: checkResources,
    cgroupsPath: text,
    namespaces: checkNamespaces,
    devices: checkDevices,
    netDevices: checkNetDevices,
    seccomp: checkSeccomp,
    rootfsPropagation: orEmpty(oneOf<RootfsPropagation>(
      "shared",
      "slave",
      "private",
      "unbindable",
      "rshared",
      "rslave",
      "rprivate",
      "runbindable",
    )),
    maskedPaths: array(absolutePath),
    readonlyPaths: array(absolutePath),
    mountLabel: text,
    intelRdt,
    memoryPolicy,
    personality: object<Personality>({
      domain: oneOf("LINUX", "LINUX32"),
      flags: array((flag) => refuse(flag, "must be absent: none is defined")),
    }, ["domain"]),
    timeOffsets: checkTimeOffsets,
  },
  [],
  linuxRule,
);

/** What a container without a namespace of its own must not ask for. */
function linuxRule(linux: Linux): Fault | undefined {
  const { namespaces, timeOffsets, sysctl } = linux;
  const user = findNamespace(namespaces, "user");
  for (const name of ["uidMappings", "gidMappings"] as const) {
    const given = linux[name]?.length;
    if (given && !user) {
      return { pointer: `/${name}`, problem: 'needs a "user" namespace in /linux/namespaces' };
    }
    // containerd and CRI-O send mappings with a path too; they are then compared with those of the joined namespace.
    if (!given && user && !user.path) {
      return { pointer: `/${name}`, problem: 'must not be empty with a new "user" namespace' };
    }
  }
  for (const name of ["maskedPaths", "readonlyPaths"] as const) {
    const fault = linux[name]?.length ? needNamespace(namespaces, "mount", `/${name}`) : undefined;
    if (fault) return fault;
  }
  for (const key in linux.netDevices) {
    const fault = needNamespace(namespaces, "network", "");
    if (fault) return beneath("netDevices", beneath(key, fault));
  }
  for (const clock in timeOffsets) {
    const time = findNamespace(namespaces, "time");
    if (time === undefined || time.path) {
      return {
        pointer: `/timeOffsets/${clock}`,
        problem: 'needs a new "time" namespace in /linux/namespaces',
      };
    }
  }
  for (const key in sysctl) {
    const fault = checkSysctl(key, namespaces);
    if (fault) return beneath("sysctl", beneath(key, fault));
  }
}
