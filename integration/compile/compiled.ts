/** Compiled containers of tests. @module */
import { assertEquals } from "@std/assert";
import type { Box, RunOptions } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";

export interface CompileOptions extends RunOptions {
  /** Of `compile`. */
  readonly compile?: readonly string[];
  /** Of the executable. */
  readonly given?: readonly string[];
}

/** Compiles the container, named after the box, and gives the path of the executable. */
export async function compile(box: Box, options: CompileOptions = {}): Promise<string> {
  const output = `${box.directory}/${box.id}`;
  const words = [
    "compile",
    "--bundle",
    box.bundle(options).path,
    "--output",
    output,
    ...options.compile ?? [],
  ];
  const { status, stdout, stderr } = await run([...HAKO, ...words]);
  assertEquals({ status, stdout, stderr: withoutWarnings(stderr) }, { status: 0, stdout: "", stderr: "" });
  return output;
}

/** Root may have less than all rights here. */
export function withoutWarnings(text: string): string {
  return text.replaceAll(/^hako: warning: .*\n/gm, "");
}

export async function compileAndRun(box: Box, options: CompileOptions = {}): Promise<Result> {
  return await run([...options.under ?? [], await compile(box, options), ...options.given ?? []], options);
}

export function groupsOf(box: Box): string[] {
  const found: string[] = [];
  for (const { name: hierarchy } of Deno.readDirSync("/sys/fs/cgroup")) {
    try {
      for (const { name } of Deno.readDirSync(`/sys/fs/cgroup/${hierarchy}`)) {
        if (name.startsWith(box.id)) found.push(`${hierarchy}/${name}`);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    }
  }
  return found;
}
