/**
 * `deno task build [DIR]` makes a Hako that stands on its own in `dist/`, or in DIR: it needs no npm cache, PATH, HOME
 * or network. It knows its own place, so build it where it is to stay.
 *
 * - `hako`: the program, a snapshot of a Deno that has started and has loaded it (`runtime/snapshot`). Where there can be
 *   none it is a link to the next one
 * - `hako.js`: the commands that engines give, as one executable script, which starts Deno
 * - `main.js`: all commands; `seccomp.js`, `bpf.js`: what few of them need; `snapshot.js`: what the snapshot is taken of
 * - `deno`: the Deno that runs this, linked or copied
 * - `cache`: V8's code cache for the scripts
 * - `share`: the manual page and the completions of shells
 * - `warm-up`: makes `hako` and the cache, on the machine where they are used
 *
 * `deno task build --no-snapshot [DIR]` takes no snapshot. `--prelink` has a copy of Deno that is relocated ahead
 * (`prelink.ts`): the script starts sooner, always at the same address.
 *
 * `deno task compile [DIR]` makes one file of it, where Deno's `denort` can be had.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { FORGOTTEN } from "./environment.ts";
import { refuseForeign, refuseWritable, VARIABLES, withParents } from "./place.ts";
import { prelink, randomBase } from "./prelink.ts";
import { manual } from "./runtime/cli/manual.ts";

const MAIN = `${import.meta.dirname}/main.ts`;
const ENGINE = `${import.meta.dirname}/runtime/cli/engine.ts`;
const SNAPSHOT = `${import.meta.dirname}/runtime/cli/snapshot.ts`;

/**
 * What is imported when it is needed, by a specifier that is the same wherever it is: its module, and its file in dist/.
 * All that is in `hako.js` takes time at the start of every command, about a millisecond for 30 kB.
 */
const SEPARATE = [
  { specifier: "../../wasm/mod.ts", module: `${import.meta.dirname}/wasm/mod.ts`, file: "seccomp.js" },
  { specifier: "../../wasm/tool.ts", module: `${import.meta.dirname}/wasm/tool.ts`, file: "bpf.js" },
  { specifier: "../../main.ts", module: MAIN, file: "main.js" },
] as const;

/** For V8, together a quarter of the time that a command takes. */
const COMMON_V8_FLAGS = [
  // Every function is compiled for the code cache, not at its first call in every run.
  "--no-lazy",
  // Likewise the positions that an Error's stack needs: else the first Error, even if caught, parses everything again.
  "--no-enable-lazy-source-positions",
  // Room for all that a command allocates: no garbage is collected. In MB; only what is used costs memory.
  "--min-semi-space-size=16",
  // No threads to start.
  "--single-threaded",
  // A command is over before optimized code has paid for its making.
  "--no-maglev",
  "--no-opt",
];

/** For the script. The code cache holds for these flags only, so the warm-up run and all later ones have the same. */
const V8_FLAGS = [
  ...COMMON_V8_FLAGS,
  // The cache has bytecode alone.
  "--no-sparkplug",
];

/** For a process that a snapshot is taken of. It does without the caches of Deno, which have threads and files of their own. */
const SNAPSHOT_V8_FLAGS = [
  ...COMMON_V8_FLAGS,
  // Every function is compiled to machine code before: a twentieth of a run's time. None is given up for its age.
  "--always-sparkplug",
  "--no-flush-bytecode",
  // What is garbage then would be a part of it.
  "--expose-gc",
  // They are the kernel's, pkeys(7), and not there in another process.
  "--no-memory-protection-keys",
];

/** For Deno. */
const COMMON_ENVIRONMENT = {
  // It asks the network, once a day, and tells on stderr.
  DENO_NO_UPDATE_CHECK: "1",
  // It puts a `node` of Deno's into PATH where there is none.
  DENO_DISABLE_NODE_SHIM: "1",
};

