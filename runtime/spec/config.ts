/**
 * config.json (OCI runtime-spec 1.3, Linux): its types, members named exactly as in the specification, and beside each
 * type the check that a value has it. Everything else in this folder serves these two.
 *
 * The types describe a *validated* config: in it `null` and "" in optional members are `undefined` and
 * {@linkcode Process.user} is filled in. Members for other platforms and unknown ones are not typed; they are passed
 * through unread, as config.md#extensibility asks.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 * @module
 */

import {
  array,
  boolean,
  type Check,
  type Fault,
  fitsBytes,
  map,
  object,
  refuse,
  text,
  texts,
  textThat,
} from "./check.ts";
import { checkHooks, type Hooks } from "./hooks.ts";
import { checkLinux, type Linux } from "./linux.ts";
import { checkIdMappings, findNamespace, type IDMapping, needNamespace } from "./namespaces.ts";
import { checkProcess, type Process } from "./process.ts";

export type * from "./devices.ts";
export type * from "./hooks.ts";
export type * from "./linux.ts";
export type * from "./namespaces.ts";
export type * from "./process.ts";
export type * from "./scheduling.ts";
export type * from "./resources.ts";
export type * from "./seccomp.ts";

/** A container: config.json's top level. */
export interface Config {
  /** The version of the specification that the bundle complies with: any 1.x.y, "1.0.2-dev" and "1.3.0+dev" included. */
  readonly ociVersion: string;
  /** The container process. May be absent until `start`. */
  readonly process?: Process;
  readonly root: Root;
  /** At most 64 bytes. Needs a UTS namespace. */
  readonly hostname?: string;
  /** NIS domain name, at most 64 bytes. Needs a UTS namespace. */
  readonly domainname?: string;
  /** Mounted in this order. */
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  /** Arbitrary metadata, kept in the state. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
}

/** The container's root filesystem on the host. */
export interface Root {
  /** A directory: absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

/** One mount(2) on top of the root filesystem. */
export interface Mount {
  /** The mount point: a path in the container. A relative one, which is deprecated, begins at "/". */
  readonly destination: string;
  /** The filesystem type: "tmpfs", "bind", ... */
  readonly type?: string;
  /** A device or filesystem name; for bind mounts a path, absolute or relative to the bundle. */
  readonly source?: string;
  /** As fstab(5): flags, propagation, and the filesystem's own data. */
  readonly options?: readonly string[];
  /** For id-mapped mounts; given together with gidMappings or not at all. */
  readonly uidMappings?: readonly IDMapping[];
  /** For id-mapped mounts; given together with uidMappings or not at all. */
  readonly gidMappings?: readonly IDMapping[];
}

/** Semantic Versioning 2.0.0 with major 1: later minor versions only add what may be ignored. */
const SPEC_VERSION = /^1\.\d+\.\d+(-[\dA-Za-z.-]+)?(\+[\dA-Za-z.-]+)?$/;

const utsName = textThat("must be at most 64 bytes", (name) => fitsBytes(name, 64));

const mount = object<Mount>(
  {
    destination: textThat("must not be empty", (path) => path !== ""),
    type: text,
    source: text,
    options: texts,
    uidMappings: checkIdMappings,
    gidMappings: checkIdMappings,
  },
  ["destination"],
  mountRule,
);

/** The mounts of a config alone. */
export const checkMounts: Check = array(mount);

/** config.md#posix-platform-mounts */
function mountRule({ uidMappings, gidMappings }: Mount): Fault | undefined {
  if (!uidMappings?.length === !gidMappings?.length) return;
  const name = uidMappings?.length ? "gidMappings" : "uidMappings";
  return { pointer: `/${name}`, problem: "must be given if the other mappings are" };
}

export const checkConfig: Check = object<Config>(
  {
    ociVersion: textThat(
      "must be a version 1.x.y of the specification",
      (version) => SPEC_VERSION.test(version),
    ),
    process: checkProcess,
    root: object<Root>({ path: text, readonly: boolean }, ["path"]),
    hostname: utsName,
    domainname: utsName,
    mounts: checkMounts,
    hooks: checkHooks,
    annotations: map(text, textThat("must not have an empty name", (name) => name !== "")),
    linux: checkLinux,
  },
  ["ociVersion", "root"],
  configRule,
);

/** What depends on the namespaces, beside the members of /linux. */
function configRule({ hostname, domainname, mounts = [], linux }: Config): Fault | undefined {
  const namespaces = linux?.namespaces;
  const fault = (hostname && needNamespace(namespaces, "uts", "/hostname")) ||
    (domainname && needNamespace(namespaces, "uts", "/domainname"));
  if (fault) return fault;
  if (findNamespace(namespaces, "user")) return;
  for (const [i, { options = [], uidMappings }] of mounts.entries()) {
    const option = options.findIndex((option) => option === "idmap" || option === "ridmap");
    if (option >= 0 && !uidMappings?.length) {
      return refuse(
        options[option],
        'needs uidMappings and gidMappings, or a "user" namespace',
        `/mounts/${i}/options/${option}`,
      );
    }
  }
}
