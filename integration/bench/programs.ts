/** Commands of the benchmarks, and the test programs in C of this folder. @module */
import { engineConfig } from "../support/bundle.ts";
import { compileFilter } from "../../runtime/container/filter.ts";
import type { Machine } from "./benchmark.ts";

/** Whether `program` is in PATH. */
export function isInstalled(program: string): boolean {
  const { success } = new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
    .outputSync();
  return success;
}

/** Runs a script that has to succeed. @returns its stdout */
export function sh(script: string, under: readonly string[] = []): string {
  const [program, ...args] = [...under, "sh", "-c", script];
  const { success, stdout, stderr } = new Deno.Command(program!, { args, stdin: "null" }).outputSync();
  if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Builds NAME.c. @returns the program's path */
export function build(name: string, { box }: Machine): string {
  const program = `${box.directory}/${name}`;
  sh(`gcc -O2 -static -o ${program} ${import.meta.dirname}/${name}.c`);
  return program;
}

/** Each runtime with a root of its own, ready for a command: "runc --root /tmp/…". */
export function runtimeCommands({ runtimes, box }: Machine): Record<string, string> {
  return Object.fromEntries(
    Object.entries(runtimes).map(([name, path]) => [name, `${path} --root ${box.directory}/state-${name}`]),
  );
}

/** Makes `make(command, name)` of each runtime's command. */
export function forEachRuntime<T>(
  machine: Machine,
  make: (command: string, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(runtimeCommands(machine)).map(([name, command]) => [name, make(command, name)]),
  );
}

/** The configs that containers are measured with: what `spec` writes, and Docker's default. */
export type ConfigName = "bare" | "docker";

/** Makes a bundle. @returns its path */
export function makeBundle(
  { box }: Machine,
  name: ConfigName,
  args: readonly string[] = ["/bin/true"],
  { filtered = true } = {},
): string {
  // crun 1.8 knows no later version of the specification.
  const ociVersion = "1.0.2";
  // In the cgroup of its id: many run at once. The hook is for the engine's own network.
  const docker = {
    ociVersion,
    hooks: null,
    linux: { cgroupsPath: null, ...(!filtered && { seccomp: null }) },
  };
  return box.bundle(
    name === "bare" ? { args, config: { ociVersion } } : { args, golden: "docker-default", config: docker },
  ).path;
}

/** Docker's seccomp filter as a program, in a file. @returns its path */
export async function dockerFilter({ box }: Machine): Promise<string> {
  const path = `${box.directory}/filter`;
  Deno.writeFileSync(path, (await compileFilter(engineConfig("docker-default")))!.program);
  return path;
}
