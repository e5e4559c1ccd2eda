/**
 * The only ways in which a plan names a path of the image: resolved by openat2(2) beneath `$root`, where an absolute or
 * ".." symbolic link ends at the root and not on the host (CVE-2021-30465, CVE-2024-45310, CVE-2026-41579).
 *
 * @module
 */
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  S_IFREG,
} from "../linux/generated/constants.ts";
import { attempt, type Node, type Reason, slot, type SlotName, type Step, step, tolerate } from "./node.ts";

/** sizeof(struct open_how): openat2(2) wants to know which version of it we mean. */
const OPEN_HOW_BYTES = 24;

export interface OpenOptions {
  /** Beside O_CLOEXEC. O_PATH if absent. */
  readonly flags?: number;
  /** The path must not contain a symbolic link. */
  readonly noSymlinks?: boolean;
}

/** Opens `path` of the container as it would see it. */
export function openInRoot(reason: Reason, path: string, save: SlotName, options: OpenOptions = {}): Step {
  return step(reason, "openat2", [
    slot("$root"),
    path,
    {
      struct: "open_how",
      members: {
        flags: (options.flags ?? O_PATH) | O_CLOEXEC,
        mode: 0,
        resolve: RESOLVE_IN_ROOT | (options.noSymlinks ? RESOLVE_NO_SYMLINKS : 0),
      },
    },
    OPEN_HOW_BYTES,
  ], save);
}

/**
 * Makes `path` and the directories above it, as far as they are missing.
 *
 * Each level is opened again beneath `$root` before the next is made in it, so a component that is swapped for a link
 * meanwhile leads elsewhere in the root at worst. EEXIST also stands for a dangling link: it is the open that follows
 * which then fails.
 */
export function createInRoot(reason: Reason, path: string, type: "directory" | "file"): Node[] {
  const nodes: Node[] = [];
  const names = components(path);
  names.forEach((name, depth) => {
    const parent = depth === 0 ? slot("$root") : slot("$parent");
    if (depth > 0) {
      nodes.push(
        openInRoot(reason, `/${names.slice(0, depth).join("/")}`, "$parent", { flags: O_PATH | O_DIRECTORY }),
      );
    }
    const isFile = type === "file" && depth === names.length - 1;
    nodes.push(tolerate(
      isFile
        ? step(reason, "mknodat", [parent, name, S_IFREG | 0o644, 0])
        : step(reason, "mkdirat", [parent, name, 0o755]),
      ["EEXIST"],
    ));
  });
  return nodes;
}

export interface TargetOptions extends OpenOptions {
  /** What to create: {@linkcode Target.path}, where a dangling link of the image leads. `path` if absent. */
  readonly create?: string;
}

/** Opens `path`, which is made first if it is missing. */
export function openOrCreateInRoot(
  reason: Reason,
  target: { readonly path: string; readonly type: "directory" | "file"; readonly save: SlotName },
  options: TargetOptions = {},
): Node[] {
  const { path, type, save } = target;
  const flags = options.flags ?? (type === "directory" ? O_PATH | O_DIRECTORY : O_PATH);
  const open = openInRoot(reason, path, save, { ...options, flags });
  return [
    attempt(open, ["ENOENT"], { otherwise: [...createInRoot(reason, options.create ?? path, type), open] }),
  ];
}

/** The names in an absolute path, with ".", ".." and empty ones resolved as text. */
export function components(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}

/** `path` in its shortest form: "/a//b/../c/" is "/a/c". */
export function clean(path: string): string {
  return `/${components(path).join("/")}`;
}
