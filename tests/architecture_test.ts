/**
 * Dependencies point one way, and what costs start-up or touches the system is kept in one place each.
 *
 * A part of the program is a folder or a file; the longest name counts.
 */

import { assert, assertEquals } from "@std/assert";

/** What each part may import beside itself. What is not named here is not part of the program. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["runtime/cli", "runtime/cli/program.ts"],
  // Leaves to it what is none of its own.
  "runtime/cli/engine.ts": ["runtime/cli", "runtime/cli/program.ts", "main.ts"],
  // What dist/hako is made of, and how.
  "runtime/cli/snapshot.ts": [
    "runtime/cli",
    "runtime/cli/program.ts",
    "runtime/cli/rehearse.ts",
    "runtime/snapshot",
    "runtime/host",
    "runtime/linux",
  ],
  "runtime/cli/rehearse.ts": [
    "runtime/cli",
    "runtime/container",
    "runtime/snapshot",
    "runtime/spec",
    "runtime/linux",
    "wasm",
    "runtime/log.ts",
  ],
  "runtime/cli/program.ts": [
    "runtime/cli",
    "runtime/linux",
    "runtime/errors.ts",
    "runtime/log.ts",
    "runtime/log_daemons.ts",
  ],
  "runtime/mod.ts": [
    "runtime/sandbox",
    "runtime/container",
    "runtime/spec",
    "runtime/plan",
    "runtime/init",
    "runtime/host",
    "runtime/linux",
    "runtime/errors.ts",
  ],
  "runtime/sandbox": [
    "runtime/container",
    "runtime/spec",
    "runtime/plan",
    "runtime/linux",
    "runtime/errors.ts",
  ],
  "runtime/cli": [
    "runtime/container",
    "runtime/spec",
    "runtime/plan",
    "runtime/host",
    "runtime/linux",
    "cgroups",
    "wasm",
    "runtime/errors.ts",
    "runtime/log.ts",
  ],
  "runtime/container": [
    "runtime/spec",
    "runtime/plan",
    "runtime/init",
    "runtime/host",
    "runtime/linux",
    "cgroups",
    "wasm",
    "runtime/errors.ts",
    "runtime/log.ts",
  ],
  "runtime/snapshot": ["runtime/plan", "runtime/init", "runtime/linux"],
  "runtime/init": ["runtime/plan", "runtime/linux", "runtime/errors.ts"],
  "runtime/host": ["runtime/plan", "runtime/spec", "runtime/linux", "runtime/errors.ts"],
  "runtime/plan": ["runtime/spec", "runtime/linux/generated", "runtime/errors.ts"],
  "runtime/spec": ["runtime/errors.ts"],
  "runtime/linux": ["runtime/linux/generated", "runtime/errors.ts"],
  "runtime/linux/generated": [],
  "runtime/errors.ts": [],
  "runtime/log.ts": [],
  "runtime/log_daemons.ts": ["runtime/linux", "runtime/log.ts"],
  "cgroups": ["runtime/spec", "runtime/linux", "wasm", "runtime/errors.ts", "runtime/log.ts"],
  "wasm": ["bpf-compiler", "runtime/errors.ts"],
  "bpf-compiler": [],
};

/** What each part may import for its types alone. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  "wasm": ["runtime/spec"],
};

/** Programs of their own, beside what they generate: nothing may import them, and they may print. */
const TOOLS: readonly string[] = [
  "runtime/linux/generate.ts",
  "runtime/init/assemble.ts",
  "bpf-compiler/generate.ts",
  "bpf-compiler/main.ts",
  "wasm/build.ts",
];

