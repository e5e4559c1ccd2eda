/**
 * What several builders do in the same way.
 *
 * @module
 */
import type { Pointer } from "../errors.ts";
import { O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import { type Node, type Reason, slot, type SlotName, step } from "./node.ts";

/**
 * Writes `text` to a file of the host's procfs, with one write(2) as procfs wants it. Never to the image's /proc, which
 * could be anything (CVE-2019-16884, CVE-2025-52881).
 */
export function writeProc(reason: Reason, path: string, text: string): Node[] {
  return [
    step(reason, "openat", [slot("$proc"), path, O_WRONLY | O_CLOEXEC, 0], "$file"),
    ...writeFile(reason, text),
  ];
}

/** Writes `text` to an open file, and closes it. */
export function writeFile(reason: Reason, text: string, file: SlotName = "$file"): Node[] {
  return [
    step(reason, "write", [slot(file), text, byteLength(text)]),
    step(reason, "close", [slot(file)]),
  ];
}

/** The pointer to a member whose name may hold "/" or "~": RFC 6901, section 3. */
export function memberPointer(object: Pointer, name: string): Pointer {
  return `${object}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The length of a string as the kernel sees it, without the NUL. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
