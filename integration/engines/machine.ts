/**
 * The private machine that `start` has made: where things are, what it can do, and what is left on it.
 *
 * @module
 */
import { makeRootfs } from "../support/bundle.ts";
import { exists } from "../support/files.ts";
import { type Result, run, type Surroundings } from "../support/hako.ts";
import { until } from "./suite.ts";

/** The directory of everything. Its last part is the name of all that has to be told from other people's. */
export const BOX: string = Deno.env.get("BOX")!;
export const ID: string = BOX.split("/").at(-1)!;

/** No HOME, no TMPDIR: what a service manager gives. And what Debian's packages have installed, nothing else. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
};

/** What is tested: "hako", "runc" or "crun". */
export const RUNTIME: string = Deno.env.get("RUNTIME")!;
export const RUNTIME_PATH: string = runtimePath();

function runtimePath(): string {
  if (RUNTIME === "hako") return Deno.env.get("HAKO")!;
  const found = programPath(RUNTIME);
  if (found === undefined) throw new Error(`no ${RUNTIME}`);
  return found;
}

/** Where a program of Debian's packages is, if it is. */
export function programPath(name: string): string | undefined {
  return ENVIRONMENT.PATH!.split(":").map((folder) => `${folder}/${name}`).find((path) => exists(path));
}

/** Runs a command to its end, in an environment of PATH alone. It is given `seconds`. */
export type Command = (...words: readonly string[]) => Promise<Result>;

/** A {@linkcode Command} that begins with `words`. */
export function command(...words: readonly string[]): Command {
  return (...rest) => run(isolated([...words, ...rest]));
}

/** The same with more than words. */
export function runWith(words: readonly string[], surroundings: Surroundings): Promise<Result> {
  return run(isolated(words), surroundings);
}

/** The words of a command with {@linkcode ENVIRONMENT} that ends in time. */
export function isolated(words: readonly string[]): string[] {
  const environment = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return ["env", "-i", ...environment, "timeout", "--foreground", "--kill-after=2", "25", ...words];
}

/** Starts a program that goes on until the machine ends. Its output goes to a file, whose end is part of an error. */
export async function startDaemon(
  words: readonly string[],
  ready: () => Promise<Result>,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const log = `${BOX}/${words[0]}.log`;
  const [program, ...args] = ["sh", "-c", 'exec "$@" >"$0" 2>&1 </dev/null', log, ...words];
  const daemon = new Deno.Command(program!, {
    args,
    clearEnv: true,
    env: { ...ENVIRONMENT, ...environment },
    stdin: "null",
  }).spawn();
  let status: number | undefined;
  void daemon.status.then(({ code }) => status = code);
  try {
    await until(`${words[0]} to answer`, async () => {
      const answer = await ready();
      if (answer.status !== 0 && status === undefined) throw new Error(answer.stderr);
      return true;
    });
    if (status !== undefined) throw new Error(`${words[0]} has ended with ${status}`);
  } catch (error) {
    throw new Error(`${error}\n${Deno.readTextFileSync(log).split("\n").slice(-20).join("\n")}`);
  }
}

/** An archive of a root filesystem of busybox, and a few files for what goes wrong. */
export async function imageArchive(): Promise<string> {
  const archive = `${BOX}/image.tar`;
  if (exists(archive)) return archive;
  const rootfs = `${BOX}/rootfs`;
  makeRootfs(rootfs);
  Deno.writeTextFileSync(`${rootfs}/etc/notes`, "not a program\n", { mode: 0o644 });
  Deno.writeTextFileSync(`${rootfs}/bin/badformat`, "neither ELF nor a script\n", { mode: 0o755 });
  Deno.writeTextFileSync(`${rootfs}/bin/nointerpreter`, "#!/bin/absent\n", { mode: 0o755 });
  const { status, stderr } = await run(["tar", "-C", rootfs, "-cf", archive, "."]);
  if (status !== 0) throw new Error(stderr);
  return archive;
}

/** Our capabilities, as a mask. */
const HELD = BigInt(`0x${/^CapPrm:\t(.*)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]}`);

/** The reason not to try what needs all capabilities, as `--privileged` does. */
export const UNPRIVILEGED: string | undefined = (HELD & (1n << 24n)) === 0n
  ? "this machine lacks CAP_SYS_RESOURCE"
  : undefined;

/** A script that prints a file of the container's own cgroup, by its name in cgroup v1 or else in v2. */
export function printLimit(v1: string, v2: string): string {
  return `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;
}

/** Command lines of the machine's processes that match `pattern`. Dead ones do not count. */
export function processes(pattern: RegExp): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).flatMap(({ name }) => {
    try {
      return [Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim()];
    } catch {
      return []; // It has just ended.
    }
  }).filter((line) => line !== "" && pattern.test(line));
}

/** Waits until no such process is left. */
export async function ended(pattern: RegExp): Promise<void> {
  await until(`the end of ${pattern}`, () => {
    const left = processes(pattern);
    if (left.length > 0) throw new Error(left.join("\n"));
    return true;
  });
}

/** The ends of veth pairs, which engines make for containers. In /sys/class/net are those of the host. */
export function pairs(): string[] {
  return Deno.readTextFileSync("/proc/net/dev").match(/\bveth\w+/g) ?? [];
}

/** All paths below `directory`, with those matching `pattern` only. */
export function find(directory: string, pattern: RegExp): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(path)];
    } catch {
      return;
    }
    for (const { name, isDirectory } of entries) {
      const child = `${path}/${name}`;
      if (pattern.test(child)) found.push(child);
      if (isDirectory) visit(child);
    }
  };
  visit(directory);
  return found;
}
