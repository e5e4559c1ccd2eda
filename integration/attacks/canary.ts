/**
 * Files of the host that an image tries to reach, and what has become of them.
 *
 * @module
 */

/** Who gets there finds this. */
export const SECRET = "a secret of the host\n";

export class Canary {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    makeTree(directory);
  }

  /** Everything that a system call could change of it, and of the places where a stray name would appear. */
  state(): string[] {
    return [
      ...fingerprints(this.directory),
      ...["/", "/dev"].flatMap((path) => names(path).map((name) => `${path}: ${name}`)),
    ];
  }

  /** Whether `info` is that of one of its files. */
  has(info: Deno.FileInfo): boolean {
    return fingerprints(this.directory).some((line) => line.startsWith(`${info.dev}:${info.ino} `));
  }
}

/** What links are to reach: `dir`, with the names that a runtime may look for in it, and `file`. */
export function makeTree(directory: string): void {
  for (const name of ["deep/target", "target", "dir", "pts", "shm", "mqueue"]) {
    Deno.mkdirSync(`${directory}/dir/${name}`, { recursive: true, mode: 0o750 });
  }
  for (const name of ["file", "dir/file", "dir/dir/file", "dir/resolv.conf"]) {
    Deno.writeTextFileSync(`${directory}/${name}`, SECRET, { mode: 0o640 });
  }
}

function fingerprints(path: string): string[] {
  const { dev, ino, mode, uid, gid, nlink, size, mtime, ctime, isDirectory, isFile } = Deno.lstatSync(path);
  const times = [mtime, ctime].map((time) => time?.getTime());
  const content = isFile ? Deno.readTextFileSync(path) : "";
  return [
    [`${dev}:${ino}`, path, mode?.toString(8), uid, gid, nlink, size, ...times, content].join(" "),
    ...isDirectory ? names(path).flatMap((name) => fingerprints(`${path}/${name}`)) : [],
  ];
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}