/** Texts that only these parts may contain. The prices are those of a command's start. */
const ONLY_IN: readonly { readonly text: RegExp; readonly parts: readonly string[]; readonly why: string }[] =
  [
    { text: /\bdlopen\b|\bUnsafe\w+/, parts: ["runtime/linux"], why: "one place for foreign calls" },
    {
      text: /\bDeno\.exit\b|\bDeno\.stdout\b|\bconsole\./,
      parts: ["runtime/cli/program.ts"],
      why: "one place that prints and exits",
    },
    { text: /\bDeno\.stderr\b/, parts: ["runtime/log.ts"], why: "one place that logs" },
    {
      text: /\bDeno\.makeTemp|\bMath\.random\b|\bcrypto\./,
      parts: ["runtime/cli/snapshot.ts", "runtime/sandbox"],
      why: "the same numbers in every start of a snapshot",
    },
    { text: /\bsetTimeout\b|\bsetInterval\b/, parts: [], why: "13 ms" },
    { text: /\bDeno\.Command\b/, parts: [], why: "8.5 ms" },
    { text: /\bfetch\(/, parts: [], why: "10 ms" },
    {
      text: /\batob\b|\bbtoa\b/,
      parts: ["wasm"],
      why: "2 ms; Uint8Array.fromBase64 is free, but not in Node",
    },
    { text: /\bglobalThis\.process\b|\btypeof process\b/, parts: [], why: "30 ms" },
  ];

const ROOT = new URL("../", import.meta.url);

interface Edge {
  /** Paths from the root of the project, or whole specifiers outside it. */
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** The longest name in MAY_IMPORT that `path` is or lies in. */
function partOf(path: string): string | undefined {
  if (TOOLS.includes(path)) return undefined;
  return Object.keys(MAY_IMPORT)
    .filter((part) => path === part || path.startsWith(`${part}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function forbiddenImports(edges: readonly Edge[]): string[] {
  return edges.filter(({ from, to, typeOnly }) => {
    const [source, target] = [partOf(from), partOf(to)];
    if (source === undefined || target === undefined) return true;
    const allowed = [source, ...MAY_IMPORT[source]!, ...(typeOnly ? MAY_IMPORT_TYPES[source] ?? [] : [])];
    return !allowed.includes(target) && !allowed.includes(target.replace(/\/generated$/, ""));
  }).map(({ from, to }) => `${from} imports ${to}`);
}

function forbiddenTexts(path: string, source: string): string[] {
  const code = source.replaceAll(/\/\*.*?\*\/|(?<=^|\s)\/\/[^\n]*/gs, "");
  const part = partOf(path);
  const found = ONLY_IN.filter(({ text, parts }) => !parts.includes(part ?? "") && text.test(code))
    .map(({ text, why }) => `${path} contains ${text.exec(code)?.[0]} (${why})`);
  // The compiler is for Node and browsers as well.
  if (part === "bpf-compiler" && /\bDeno\b/.test(code)) found.push(`${path} uses Deno`);
  return found;
}

/** Every module of the program, reachable already or not, without tools and without AssemblyScript. */
function sources(): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(path, ROOT))) {
      if (isDirectory && name !== "assembly" && name !== "node_modules") visit(`${path}${name}/`);
      if (name.endsWith(".ts")) found.set(path + name, Deno.readTextFileSync(new URL(path + name, ROOT)));
    }
  };
  for (const folder of ["runtime/", "cgroups/", "wasm/", "bpf-compiler/"]) visit(folder);
  found.set("main.ts", Deno.readTextFileSync(new URL("main.ts", ROOT)));
  for (const tool of TOOLS) found.delete(tool);
  return found;
}

/** All imports among `paths` and of what they import, as Deno resolves them. */
function edges(paths: Iterable<string>): Edge[] {
  const entry = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.writeTextFileSync(entry, Array.from(paths, (path) => `import "${new URL(path, ROOT)}";\n`).join(""));
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", new URL("deno.json", ROOT).pathname, entry],
  }).outputSync();
  Deno.removeSync(entry);

  const { modules }: { modules: InfoModule[] } = JSON.parse(new TextDecoder().decode(stdout));
  const local = (specifier: string) =>
    specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : specifier;
  return modules.filter(({ specifier }) => specifier.startsWith(ROOT.href)).flatMap((module) =>
    (module.dependencies ?? []).map(({ specifier, code, type }) => ({
      from: local(module.specifier),
      to: local(code?.specifier ?? type?.specifier ?? specifier),
      typeOnly: code === undefined,
    }))
  );
}

/** The part of `deno info --json` that is read here. */
interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

Deno.test("no module imports against the direction of the design", () => {
  const found = edges(sources().keys());
  assert(found.length > 20, "deno info has found nothing");
  assertEquals(forbiddenImports(found), []);
});

Deno.test("foreign calls, printing, exiting and what is slow to start are where they may be", () => {
  assertEquals(Array.from(sources()).flatMap(([path, text]) => forbiddenTexts(path, text)), []);
});

const allowed: [from: string, to: string, typeOnly?: true][] = [
  ["main.ts", "runtime/cli/mod.ts"],
  ["runtime/cli/run.ts", "runtime/container/run.ts"],
  ["runtime/plan/mounts.ts", "runtime/plan/node.ts"],
  ["runtime/plan/mounts.ts", "runtime/linux/generated/constants.ts"],
  ["runtime/init/encode.ts", "runtime/linux/generated/errno.ts"],
  ["runtime/host/kernel.ts", "runtime/plan/mounts.ts"],
];

const forbidden: [from: string, to: string, typeOnly?: true][] = [
  ["runtime/plan/mounts.ts", "runtime/linux/files.ts"],
  ["runtime/plan/mounts.ts", "runtime/linux/files.ts", true],
  ["runtime/plan/mounts.ts", "runtime/host/mountinfo.ts"],
  ["runtime/plan/mounts.ts", "runtime/log.ts"],
  ["runtime/host/kernel.ts", "runtime/init/encode.ts"],
  ["runtime/spec/parse.ts", "runtime/plan/node.ts"],
  ["runtime/linux/libc.ts", "runtime/log.ts"],
  ["runtime/linux/libc.ts", "runtime/plan/node.ts"],
  ["runtime/errors.ts", "runtime/log.ts"],
  ["runtime/container/state.ts", "runtime/cli/options.ts"],
  ["runtime/container/state.ts", "main.ts"],
  ["runtime/container/state.ts", "node:fs"],
  ["runtime/container/state.ts", "npm:lodash"],
  ["runtime/container/state.ts", "build.ts"],
  ["runtime/init/encode.ts", "runtime/init/assemble.ts"],
  ["runtime/cli/run.ts", "tests/std/assert.ts"],
  ["bpf-compiler/mod.ts", "runtime/errors.ts"],
];

Deno.test("the rules themselves tell an allowed import from a forbidden one", () => {
  const edge = ([from, to, typeOnly = false]: [string, string, boolean?]): Edge => ({ from, to, typeOnly });
  assertEquals(forbiddenImports(allowed.map(edge)), []);
  assertEquals(forbiddenImports(forbidden.map(edge)), forbidden.map(([from, to]) => `${from} imports ${to}`));
});

Deno.test("the rules themselves see a forbidden text, but not in a comment", () => {
  const count = (path: string, text: string) => forbiddenTexts(path, text).length;
  assertEquals(count("runtime/plan/x.ts", "/** Deno.dlopen */ // console.log()\nconst x = 1;"), 0);
  assertEquals(count("runtime/plan/x.ts", "Deno.dlopen('libc.so.6', {})"), 1);
  assertEquals(count("runtime/linux/libc.ts", "Deno.dlopen('libc.so.6', {})"), 0);
  assertEquals(count("runtime/cli/run.ts", "console.log(1); Deno.exit(1)"), 1);
  assertEquals(count("runtime/cli/program.ts", "Deno.exit(1)"), 0);
  assertEquals(count("runtime/container/x.ts", "setTimeout(f)"), 1);
  assertEquals(count("bpf-compiler/x.ts", "Deno.args"), 1);
});