const SNAPSHOT_ENVIRONMENT = {
  ...COMMON_ENVIRONMENT,
  DENO_DIR: "/dev/null/none",
  GLIBC_TUNABLES: [
    // One heap.
    "glibc.malloc.arena_max=1",
    // It never shrinks. What brk(2) has given to the process is a mapping like others in a snapshot, whose own break is
    // elsewhere: free(3) would take the distance of both for what it has given back.
    `glibc.malloc.trim_threshold=${2 ** 40}`,
    // No memory that the kernel knows of as a thread's: rseq(2).
    "glibc.pthread.rseq=0",
  ].join(":"),
};

/**
 * For malloc(3), a twentieth of the time that a command takes: half of its page faults are malloc's, and where the kernel
 * allows it (madvise or always in /sys/kernel/mm/transparent_hugepage/enabled) one fault maps 2 MB. It needs one heap,
 * which grows by steps of that size, for all threads and large blocks. A glibc before 2.35, or another libc, ignores them.
 */
const GLIBC_TUNABLES = [
  "glibc.malloc.hugetlb=1",
  "glibc.malloc.arena_max=1",
  `glibc.malloc.mmap_threshold=${32 << 20}`,
  `glibc.malloc.top_pad=${8 << 20}`,
];

/** Options of `deno run`. */
const OPTIONS = [
  "--allow-all",
  // Nobody who can write above dist/ has a say: Deno looks for deno.json and package.json up to the root.
  "--no-config",
  "--no-lock",
  "--no-npm",
  "--no-remote",
];
/** The same for a script. */
export const FLAGS = [...OPTIONS, `--v8-flags=${V8_FLAGS.join()}`];

/** How Deno is started for a process that a snapshot is taken of. The script follows. */
export function snapshotCommand(deno: string) {
  const flags = [...OPTIONS, "--no-code-cache", `--v8-flags=${SNAPSHOT_V8_FLAGS.join()}`];
  return { env: SNAPSHOT_ENVIRONMENT, command: [deno, "run", "--quiet", ...flags] };
}

function environment(dist: string): Record<string, string> {
  return {
    ...COMMON_ENVIRONMENT,
    // Not the caller's, which may be absent or cold, and which under sudo may be a user's to write to: it is code.
    DENO_DIR: `${dist}/cache`,
    GLIBC_TUNABLES: GLIBC_TUNABLES.join(":"),
  };
}

/** How it is built. */
export interface BuildOptions {
  readonly prelinked?: boolean;
  /** Takes ten seconds, for which the threads of a Deno wait that have nothing to do. */
  readonly snapshot?: boolean;
  /** Where it is to be moved to: it can only run there, and its `warm-up` has to. */
  readonly home?: string;
}

/** Makes `dist/` in the folder `directory`. @returns the path of the program */
export function build(
  directory: string,
  { prelinked = false, snapshot = true, home }: BuildOptions = {},
): string {
  Deno.umask(0o022);
  Deno.mkdirSync(directory, { recursive: true });
  const dist = Deno.realPathSync(directory);
  // What is packed must not change meanwhile, as a link does by further links.
  const placeDeno = prelinked ? prelinkDeno : home === undefined ? linkDeno : copyDeno;
  placeDeno(`${dist}/deno`);

  writeModules(dist, { script: "hako.js", firstLines: execLine(home ?? dist) });
  replace(`${dist}/snapshot.js`, deno("bundle", "--quiet", "--minify", SNAPSHOT));
  share(`${dist}/share`);
  replace(`${dist}/warm-up`, warmUp(home ?? dist));
  if (home === undefined) run(`${dist}/warm-up`, ...(snapshot ? [] : ["--no-snapshot"]));
  return `${dist}/hako`;
}

