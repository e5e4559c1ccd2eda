/**
 * Everything else that is read: each kind of text, mutated, gives a value or one of the errors that are thrown on purpose.
 *
 * @module
 */
import { findHierarchies } from "../../cgroups/hierarchies.ts";
import { commands } from "../../runtime/cli/mod.ts";
import { globalOptions } from "../../runtime/cli/command.ts";
import { parseOptions } from "../../runtime/cli/options.ts";
import { Container } from "../../runtime/container/container.ts";
import { ConfigError, StateError, SyscallError, UsageError } from "../../runtime/errors.ts";
import { parseLimits } from "../../runtime/host/limits.ts";
import { parseMountinfo } from "../../runtime/host/mountinfo.ts";
import { parseProcess, parseResources } from "../../runtime/spec/parse.ts";
import { compileSeccomp } from "../../wasm/mod.ts";
import { mutate, mutateText } from "./mutate.ts";
import type { Random } from "./random.ts";

const GOLDEN = new URL("../golden/", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, GOLDEN));

const configs = [...Deno.readDirSync(GOLDEN)].map(({ name }) => name).filter((name) => name !== "exec").sort()
  .map((name) => JSON.parse(read(`${name}/config.json`)));
const processes = [...Deno.readDirSync(new URL("exec/", GOLDEN))].map(({ name }) =>
  JSON.parse(read(`exec/${name}`))
);
const policies = configs.flatMap(({ linux }) => linux?.seccomp ? [linux.seccomp] : []);
const resources = configs.flatMap(({ linux }) => linux?.resources ? [linux.resources] : []);
const states = [{
  id: "c",
  pid: 1,
  startTime: 5,
  records: 100,
  bundle: "/bundle",
  rootfs: "/bundle/rootfs",
  created: "2026-11-23T00:00:00Z",
  owner: 0,
  cgroupPaths: { devices: "/sys/fs/cgroup/devices/hako-fuzz", "": "/sys/fs/cgroup/unified/hako-fuzz" },
}];

/** Words of command lines, the options of all commands among them. */
const WORDS = [
  ...Object.values(commands).flatMap(({ options }) =>
    Object.keys(options).flatMap((name) => [`--${name}`, `-${name}=1`])
  ),
  ...[
    "",
    "-",
    "--",
    "---",
    "=",
    "--=",
    "-x",
    "--root",
    "c1",
    "-1",
    "1e9",
    "\0",
    "-\n",
    "--env=A",
    "99999999999999999999",
    "%s",
    "☃",
  ],
];

function mutated(corpus: readonly unknown[], random: Random): string {
  const value = structuredClone(random.pick(corpus));
  for (let times = random.pick([1, 1, 2, 4]); times > 0; times--) mutate(value, corpus, random);
  return mutateText(JSON.stringify(value), random);
}

/** Lines of a file of /proc as no kernel writes them. */
function mutatedLines(text: string, random: Random): string {
  let changed = text;
  for (let times = random.pick([1, 2, 8]); times > 0; times--) {
    const at = random.below(changed.length + 1);
    const piece = random.pick([
      "\n",
      " ",
      " - ",
      ":",
      "\\040",
      "\\999",
      "\0",
      ",",
      "18446744073709551616",
      "",
      "x".repeat(9000),
    ]);
    changed = changed.slice(0, at) + piece + changed.slice(at + random.below(20));
  }
  return changed;
}

/** By name: reads one input, and does with it what the runtime does. @returns the input, for the report of a failure */
export const INPUTS: Readonly<Record<string, (random: Random, directory: string) => [string, () => void]>> = {
  "process.json": (random) => input(mutated(processes, random), parseProcess),
  "resources": (random) => input(mutated(resources, random), parseResources),
  "seccomp policy": (random) => input(mutated(policies, random), (text) => compilePolicy(JSON.parse(text))),
  "state.json": (random, directory) =>
    input(mutated(states, random), (text) => {
      Deno.mkdirSync(`${directory}/c`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/c/state.json`, text);
      // All that is done before anything is changed.
      Container.load(directory, "c").status();
    }),
  "mountinfo": (random) => input(mutatedLines(proc("mountinfo"), random), parseMountinfo),
  "cgroups": (random) =>
    input(
      mutatedLines(proc("mountinfo"), random),
      (text) => findHierarchies(text, mutatedLines(proc("cgroup"), random)),
    ),
  "limits": (random) => input(mutatedLines(proc("limits"), random), parseLimits),
  "command line": (random) => {
    const words = Array.from({ length: random.below(8) }, () => random.pick(WORDS));
    const table = random.pick([globalOptions, ...Object.values(commands).map(({ options }) => options)]);
    return [
      JSON.stringify(words),
      () => void parseOptions(table, words, { stopAtPositional: random.once(2) }),
    ];
  },
};

function input(text: string, use: (text: string) => unknown): [string, () => void] {
  return [text, () => void use(text)];
}

function proc(name: string): string {
  return Deno.readTextFileSync(`/proc/self/${name}`);
}

/** As the runtime does: what the compiler says of a policy has a pointer. */
function compilePolicy(policy: unknown): void {
  try {
    compileSeccomp(policy, { native: "x86_64" });
  } catch (error) {
    if (!(error instanceof Error && "pointer" in error)) throw error;
  }
}

/** Whether the error is one that `main.ts` prints as one line. */
export function isOnPurpose(error: unknown): boolean {
  if (error instanceof Error && "code" in error) return true;
  const ours = [ConfigError, StateError, SyscallError, UsageError].some((one) => error instanceof one);
  return ours || error instanceof SyntaxError && error.message.includes("JSON");
}

/** No input may take longer. */
export const LIMIT_MILLISECONDS = 5000;

/** Tries one input. @throws with the input, if it is a bug */
export function tryInput(kind: string, random: Random, directory: string): "value" | "error" {
  const [text, use] = INPUTS[kind]!(random, directory);
  const start = performance.now();
  let outcome: "value" | "error" = "value";
  try {
    use();
  } catch (error) {
    if (!isOnPurpose(error) || kind === "state.json" && error instanceof SyntaxError) {
      throw new Error(`${kind}: ${text.slice(0, 2000)}`, { cause: error });
    }
    outcome = "error";
  }
  const took = performance.now() - start;
  if (took > LIMIT_MILLISECONDS) throw new Error(`${kind} took ${took} ms: ${text.slice(0, 2000)}`);
  return outcome;
}
