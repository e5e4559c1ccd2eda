/**
 * A runtime under attack, by its command line: Hako, Hako without one of its protections, or another one.
 *
 * @module
 */
import type { BundleOptions } from "../support/bundle.ts";
import { Box, type RunOptions } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";
import { assertNothingLeft, leaks, snapshot, unmountBelow } from "../support/leaks.ts";
import { SECRET } from "./canary.ts";
import type { Weakness } from "./weaknesses.ts";

export class Target {
  readonly box: Box;
  readonly #runtime: readonly string[];
  /** How often what depends on luck is tried. */
  readonly rounds: number;
  /** What the commands have said on stderr, last of all. */
  said = "";

  constructor(runtime: readonly string[], box: Box, rounds: number) {
    this.#runtime = runtime;
    this.box = box;
    this.rounds = rounds;
  }

  /** Makes a bundle. Its version is one that old runtimes take, too. */
  bundle(options: BundleOptions): { readonly path: string; readonly rootfs: string } {
    const config = { ociVersion: "1.0.2", hostname: "attack", ...options.config };
    return this.box.bundle({ ...options, config });
  }

  /** Runs the container of a bundle to its end. */
  async run(bundle: string, options: RunOptions = {}): Promise<Result> {
    const result = await run(this.box.command(bundle, { ...options, runtime: this.#runtime }));
    this.said = result.stderr.trim() || `status ${result.status}`;
    return result;
  }

  /** Runs another command on the container of {@linkcode Target.beside}. */
  async command(...words: readonly string[]): Promise<Result> {
    const result = await run([...this.#runtime, "--root", this.box.state, ...words]);
    this.said = result.stderr.trim() || `status ${result.status}`;
    return result;
  }

  /** Runs `use` beside a container. Its streams are no pipes of ours, which it would hold open. */
  async beside<T>(options: BundleOptions, use: () => Promise<T>): Promise<T> {
    const { path } = this.bundle(options);
    const detached = ["sh", "-c", '"$@" </dev/null >"$0" 2>&1', `${this.box.directory}/output`];
    const words = [...this.#runtime, "--root", this.box.state, "run", "-d", "-b", path, this.box.id];
    const { status } = await run([...detached, ...words]);
    if (status !== 0) {
      throw new Error(`no container: ${Deno.readTextFileSync(`${this.box.directory}/output`)}`);
    }
    try {
      return await use();
    } finally {
      await run([...this.#runtime, "--root", this.box.state, "delete", "--force", this.box.id]);
    }
  }

  /** A directory of the host that nobody in a container is to see or to change: it holds the file `secret`. */
  treasure(): string {
    const path = `${this.box.directory}/treasure`;
    Deno.mkdirSync(path, { recursive: true });
    Deno.writeTextFileSync(`${path}/secret`, SECRET);
    return path;
  }
}

/** What an attack has reached, or nothing. */
export type Attack = (target: Target) => Promise<string | undefined>;

/** An attack, and what Hako has to be without for it to succeed. */
export interface Known {
  readonly attack: Attack;
  readonly weakness: Weakness;
}

/** The command of Hako without what `weakness` names. */
export function weakHako(bundled: string, weakness: Weakness): string[] {
  const deno = [Deno.execPath(), "run", "--quiet", "--allow-all", "--no-config", "--no-lock", "--ext=js"];
  return ["env", `HAKO_WEAKNESS=${weakness}`, ...deno, bundled];
}

/** The command of the runtime that the environment variable RUNTIME names. */
export function runtimeUnderTest(): { readonly name: string; readonly command: readonly string[] } {
  const name = Deno.env.get("RUNTIME") ?? "hako";
  if (name === "hako") return { name, command: HAKO };
  // A copy, for an attack may overwrite it.
  const directory = Deno.makeTempDirSync({ prefix: "hako-attacked-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  const found = new Deno.Command("sh", { args: ["-c", 'command -v "$0"', name] }).outputSync();
  Deno.copyFileSync(new TextDecoder().decode(found.stdout).trim(), `${directory}/${name}`);
  return { name, command: [`${directory}/${name}`] };
}

/** Attacks in a box of its own. @returns what was reached, and the last words of the runtime */
export async function attackWith(
  runtime: readonly string[],
  attack: Attack,
  { rounds, tidy }: { readonly rounds: number; readonly tidy: boolean },
): Promise<{ readonly reached: string | undefined; readonly said: string }> {
  const box = new Box();
  const before = snapshot(box.id);
  try {
    const target = new Target(runtime, box, rounds);
    const reached = await attack(target);
    // What holds an attack off leaves nothing of it.
    if (tidy) await assertNothingLeft(before, box.id);
    return { reached, said: target.said };
  } finally {
    unmountBelow(box.directory);
    await leaks(before, box.id);
    await box.remove();
  }
}