/** Writes the code of the script to `dist`. */
export function writeModules(
  dist: string,
  { script, firstLines }: { readonly script: string; readonly firstLines: string },
): void {
  for (const { module, file } of SEPARATE) replace(`${dist}/${file}`, bundle(module));
  replace(`${dist}/${script}`, firstLines + bundle(ENGINE));
}

/** The manual page and the completions of shells. */
function share(directory: string): void {
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(`${directory}/hako.1`, manual());
  for (const shell of ["bash", "zsh", "fish"]) {
    Deno.writeTextFileSync(
      `${directory}/hako.${shell}`,
      deno("run", "--quiet", ...FLAGS, MAIN, "completion", shell),
    );
  }
}

/** Whoever runs it meanwhile has the old file or the new one. */
function replace(path: string, text: string): void {
  Deno.writeTextFileSync(`${path}.new`, text);
  Deno.chmodSync(`${path}.new`, 0o755);
  Deno.renameSync(`${path}.new`, path);
}

/** `module` with all that it imports but what is separate. */
function bundle(module: string): string {
  const external = SEPARATE.map(({ specifier }) => `--external=${specifier}`);
  let text = deno("bundle", "--quiet", "--minify", ...external, module);
  for (const { specifier, file } of SEPARATE) {
    // No literal: Deno reads at the start whatever a literal names.
    text = text.replaceAll(`import("${specifier}")`, `import(new URL("${file}",import.meta.url).href)`);
  }
  return text;
}

/**
 * The first lines of the script: a command to sh, a string and a comment to JavaScript. A shebang could name Deno itself
 * and would save 0.3 ms, but has room for one option and none for the environment.
 */
function execLine(dist: string): string {
  const files = ["cache", "deno", "hako.js", ...SEPARATE.map(({ file }) => file)].map((name) =>
    `${dist}/${name}`
  );
  const line = `":" //; ${refuseForeign(withParents(files).map(quote))}; ${denoLine(dist, "hako.js")} "$@"`;
  if (/[\n\r\u2028\u2029]/.test(line)) throw new Error(`a line break in the path ${dist}`);
  return `#!/bin/sh\n${line}\n`;
}

/** A program that makes what belongs to one place and one machine. */
function warmUp(dist: string): string {
  const files = ["hako.js", ...SEPARATE.map(({ file }) => file)];
  const cache = `${dist}/cache`;
  const evaluate = `DENO_DIR=${quote(cache)} ${quote(`${dist}/deno`)} eval --no-config --ext=js`;
  return [
    "#!/bin/sh",
    "# Fills V8's code cache, and takes the snapshot: both belong to this place and to this machine's processor.",
    "set -e",
    "umask 022",
    "PATH=/usr/bin:/bin:$PATH",
    "# One at a time: a second one would write to the snapshot that the first has tried.",
    `exec 3<${quote(dist)}`,
    "flock 3",
    `rm -rf ${quote(cache)}`,
    refuseWritable(quote(dist), withParents([dist]).map(quote)),
    ...files.map((file) => `(${denoLine(dist, file)} --warm-up --version) >/dev/null`),
    "# Each start of Deno would recover what the write-ahead log of SQLite holds, a millisecond's work.",
    `${evaluate} ${quote(emptyLogs(cache))}`,
    ...snapshotLines(dist),
    "",
  ].join("\n");
}

