/** The library's sandboxes, and what tells of processes killed for want of memory. @module */
import { locateCgroup, openCgroup, watchOom } from "../../../cgroups/mod.ts";
import { type CommandOutput, Sandbox } from "../../../runtime/mod.ts";
import { exists } from "../../support/files.ts";
import type { GoldenBundle } from "../golden.ts";
import type { Scenario } from "../scenarios.ts";

const ROOT = "/run/hako-sandbox";
const STATE = `${ROOT}/state`;
const BUNDLES = `${ROOT}/bundles`;

/** Where the cgroups of sandboxes are. */
const CGROUPS = [...new Set(Object.values(locateCgroup({ id: "sandbox-" }).paths))]
  .map((path) => path.slice(0, path.lastIndexOf("/")));

/** What programs have left that were killed: a sandbox, and a bundle that had not become one. */
const DEAD = "sandbox-dead";
const UNFINISHED = "sandbox-unfinished";

/** Without faults: what is done in the place of the kernel, or of another program. */
const { mkdirSync, openSync, readDirSync, readTextFileSync, removeSync, utimeSync, writeTextFileSync } = Deno;

export function sandboxes({ id, path }: GoldenBundle): Scenario[] {
  return [
    made(),
    used("its programs have streams", useStreams),
    used("files go in and out of a sandbox", useFiles),
    ...watched(id, path),
  ];
}

/** With what is left of others. */
function made(): Scenario {
  let sandbox: Sandbox | undefined;
  let left: string[] = [];
  return {
    name: "a sandbox is made",
    async prepare() {
      await leaveDead();
      return {};
    },
    async act() {
      left = [];
      sandbox = await Sandbox.create();
      await dispose(sandbox);
      left = [STATE, BUNDLES].flatMap(namesIn).filter(isOfOthers);
    },
    output: () => left.join(),
    async after(_, { twice }) {
      if (twice) await sandbox?.[Symbol.asyncDispose]();
      return twice ? [] : leftOfSandboxes().filter((one) => !isOfOthers(one));
    },
    async finish() {
      sandbox = undefined;
      await removeLeft();
    },
  };
}

type Use = (sandbox: Sandbox, pending: Promise<unknown>[]) => Promise<string>;

/** What is done with a sandbox, and its end. */
function used(name: string, use: Use): Scenario {
  let sandbox: Sandbox;
  let output = "";
  return {
    name,
    async prepare() {
      sandbox = await Sandbox.create();
      return {};
    },
    async act() {
      const pending: Promise<unknown>[] = [];
      try {
        output = await within(use(sandbox, pending));
      } finally {
        await dispose(sandbox);
        // Nobody can be left waiting.
        await within(Promise.allSettled(pending));
      }
    },
    output: () => output,
    async after(_, { twice }) {
      if (twice) await sandbox[Symbol.asyncDispose]();
      return leftOfSandboxes();
    },
    finish: removeLeft,
  };
}

/** What is left when it fails is not there after another try. */
async function dispose(sandbox: Sandbox): Promise<void> {
  try {
    await within(sandbox[Symbol.asyncDispose]());
  } catch (error) {
    await within(sandbox[Symbol.asyncDispose]());
    throw error;
  }
}

const useStreams: Use = async (sandbox, pending) => {
  const words = new Blob(["words"]).stream();
  const cat = sandbox.spawn("cat", { stdin: "piped" });
  pending.push(cat.output(), words.pipeTo(cat.stdin));
  const [{ code, stdout }] = await Promise.all(pending) as [CommandOutput];

  const sleep = sandbox.spawn("sleep", { args: ["600"], stdin: "piped", stderr: "null" });
  await sleep.stdin.abort();
  await sleep.stdout.cancel();
  // Whether the signal comes or not, it ends with the sandbox.
  sleep.kill();
  try {
    sandbox.spawn("nothing");
  } catch (error) {
    if (!`${error}`.includes("executable file not found in $PATH")) throw error;
  }
  return `${code} ${new TextDecoder().decode(stdout)}`;
};

const useFiles: Use = async (sandbox) => {
  await sandbox.writeFile("/tmp/file", "words");
  return await sandbox.readTextFile("/tmp/file");
};

