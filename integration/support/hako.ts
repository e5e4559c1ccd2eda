/**
 * Runs Hako, and whatever it is compared with, as a user does: by its command line.
 *
 * @module
 */
import { killWithOrphans } from "./children.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * The command: what the environment variable HAKO names, else dist/hako if no source is newer than it, else the sources.
 */
export const HAKO: readonly string[] = findHako();

function findHako(): string[] {
  const given = Deno.env.get("HAKO");
  if (given) return [given];
  const built = `${ROOT}dist/hako`;
  if (modified(built) >= newest(`${ROOT}runtime`, modified(`${ROOT}main.ts`))) return [built];
  return [Deno.execPath(), "run", "--quiet", "-A", "--config", `${ROOT}deno.json`, `${ROOT}main.ts`];
}

function modified(path: string): number {
  try {
    return Deno.statSync(path).mtime!.getTime();
  } catch {
    return 0;
  }
}

function newest(directory: string, least: number): number {
  let latest = least;
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    latest = Math.max(latest, isDirectory ? newest(path, 0) : modified(path));
  }
  return latest;
}

/** What a command gets beside its arguments. */
export interface Surroundings {
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** Beside the caller's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a command ended. */
export interface Result {
  /** The exit code, or 128 and the signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** No command of a test takes longer, unless it hangs. */
export const TIMEOUT_MILLISECONDS = 30_000;

/** Runs a command to its end. */
export function run(command: readonly string[], surroundings: Surroundings = {}): Promise<Result> {
  return finish(spawn(command, surroundings), surroundings.stdin);
}

/** Waits for the end of a command, and of all that holds its streams. */
export async function finish(child: Deno.ChildProcess, stdin?: Surroundings["stdin"]): Promise<Result> {
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    void killWithOrphans(child);
  }, TIMEOUT_MILLISECONDS);
  try {
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed(child, stdin)]);
    const decoder = new TextDecoder();
    const result = { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    if (hangs) throw new Error(`hangs: ${JSON.stringify(result)}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a command whose output is read and which is waited for. */
export function spawn(command: readonly string[], { stdin, env, cwd }: Surroundings = {}): Deno.ChildProcess {
  const [program, ...args] = command;
  return new Deno.Command(program!, {
    args,
    env,
    cwd,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function feed(child: Deno.ChildProcess, text?: string | Uint8Array<ArrayBuffer>): Promise<void> {
  if (text === undefined) return;
  const writer = child.stdin.getWriter();
  try {
    await writer.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
    await writer.close();
  } catch (error) {
    // It may end without having read all.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
