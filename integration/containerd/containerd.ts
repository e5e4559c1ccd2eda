/** A containerd of our own, and its client `ctr`. @module */
import { BOX, type Command, command, ID, RUNTIME_PATH, startDaemon } from "../engines/machine.ts";
import { type Check, expect, type Expected } from "../engines/suite.ts";
import { IMAGE, savedImage } from "./image.ts";

/** The words of `ctr`. Its namespace is the parent cgroup of its containers. */
export const CTR: readonly string[] = ["ctr", "--address", `${BOX}/containerd.sock`, "--namespace", ID];

/** Runs `ctr` with these words. */
export const ctr: Command = command(...CTR);

const CONFIG = `version = 2
root = "${BOX}/containerd/root"
state = "${BOX}/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${BOX}/containerd.sock"
[ttrpc]
address = "${BOX}/containerd.sock.ttrpc"
`;

/** Starts the daemon, again if it has ended. */
export async function startDaemonAgain(): Promise<void> {
  await startDaemon(["containerd", "--config", `${BOX}/config.toml`], () => ctr("version"));
}

/** Starts the daemon, and gives it the image. */
export async function startContainerd(): Promise<void> {
  Deno.writeTextFileSync(`${BOX}/config.toml`, CONFIG);
  await startDaemonAgain();
  expect(await ctr("images", "import", await savedImage()));
}

/** Of `ctr run`: the shim, and its option BinaryName. */
const RUNTIME_OPTIONS = ["--runtime", "io.containerd.runc.v2", "--runc-binary", RUNTIME_PATH];

let count = 0;

/** A name that no other container has. */
export function newName(): string {
  return `c${count++}`;
}

/** A container to run. */
export interface RunCase extends Expected {
  /** Of `ctr run`. */
  readonly options?: readonly string[];
  /** The program: a script for sh, or words. */
  readonly script?: string;
  readonly words?: readonly string[];
}

/** The words after `ctr` that run such a container. */
export function runWords(name: string, { options = [], script, words }: RunCase): string[] {
  const program = words ?? (script === undefined ? [] : ["sh", "-c", script]);
  return ["run", ...RUNTIME_OPTIONS, ...options, IMAGE, name, ...program];
}

/** Runs it to its end, and @returns what it has written. */
export async function runContainer(one: RunCase): Promise<string> {
  const name = newName();
  const result = await ctr(...runWords(name, { ...one, options: ["--rm", ...one.options ?? []] }));
  return expect(result, one);
}

/** A check for each. */
export function eachRun(cases: Readonly<Record<string, RunCase>>): Record<string, Check> {
  return Object.fromEntries(
    Object.entries(cases).map(([name, one]) => [name, async () => void await runContainer(one)]),
  );
}

/** Starts a container that goes on, does something with it, and removes it. */
export async function withContainer(
  { script = "exec sleep 1000", ...one }: RunCase,
  use: (name: string) => Promise<void>,
): Promise<void> {
  const name = newName();
  try {
    const options = ["--detach", ...one.options ?? []];
    expect(await ctr(...runWords(name, { ...one, script, options })));
    await use(name);
  } finally {
    await ctr("tasks", "delete", "--force", name);
    await ctr("containers", "delete", name);
  }
}

/** RUNNING, PAUSED or STOPPED, as `ctr tasks list` has it, or undefined without a task. */
export async function taskStatus(name: string): Promise<string | undefined> {
  return new RegExp(`^${name} +\\d+ +(\\w+)`, "m").exec(expect(await ctr("tasks", "list")))?.[1];
}

let execs = 0;

/** Runs another process in it. */
export function execIn(
  name: string,
  options: readonly string[],
  ...words: readonly string[]
): ReturnType<Command> {
  return ctr("tasks", "exec", "--exec-id", `e${execs++}`, ...options, name, ...words);
}
