/**
 * Tests that run containers: each has a directory of its own, and has to leave nothing behind.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../runtime/spec/config.ts";
import { type BundleOptions, makeBundle } from "./bundle.ts";
import { HAKO, type Result, run, type Surroundings } from "./hako.ts";
import { assertNothingLeft, leaks, removeCgroups, snapshot, unmountBelow } from "./leaks.ts";

/** A container to run: its bundle, and the command line. */
export interface RunOptions extends BundleOptions, Surroundings {
  /** Options of `run`, and those before it. */
  readonly options?: readonly string[];
  readonly global?: readonly string[];
  /** Instead of one of the box's own. */
  readonly id?: string;
  /** A program that is given the command as its arguments: `["unshare", "--mount"]`. */
  readonly under?: readonly string[];
  /** Another runtime than Hako. */
  readonly runtime?: readonly string[];
}

/** Where a test puts its things. */
export class Box {
  /** Also part of the names of all its containers. */
  readonly id = `hako-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly directory: string = `${temporary()}/${this.id}`;
  #count = 0;

  constructor() {
    // Open to all, as an engine's storage is: a user namespace has to get through.
    Deno.mkdirSync(this.directory, { mode: 0o755 });
  }

  /** Makes a bundle. */
  bundle(
    options: BundleOptions = {},
  ): { readonly path: string; readonly rootfs: string; readonly config: Config } {
    const path = `${this.directory}/bundle${this.#count++}`;
    Deno.mkdirSync(path, { mode: 0o755 });
    return { path, rootfs: `${path}/rootfs`, config: makeBundle(path, options) };
  }

  /** The words of a command that runs the container of `bundle`. */
  command(bundle: string, options: RunOptions = {}): string[] {
    const { under = [], runtime = HAKO, global = [], id = `${this.id}-${this.#count++}` } = options;
    const root = ["--root", this.state];
    return [
      ...under,
      ...runtime,
      ...root,
      ...global,
      "run",
      "--bundle",
      bundle,
      ...options.options ?? [],
      id,
    ];
  }

  /** Where the containers of this box are kept. */
  get state(): string {
    return `${this.directory}/state`;
  }

  /** Makes a bundle and runs its container. */
  run(options: RunOptions = {}): Promise<Result> {
    return run(this.command(this.bundle(options).path, options), options);
  }

  /** With what a test that failed, or another runtime, has left of its containers. */
  async remove(): Promise<void> {
    await removeCgroups(this.id);
    unmountBelow(this.directory);
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** The directory for temporary files. */
function temporary(): string {
  return Deno.env.get("TMPDIR") ?? "/tmp";
}

/** Defines a test that needs root, busybox and the programs `needs`. After it nothing may be left of its containers. */
export function containerTest(
  name: string,
  fn: (box: Box) => void | Promise<void>,
  { needs = [], skip }: { readonly needs?: readonly string[]; readonly skip?: string } = {},
): void {
  const reason = skip ?? missing(["/bin/busybox", ...needs]);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    async fn() {
      const box = new Box();
      const before = snapshot(box.id);
      try {
        await fn(box);
        assertEquals(stateOf(box), [], "state is left behind");
        await assertNothingLeft(before, box.id);
      } catch (error) {
        // So that the tests after it do not fail for what this one leaves.
        for (const id of stateOf(box)) await run([...HAKO, "--root", box.state, "delete", "--force", id]);
        await leaks(before, box.id);
        throw error;
      } finally {
        await box.remove();
      }
    },
  });
}

/** What a container is to do. */
export interface Case extends RunOptions {
  /** Without white space at the end; "" if absent. */
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
  readonly status?: number;
}

/** Defines a test for each case. */
export function containerCases(cases: Readonly<Record<string, Case | ((box: Box) => Case)>>): void {
  for (const [name, one] of Object.entries(cases)) {
    containerTest(name, async (box) => {
      const expected = typeof one === "function" ? one(box) : one;
      assertResult(await box.run(expected), expected);
    });
  }
}

/** Compares a result with what a case says. */
export function assertResult(result: Result, { stdout = "", stderr = "", status = 0 }: Case): void {
  const text = (found: string, wanted: string | RegExp) => {
    if (typeof wanted !== "string") assertMatch(found, wanted, JSON.stringify(result));
    return typeof wanted === "string" ? found.trimEnd() : wanted;
  };
  assertEquals(
    { status: result.status, stdout: text(result.stdout, stdout), stderr: text(result.stderr, stderr) },
    { status, stdout, stderr },
  );
}

function missing(files: readonly string[]): string | undefined {
  if (Deno.uid() !== 0) return "needs root";
  return files.filter((file) => !isInstalled(file)).map((file) => `no ${file}`)[0];
}

function isInstalled(program: string): boolean {
  const folders = program.startsWith("/")
    ? [""]
    : (Deno.env.get("PATH") ?? "").split(":").map((path) => `${path}/`);
  return folders.some((folder) => {
    try {
      return Deno.statSync(`${folder}${program}`).isFile;
    } catch {
      return false;
    }
  });
}

function stateOf(box: Box): string[] {
  try {
    return [...Deno.readDirSync(box.state)].map(({ name }) => name);
  } catch (error) {
    assert(error instanceof Deno.errors.NotFound);
    return [];
  }
}

/** For {@linkcode RunOptions.under}: `script` in a mount namespace of its own. `"$@"` is the command. */
export function inMountNamespace(script: string): string[] {
  return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh"];
}

/** For {@linkcode RunOptions.under}: the command behind `script`, in a mount namespace of its own. */
export function afterMounting(script: string): string[] {
  return inMountNamespace(`${script}\nexec "$@"`);
}
