/**
 * The calls of the descriptor-based mount API, as the builders say them: a mount is made detached, configured, and
 * attached to an open target, so no string is resolved twice.
 *
 * @see fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2)
 * @module
 */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../linux/generated/constants.ts";
import type { ErrnoName } from "../linux/generated/errno.ts";
import { type Arg, attempt, type Node, type Reason, slot, type SlotName, type Step, step } from "./node.ts";

/** sizeof(struct mount_attr): MOUNT_ATTR_SIZE_VER0. */
const MOUNT_ATTR_BYTES = 32;

/** Copies the mount at `path`, or at the descriptor `from`: with all mounts beneath it if `recursive`. */
export function cloneTree(
  reason: Reason,
  source: { readonly from?: Arg; readonly path?: string; readonly recursive?: boolean },
  save: SlotName,
): Step {
  const { from = AT_FDCWD, path = "", recursive = false } = source;
  return step(reason, "open_tree", [
    from,
    path,
    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path === "" ? AT_EMPTY_PATH : 0) | (recursive ? AT_RECURSIVE : 0),
  ], save);
}

/** Attaches `mount` to the open `target`, or to the entry `name` of it. */
export function attach(reason: Reason, mount: SlotName, target: Arg, name = ""): Step {
  return step(reason, "move_mount", [
    slot(mount),
    "",
    target,
    name,
    MOVE_MOUNT_F_EMPTY_PATH | (name === "" ? MOVE_MOUNT_T_EMPTY_PATH : 0),
  ]);
}

/** What to change of a mount. */
export interface Change {
  readonly set?: number;
  readonly clear?: number;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. */
  readonly propagation?: number;
  /** The descriptor of a user namespace, for MOUNT_ATTR_IDMAP. */
  readonly userns?: number;
  readonly recursive?: boolean;
}

/** mount_setattr(2) touches only what it is told to: flags that a user namespace has locked stay as they are. */
export function setAttributes(reason: Reason, mount: SlotName, change: Change): Step {
  const { set = 0, clear = 0, propagation = 0, userns = 0, recursive = false } = change;
  return step(reason, "mount_setattr", [
    slot(mount),
    "",
    AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
    { struct: "mount_attr", members: { attr_set: set, attr_clr: clear, propagation, userns_fd: userns } },
    MOUNT_ATTR_BYTES,
  ]);
}

/** A parameter of a filesystem, and the reason to name when the filesystem refuses it. */
export interface Parameter {
  readonly key: string;
  /** Absent for a flag. */
  readonly value?: string;
  readonly reason: Reason;
}

/** Makes a filesystem of `type` and a detached mount of it. */
export function newFilesystem(
  reason: Reason,
  filesystem: {
    readonly type: string;
    readonly source: string;
    readonly attributes: number;
    readonly parameters: readonly Parameter[];
  },
  save: SlotName,
): Node[] {
  const { type, source, attributes, parameters } = filesystem;
  const fs = slot("$fs");
  return [
    step(reason, "fsopen", [type, FSOPEN_CLOEXEC], "$fs"),
    step(reason, "fsconfig", [fs, FSCONFIG_SET_STRING, "source", source, 0]),
    // One call each, so that the option which the filesystem does not take is the one that the error names.
    ...parameters.map(({ key, value, reason }) =>
      value === undefined
        ? step(reason, "fsconfig", [fs, FSCONFIG_SET_FLAG, key, null, 0])
        : step(reason, "fsconfig", [fs, FSCONFIG_SET_STRING, key, value, 0])
    ),
    step(reason, "fsconfig", [fs, FSCONFIG_CMD_CREATE, null, null, 0]),
    step(reason, "fsmount", [fs, FSMOUNT_CLOEXEC, attributes], save),
  ];
}

/**
 * Makes a filesystem, or goes on with `otherwise` if the kernel refuses it with an errno of `on`. Who owns the namespace
 * that it shows is asked by fsopen(2) for sysfs, by FSCONFIG_CMD_CREATE for most others, and by fsmount(2) for whether
 * all of it is to be seen already.
 */
export function orElse(
  made: readonly Node[],
  on: readonly ErrnoName[],
  otherwise: readonly Node[],
): Node[] {
  const [open, ...rest] = made;
  const parameters = rest.slice(0, -2);
  const [create, mount] = rest.slice(-2);
  if (open?.kind !== "step" || create?.kind !== "step" || mount?.kind !== "step") {
    throw new Error("orElse takes what newFilesystem makes");
  }
  const mounted = attempt(mount, on, { otherwise });
  const created = attempt(create, on, { then: [mounted], otherwise });
  return [attempt(open, on, { then: [...parameters, created], otherwise })];
}
