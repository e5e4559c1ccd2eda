/**
 * Texts that take long to make, kept for later commands: a file for each, found by the text that it was made from.
 *
 * ```
 *   /run/hako-cache/            0700; of a user $XDG_RUNTIME_DIR/hako-cache
 *   /run/hako-cache/00 ... ff   text, key and again text, a line break between them
 * ```
 *
 * A cache may be missing, and its files may be lost: nothing here fails. Who could write to it would choose what later
 * containers are given, so it is used only where nobody but us and root can.
 *
 * @module
 */
import {
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
} from "../linux/generated/constants.ts";
import { isForeign } from "../host/ownership.ts";
import { close, openat2 } from "../linux/files.ts";
import { syscall } from "../linux/libc.ts";

/** A key has one place and takes it from whose it was: there are never more files. */
const PLACES = 256;
/** Of a file, in characters: what is longer is not kept. */
const MAX_LENGTH = 1 << 18;

/** The text that was kept for `key`. Neither has a line break. */
export function findCached(key: string): string | undefined {
  try {
    const directory = directories().find(isOurs);
    if (directory === undefined) return undefined;
    const content = Deno.readTextFileSync(`${directory}/${place(key)}`);
    const text = content.slice(0, content.indexOf("\n"));
    return content === fileContent(key, text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps `text` for `key`. */
export function keepCached(key: string, text: string): void {
  const content = fileContent(key, text);
  if (content.length > MAX_LENGTH) return;
  try {
    const directory = directories().find(isOurs) ?? directories().find(makeDirectory);
    if (directory !== undefined) replaceFile(directory, place(key), content);
  } catch {
    // Full, or read-only by now.
  }
}

/** The text twice: to compare it with itself is the quickest way to see that it is damaged. */
function fileContent(key: string, text: string): string {
  return `${text}\n${key}\n${text}`;
}

function directories(): string[] {
  const parents = ["/run", Deno.env.get("XDG_RUNTIME_DIR") ?? ""];
  return parents.filter((parent) => parent.startsWith("/")).map((parent) => `${parent}/hako-cache`);
}

function makeDirectory(path: string): boolean {
  try {
    if (!isSafe(path.slice(0, path.lastIndexOf("/")))) return false;
    Deno.mkdirSync(path, { mode: 0o700 });
    return isOurs(path);
  } catch {
    return false;
  }
}

/** Whether only we have written to the directory `path`, and only we and root can change where the path leads to. */
function isOurs(path: string): boolean {
  try {
    if (!isSafe(path)) return false;
    const { uid, mode } = Deno.lstatSync(path);
    return uid === Deno.uid() && (mode! & 0o077) === 0;
  } catch {
    return false;
  }
}

/**
 * Whether only we and root can change where `path` leads to: there is no link on the way, and no directory where others
 * could replace what is there.
 *
 * It is looked at from the top: below a directory where nobody else can do that, nobody else can put another one in the
 * place of what was looked at. So what holds for a name also holds when it is opened.
 */
function isSafe(path: string): boolean {
  const names = path.split("/");
  return names.every((_, index) => {
    const info = Deno.lstatSync(names.slice(0, index + 1).join("/") || "/");
    return info.isDirectory && !isForeign(info);
  });
}

/** One at a time: who finds another one at it leaves it to that. */
function replaceFile(directory: string, name: string, content: string): void {
  const lock = openat2(AT_FDCWD, directory, { flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC });
  try {
    syscall("flock", [lock, LOCK_EX | LOCK_NB], { path: directory });
    Deno.writeTextFileSync(`${directory}/new`, content, { mode: 0o600 });
    Deno.renameSync(`${directory}/new`, `${directory}/${name}`);
  } finally {
    close(lock);
  }
}

/** FNV-1a of the length and of some characters: all of them are compared anyway. */
function place(key: string): string {
  const stride = Math.ceil(key.length / 256);
  let hash = 0x811c9dc5 ^ key.length;
  for (let index = 0; index < key.length; index += stride) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 0) % PLACES).toString(16).padStart(2, "0");
}