/** The lines that make `hako` of dist/: what is there before stays until it has been tried. */
function snapshotLines(dist: string): string[] {
  const [hako, script] = [quote(`${dist}/hako`), quote(`${dist}/hako.js`)];
  const link = [`ln -sf hako.js ${hako}.new`, `mv -f ${hako}.new ${hako}`];
  // Registers and calls of one CPU: runtime/init/resume_x86_64.S.
  if (Deno.build.arch !== "x86_64") return link;
  const { env, command } = snapshotCommand(`${dist}/deno`);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`).join(" ");
  const deno = command.map(quote).join(" ");
  const take = `${deno} ${quote(`${dist}/snapshot.js`)} take ${hako} ${script} ${deno}`;
  return [
    `if [ "$1" != --no-snapshot ] &&`,
    `  env -i ${variables} ${take} &&`,
    `  [ "$(${hako}.new --version)" = "$(${script} --version)" ]`,
    "then",
    `  mv -f ${hako}.new ${hako}`,
    "else",
    `  rm -f ${hako}.new`,
    ...link.map((line) => `  ${line}`),
    "fi",
  ];
}

/** The statements that move all of the logs in `cache` to the databases. */
function emptyLogs(cache: string): string {
  return `import { DatabaseSync } from "node:sqlite";
for (const { name } of Deno.readDirSync(${JSON.stringify(cache)})) {
  if (!/_cache_v[0-9]+$/.test(name)) continue;
  new DatabaseSync(${JSON.stringify(cache)} + "/" + name).exec("PRAGMA wal_checkpoint(TRUNCATE)");
}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command of sh that runs `file` of dist/. */
function denoLine(dist: string, file: string): string {
  const variables = Object.entries(environment(dist)).map(([name, value]) => `${name}=${quote(value)}`);
  // Without --ext, a file that has no extension is TypeScript to Deno, and is transpiled. Without --quiet, it erases a line
  // of the terminal for its progress bar.
  const command = [`${dist}/deno`, "run", "--quiet", ...FLAGS, "--ext=js", `${dist}/${file}`].map(quote);
  // All of it is special built-in utilities: neither PATH nor a function in bash's environment can be meant by them.
  return `unset ${[...VARIABLES, ...FORGOTTEN].join(" ")}; ${variables.join(" ")} exec ${command.join(" ")}`;
}

/** A copy of Deno that starts in four fifths of the time, and which the kernel cannot move. */
function prelinkDeno(path: string): void {
  const file = Deno.readFileSync(Deno.execPath());
  prelink(file, randomBase());
  Deno.writeFileSync(`${path}.new`, file, { mode: 0o755 });
  run(`${path}.new`, "--version");
  Deno.renameSync(`${path}.new`, path);
}

function linkDeno(path: string): void {
  const source = Deno.realPathSync(Deno.execPath());
  if (source === path) return;
  const { uid } = Deno.statSync(source);
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    // Another user's would stay theirs.
    if (uid === Deno.uid()) return Deno.linkSync(source, path);
  } catch {
    // Another file system.
  }
  copyDeno(path);
}

function copyDeno(path: string): void {
  Deno.copyFileSync(Deno.execPath(), path);
}

/** Makes the single executable `directory/hako-single`. */
function compile(directory: string): string {
  const output = `${directory}/hako-single`;
  try {
    deno("compile", "--quiet", ...FLAGS, "--output", output, MAIN);
  } catch (error) {
    throw new Error(
      `deno compile needs the program denort of Deno ${Deno.version.deno} and downloads it. Where it cannot, put its ` +
        `path into DENORT_BIN, or use what \`deno task build\` makes: the same in a folder.\n\n${error}`,
    );
  }
  return output;
}

function deno(...args: string[]): string {
  return run(Deno.execPath(), ...args);
}

/** @returns its stdout */
function run(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${decoder.decode(stderr)}`);
  // Why there is no snapshot, for one.
  Deno.stderr.writeSync(stderr);
  return decoder.decode(stdout);
}

if (import.meta.main) {
  try {
    const { values, positionals: [directory = `${import.meta.dirname}/dist`] } = parseArgs({
      options: {
        "single-file": { type: "boolean" },
        prelink: { type: "boolean" },
        "no-snapshot": { type: "boolean" },
      },
      allowPositionals: true,
    });
    const program = values["single-file"]
      ? compile(directory)
      : build(directory, { prelinked: values.prelink, snapshot: !values["no-snapshot"] });
    console.log(`${program} (${Math.round(Deno.statSync(program).size / 1024)} kB)`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
