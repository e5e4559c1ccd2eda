/**
 * The options of config.json's mounts, as mount(8) and runc's and crun's tables have them. A new option is one row.
 *
 * @see mount(8), mount_setattr(2), config.md#linux-mount-options
 * @module
 */
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_RELATIME,
  MOUNT_ATTR_STRICTATIME,
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
} from "../linux/generated/constants.ts";

/** What an option does to the attributes of a mount: mount_setattr(2) clears, then sets. */
interface Attributes {
  readonly set: number;
  readonly clear: number;
}

const set = (flag: number): Attributes => ({ set: flag, clear: 0 });
const clear = (flag: number): Attributes => ({ set: 0, clear: flag });
/** The access time is one field with three values: to set one, the field is cleared first. */
const atime = (value: number): Attributes => ({ set: value, clear: MOUNT_ATTR__ATIME });

/** Of one mount. With an "r" before the name: of it and all beneath it. */
const ATTRIBUTES: Readonly<Record<string, Attributes>> = {
  ro: set(MOUNT_ATTR_RDONLY),
  rw: clear(MOUNT_ATTR_RDONLY),
  nosuid: set(MOUNT_ATTR_NOSUID),
  suid: clear(MOUNT_ATTR_NOSUID),
  nodev: set(MOUNT_ATTR_NODEV),
  dev: clear(MOUNT_ATTR_NODEV),
  noexec: set(MOUNT_ATTR_NOEXEC),
  exec: clear(MOUNT_ATTR_NOEXEC),
  nodiratime: set(MOUNT_ATTR_NODIRATIME),
  diratime: clear(MOUNT_ATTR_NODIRATIME),
  nosymfollow: set(MOUNT_ATTR_NOSYMFOLLOW),
  symfollow: clear(MOUNT_ATTR_NOSYMFOLLOW),
  noatime: atime(MOUNT_ATTR_NOATIME),
  atime: atime(MOUNT_ATTR_RELATIME),
  relatime: atime(MOUNT_ATTR_RELATIME),
  norelatime: atime(MOUNT_ATTR_RELATIME),
  strictatime: atime(MOUNT_ATTR_STRICTATIME),
  nostrictatime: atime(MOUNT_ATTR_RELATIME),
};

const PROPAGATION: Readonly<Record<string, number>> = {
  shared: MS_SHARED,
  slave: MS_SLAVE,
  private: MS_PRIVATE,
  unbindable: MS_UNBINDABLE,
};

/** Of the filesystem and not of the mount: fsconfig(2) takes them by these names. */
const SUPERBLOCK: readonly string[] = [
  "sync",
  "async",
  "dirsync",
  "mand",
  "nomand",
  "lazytime",
  "nolazytime",
];

/** The kernel's own defaults, or about its log only. */
const WITHOUT_EFFECT: readonly string[] = ["defaults", "silent", "loud", "noiversion"];

/** What we do ourselves: the rest of the table. */
const EXTENSIONS = [
  "bind",
  "rbind",
  "remount",
  "iversion",
  "tmpcopyup",
  "idmap",
  "ridmap",
  "copy-symlink",
  "src-nofollow",
  "dest-nofollow",
] as const;
export type MountExtension = typeof EXTENSIONS[number];

/** A parameter for the filesystem. */
export interface Datum {
  readonly key: string;
  /** Absent for a flag. */
  readonly value?: string;
  /** Index into the mount's options: it is named when the filesystem refuses it. */
  readonly option: number;
}

/** A mount's options, sorted by what they act on. */
export interface MountOptions {
  readonly attributes: Attributes;
  readonly recursive: Attributes;
  /** In the order given; `recursive` for the r-forms. */
  readonly propagation: readonly {
    readonly type: number;
    readonly recursive: boolean;
    readonly option: number;
  }[];
  readonly extensions: ReadonlySet<MountExtension>;
  /** Everything else is the filesystem's. */
  readonly data: readonly Datum[];
}

/** Sorts the options of one mount. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let attributes: Attributes = { set: 0, clear: 0 };
  let recursive: Attributes = { set: 0, clear: 0 };
  const propagation: MountOptions["propagation"][number][] = [];
  const extensions = new Set<MountExtension>();
  const data: Datum[] = [];

  options.forEach((text, option) => {
    const base = text.slice(1);
    if (Object.hasOwn(ATTRIBUTES, text)) attributes = apply(attributes, ATTRIBUTES[text]!);
    else if (text.startsWith("r") && Object.hasOwn(ATTRIBUTES, base)) {
      recursive = apply(recursive, ATTRIBUTES[base]!);
    } else if (Object.hasOwn(PROPAGATION, text)) {
      propagation.push({ type: PROPAGATION[text]!, recursive: false, option });
    } else if (text.startsWith("r") && Object.hasOwn(PROPAGATION, base)) {
      propagation.push({ type: PROPAGATION[base]!, recursive: true, option });
    } else if ((EXTENSIONS as readonly string[]).includes(text)) extensions.add(text as MountExtension);
    else if (!WITHOUT_EFFECT.includes(text)) data.push(datum(text, option));
  });
  return { attributes, recursive, propagation, extensions, data };
}

/** The names of all options that are ours to handle, sorted: `hako features` lists them. */
export function mountOptionNames(): string[] {
  const recursive = (table: object) => Object.keys(table).flatMap((name) => [name, `r${name}`]);
  return [
    ...recursive(ATTRIBUTES),
    ...recursive(PROPAGATION),
    ...SUPERBLOCK,
    ...WITHOUT_EFFECT,
    ...EXTENSIONS,
  ].sort();
}

/** A later option wins over an earlier one on the same attribute. */
function apply(before: Attributes, option: Attributes): Attributes {
  return {
    set: (before.set & ~option.clear) | option.set,
    clear: (before.clear & ~option.set) | option.clear,
  };
}

function datum(text: string, option: number): Datum {
  const equals = text.indexOf("=");
  return equals < 0
    ? { key: text, option }
    : { key: text.slice(0, equals), value: text.slice(equals + 1), option };
}
