/** Hako's commands on the containers of a test, one after the other or many at once. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Box } from "./fixture.ts";
import { HAKO, type Result, run, type Surroundings } from "./hako.ts";

export type Hako = (...args: string[]) => Promise<Result>;

/** Runs commands on the containers of `box`. Into files: a pipe would stay open for as long as a container that has it. */
export function hakoOf(box: Box, global: readonly string[] = [], surroundings: Surroundings = {}): Hako {
  const name = crypto.randomUUID().slice(0, 8);
  let count = 0;
  return async (...args) => {
    const [out, err] = [`${box.directory}/${name}.out${count}`, `${box.directory}/${name}.err${count++}`];
    const command = [...intoFiles(out, err), ...HAKO, "--root", box.state, ...global, ...args];
    const { status } = await run(command, surroundings);
    return { status, stdout: Deno.readTextFileSync(out), stderr: Deno.readTextFileSync(err) };
  };
}

/** A program that is given a command as its arguments and becomes it, with files for streams. */
export function intoFiles(out: string, err: string): string[] {
  return ["sh", "-c", `exec "$@" </dev/null >${out} 2>${err}`, "sh"];
}

/** A command that must succeed. @returns its stdout */
export async function ok(result: Promise<Result>): Promise<string> {
  const { status, stdout, stderr } = await result;
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  return stdout;
}

/** A command that must fail with `status`, saying `words` on one line. */
export async function fails(result: Promise<Result>, words: string, status = 1): Promise<void> {
  const { status: found, stderr } = await result;
  assertStringIncludes(stderr, words);
  assertEquals({ status: found, lines: stderr.trimEnd().split("\n").length }, { status, lines: 1 });
}

export async function statusOf(hako: Hako, id: string): Promise<string> {
  return JSON.parse(await ok(hako("state", id))).status;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 200) throw new Error("it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