/** The state of a sandbox whose program was killed. */
let dead = "";

async function leaveDead(): Promise<void> {
  if (dead === "") {
    const sandbox = await Sandbox.create();
    const [{ name }] = [...Deno.readDirSync(STATE)] as [Deno.DirEntry];
    dead = readTextFileSync(`${STATE}/${name}/state.json`).replaceAll(name, DEAD);
    await sandbox[Symbol.asyncDispose]();
  }
  mkdirSync(`${STATE}/${DEAD}`);
  writeTextFileSync(`${STATE}/${DEAD}/state.json`, dead);
  for (const id of [DEAD, UNFINISHED]) mkdirSync(`${BUNDLES}/${id}`);
  utimeSync(`${BUNDLES}/${UNFINISHED}`, 0, 0);
}

function isOfOthers(line: string): boolean {
  return line.endsWith(DEAD) || line.endsWith(UNFINISHED);
}

/** What is left can only go with the next sandbox as long as that can know of it. */
function leftOfSandboxes(): string[] {
  return [STATE, BUNDLES, ...CGROUPS].flatMap((directory) =>
    sandboxesIn(directory).map((id) => {
      const isKnown = !CGROUPS.includes(directory) || exists(`${STATE}/${id}`);
      return `${isKnown ? "sandbox" : "what nobody knows of"}: ${directory}/${id}`;
    })
  );
}

function namesIn(directory: string): string[] {
  return [...readDirSync(directory)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
}

function sandboxesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => name.startsWith("sandbox-"));
}

async function removeLeft(): Promise<void> {
  if (leftOfSandboxes().length === 0) return;
  for (const directory of [STATE, BUNDLES]) {
    for (const id of namesIn(directory)) utimeSync(`${directory}/${id}`, 0, 0);
  }
  await (await Sandbox.create())[Symbol.asyncDispose]();
  const left = [...namesIn(STATE), ...namesIn(BUNDLES)];
  if (left.length > 0) throw new Error(`the next sandbox leaves ${left}`);
  // Of two faults.
  for (const directory of CGROUPS) sandboxesIn(directory).forEach((id) => removeSync(`${directory}/${id}`));
}

/** As both hierarchies tell of it. What cgroup v2 has here is a directory with its files: there the memory need not be. */
function watched(id: string, directory: string): Scenario[] {
  const { memory } = locateCgroup({ id: `${id}-watched` }).paths;
  const unified = `${directory}/cgroup`;
  mkdirSync(unified);
  return [
    ...memory === undefined ? [] : [watch("memory", memory, {
      prepare: () => mkdirSync(memory),
      act: [() => removeSync(memory)],
      finish: () => exists(memory) && removeSync(memory),
    })],
    watch("", unified, {
      prepare() {
        writeTextFileSync(`${unified}/memory.events`, "oom_kill 0");
        writeTextFileSync(`${unified}/cgroup.events`, "populated 1");
      },
      act: [
        () => replace(`${unified}/memory.events`, "oom_kill 1"),
        () => replace(`${unified}/cgroup.events`, "populated 0"),
      ],
      finish() {},
    }),
  ];
}

interface Watched {
  prepare(): void;
  /** What happens to the cgroup, one thing after the other. The last is its end. */
  readonly act: readonly (() => void)[];
  finish(): void;
}

function watch(hierarchy: string, path: string, { prepare, act, finish }: Watched): Scenario {
  let output = "";
  return {
    name: `a cgroup is watched, hierarchy "${hierarchy}"`,
    prepare() {
      prepare();
      return {};
    },
    async act() {
      output = "";
      const events = watchOom(openCgroup({ [hierarchy]: path }, { rootless: false }));
      for (const happens of act) {
        const next = events.next();
        happens();
        output += (await within(next)).done ? "end" : "event ";
      }
    },
    output: () => output,
    finish,
  };
}

/** In one piece: no reader sees an empty file. */
function replace(path: string, text: string): void {
  using file = openSync(path, { write: true });
  file.writeSync(new TextEncoder().encode(text));
}

const LIMIT_MILLISECONDS = 5000;

/** Nothing may be waited for that never comes. */
async function within<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("it never ends")), LIMIT_MILLISECONDS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
