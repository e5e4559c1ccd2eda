/** The files of one cgroup in one hierarchy. @module */
import { ConfigError } from "../runtime/errors.ts";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../runtime/linux/generated/constants.ts";
import { attempt } from "../runtime/linux/deno_error.ts";
import { close, exists, openat2 } from "../runtime/linux/files.ts";
import { isErrno } from "../runtime/linux/libc.ts";

/** Where {@linkcode Setting.member} begins. */
const RESOURCES = "/linux/resources";

/** A member of config.json `/linux/resources` by its full pointer. */
export function pointerTo(member: string): string {
  return RESOURCES + member;
}

/** A cgroup in one hierarchy. There are no links in these file systems, and nobody but root can mount over them. */
export class Directory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * One write(2).
   *
   * @param member the member of `/linux/resources` that asks for it: "/memory/limit"
   */
  write(file: string, value: string, member?: string): void {
    const path = this.#file(file, member);
    const detail = `write ${JSON.stringify(value)} to ${path}`;
    const pointer = member === undefined ? "runtime" : pointerTo(member);
    // Without O_CREAT, which cgroup file systems answer with EACCES, one could think that rights are missing.
    attempt("write", { path, detail, pointer }, () => Deno.writeTextFileSync(path, value, { create: false }));
  }

  read(file: string): string {
    const path = this.#file(file);
    return attempt("read", { path }, () => Deno.readTextFileSync(path));
  }

  /** Nothing where the kernel does not have the file, or does not give it (pressure without psi=1). */
  tryRead(file: string): string | undefined {
    try {
      return this.read(file);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENODEV", "EOPNOTSUPP")) return undefined;
      throw error;
    }
  }

  /**
   * Calls `use` with each cgroup below, which comes after all that are below it. By descriptors, one at a time: a container
   * may nest its cgroups deeper than a path may be long, or a stack.
   */
  eachBelow(use: (directory: Directory) => void): void {
    const pending = [this.children()];
    if (pending[0]!.length === 0) return;
    let here = tryOpen(AT_FDCWD, this.path);
    const names: string[] = [];
    const go = (name: string): boolean => {
      const there = tryOpen(here!, name);
      if (there === undefined) return false;
      close(here!);
      here = there;
      return true;
    };
    try {
      while (here !== undefined) {
        const child = pending.at(-1)!.pop();
        if (child !== undefined) {
          if (!go(child.name)) continue;
          names.push(child.name);
          pending.push(byDescriptor(here).children());
        } else {
          const name = names.pop();
          // Else we are back, or somebody has removed the cgroup that we are in.
          if (name === undefined || !go("..")) return;
          pending.pop();
          use(byDescriptor(here).below(name));
        }
      }
    } finally {
      if (here !== undefined) close(here);
    }
  }

  /** None if it is gone. */
  children(): Directory[] {
    return this.#list().filter(({ isDirectory }) => isDirectory).map(({ name }) => this.below(name));
  }

  /** The names of its files. */
  files(): string[] {
    return this.#list().filter(({ isFile }) => isFile).map(({ name }) => name);
  }

  below(name: string): Directory {
    return new Directory(`${this.path}/${name}`);
  }

  /** By default that of the container. */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  get parent(): Directory {
    return new Directory(this.path.slice(0, this.path.lastIndexOf("/")));
  }

  exists(): boolean {
    return exists(this.path);
  }

  /** mkdir(2). @returns false if it is there already */
  make(): boolean {
    try {
      attempt("mkdir", { path: this.path }, () => Deno.mkdirSync(this.path, { mode: 0o755 }));
      return true;
    } catch (error) {
      if (isErrno(error, "EEXIST")) return false;
      throw error;
    }
  }

  /** rmdir(2). It may be gone already. */
  remove(): void {
    try {
      attempt("rmdir", { path: this.path }, () => Deno.removeSync(this.path));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }

  #list(): Deno.DirEntry[] {
    try {
      return attempt("readdir", { path: this.path }, () => [...Deno.readDirSync(this.path)]);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENODEV")) return [];
      throw error;
    }
  }

  /** Sizes of huge pages and keys of `unified` are parts of file names: they must not lead elsewhere. */
  #file(file: string, member = ""): string {
    if (file.includes("/")) {
      throw new ConfigError(pointerTo(member), `must be a file name, not ${JSON.stringify(file)}`);
    }
    return `${this.path}/${file}`;
  }
}

/** Nothing if it is gone. */
function tryOpen(at: number, path: string): number | undefined {
  try {
    return openat2(at, path, { flags: O_PATH | O_DIRECTORY | O_CLOEXEC });
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENODEV")) return undefined;
    throw error;
  }
}

function byDescriptor(fd: number): Directory {
  return new Directory(`/proc/self/fd/${fd}`);
}

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
