/**
 * Where the runtime asks the system for something: all such places by its source, and those that a call has come through
 * by its stack. So it is seen when a new one is led into no fault.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** What crosses the seam that calls.ts intercepts. Of Deno's functions these cannot fail, or end the process. */
const ASKS = String
  .raw`(?<![\w.])(?:trySyscall|syscall|syscallOnThread)\(|\bDeno\.(?!uid\b|gid\b|osRelease\b|dlopen\b|exit\b|(?:add|remove)SignalListener\b)[a-z]\w*\(|\bcall\("posix_spawn(?:attr_init|_file_actions_init|_file_actions_adddup2|_file_actions_addchdir_np)?"`;

/** A line of the source, as `runtime/linux/files.ts:29`. */
export type Site = string;

/** All places, with the text of their lines. */
export function allSites(): ReadonlyMap<Site, string> {
  const sources = new Map([...files("runtime"), ...files("cgroups")].map((path) => [path, read(path)]));
  const wrappers = wrappersIn([...sources].filter(([path]) => isLinux(path)).map(([, text]) => text));
  return new Map(
    [...sources].flatMap(([path, text]) => {
      const asks = calls(wrappers.filter((name) => isLinux(path) || isImported(text, name)));
      return text.split("\n").flatMap((line, index): [Site, string][] =>
        asks.test(line) && !isDeclaration(line) ? [[`${path}:${index + 1}`, line.trim()]] : []
      );
    }),
  );
}

/** Through which lines of the runtime's source the caller was called. */
export function sitesOfStack(): Site[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack!;
  Error.stackTraceLimit = stackTraceLimit;
  return [...stack.matchAll(FRAME)].map(([, site]) => site!);
}

const FRAME = new RegExp(
  `${ROOT.href.replaceAll(".", "\\.")}((?:runtime|cgroups)/[\\w/]+\\.ts:\\d+):\\d+`,
  "g",
);

/** The functions of `runtime/linux` that make a system call, by themselves or through another one. */
function wrappersIn(sources: readonly string[]): string[] {
  const functions = sources.flatMap((text) => text.split(/^(?=(?:export )?(?:async )?function )/m)).flatMap(
    (text) => {
      const found = /^(?:export )?(?:async )?function (\w+)([^]*?\n)}\n/.exec(text);
      return found === null ? [] : [{ name: found[1]!, body: found[2]! }];
    },
  ).filter(({ name }) => !/^(?:try)?syscall/i.test(name));
  const found = new Set<string>();
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const asks = calls([...found]);
    for (const { name, body } of functions) if (asks.test(body)) found.add(name);
  }
  return [...found];
}

/** Finds calls that cross the seam, and those of `wrappers`: by name, or for each of a list. */
function calls(wrappers: readonly string[]): RegExp {
  const names = wrappers.join("|");
  const wrapped = `(?<![\\w.#])(?:${names})\\(|\\.(?:forEach|map)\\((?:${names})\\)`;
  return new RegExp(names === "" ? ASKS : `${ASKS}|${wrapped}`);
}

function isImported(text: string, name: string): boolean {
  return new RegExp(`^import \\{[^}]*\\b${name}\\b[^}]*\\} from "[./]+(?:runtime/)?linux/`, "m").test(text);
}

function isLinux(path: string): boolean {
  return path.startsWith("runtime/linux/");
}

function isDeclaration(line: string): boolean {
  return /^\s*(?:\*|\/[*/]|import\b|(?:export )?(?:async )?function\b)/.test(line) ||
    /^ {2}(?:static |async |get )*[\w#]+\(.*\{$/.test(line);
}

/** Those that commands run: generators of tables are none. */
function* files(directory: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(directory, ROOT))) {
    const path = `${directory}/${name}`;
    if (isDirectory) {
      if (name !== "generated") yield* files(path);
    } else if (name.endsWith(".ts") && !GENERATORS.includes(path) && path !== "runtime/linux/libc.ts") {
      yield path;
    }
  }
}

const GENERATORS = ["runtime/linux/generate.ts", "runtime/init/assemble.ts"];

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
