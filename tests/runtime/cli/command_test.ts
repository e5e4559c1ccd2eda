import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../runtime/errors.ts";
import { type Context, defineCommand, globalOptions, runCommand } from "../../../runtime/cli/command.ts";
import { parseOptions } from "../../../runtime/cli/options.ts";

const { options: global } = parseOptions(globalOptions, []);

/** Runs `args` against two commands, and tells what their actions were given and what was printed. */
function run(...[name = "", ...args]: string[]) {
  let printed = "";
  let seen: Partial<Context> = {};
  const one = defineCommand({
    name: "one",
    summary: "take one argument",
    usage: "[options] ID",
    positionals: { min: 1, max: 1 },
    options: { force: { type: "flag", short: "f", help: "do it at any price" } },
    action(context) {
      const _id: string = context.args[0];
      const _force: boolean = context.options.force;
      seen = context;
      return 7;
    },
  });
  const rest = defineCommand({
    name: "rest",
    summary: "pass arguments on",
    usage: "ID PROGRAM [argument...]",
    positionals: { min: 2 },
    stopAtPositional: true,
    options: {},
    action(context) {
      seen = context;
      return Promise.resolve(0);
    },
  });
  const upTo = defineCommand({ ...one, name: "up-to", positionals: { min: 0, max: 2 }, action: () => 0 });
  const program = {
    global,
    commands: { one, rest, "up-to": upTo },
    print: (text: string) => printed += text,
  };
  return { status: runCommand(program, name, args), seen, printed };
}

Deno.test("a command gets its arguments and options, and gives the exit status", () => {
  const { status, seen } = run("one", "id", "-f");
  assertEquals(status, 7);
  assertEquals(seen.args, ["id"]);
  assertEquals(seen.options, { force: true, help: false });
});

Deno.test("a command that stops at its first argument passes options on", async () => {
  const { status, seen } = run("rest", "id", "ls", "-l", "--help");
  assertEquals(await status, 0);
  assertEquals(seen.args, ["id", "ls", "-l", "--help"]);
});

Deno.test("--help prints the command's help and succeeds, whatever the count of arguments", () => {
  for (const args of [["-h"], ["--help", "a", "b"], ["a", "-help"]]) {
    const { status, printed, seen } = run("one", ...args);
    assertEquals(status, 0);
    assertEquals(seen, {});
    assertEquals(
      printed,
      `Usage: hako one [options] ID

Take one argument.

Options:
  -f, --force  do it at any price
  -h, --help   print this text
`,
    );
  }
});

const refused: [args: string[], message: string][] = [
  [["one"], '"one" requires exactly 1 argument(s)'],
  [["one", "a", "b"], '"one" requires exactly 1 argument(s)'],
  [["rest", "a"], '"rest" requires a minimum of 2 argument(s)'],
  [["up-to", "a", "b", "c"], '"up-to" requires a maximum of 2 argument(s)'],
  [["one", "--nope", "a"], "flag provided but not defined: -nope"],
  [["two"], 'unknown command "two", allowed: one, rest, up-to'],
  [["constructor"], 'unknown command "constructor", allowed: one, rest, up-to'],
];

for (const [args, message] of refused) {
  Deno.test(`hako ${args.join(" ")} is refused`, () => {
    assertEquals(assertThrows(() => run(...args), UsageError).message, message);
  });
}

Deno.test("global options take what callers send", () => {
  const args = [
    "--root",
    "/r",
    "--log=/l",
    "-log-format",
    "json",
    "--rootless=false",
    "--systemd-cgroup",
    "state",
  ];
  const { options, positionals } = parseOptions(globalOptions, [...args, "--root"], {
    stopAtPositional: true,
  });
  assertEquals(positionals, ["state", "--root"]);
  assertEquals([
    options.root,
    options.log,
    options["log-format"],
    options.rootless,
    options["systemd-cgroup"],
  ], [
    "/r",
    "/l",
    "json",
    "false",
    true,
  ]);
  const error = assertThrows(() => parseOptions(globalOptions, ["--log-format", "xml"]), UsageError);
  assertStringIncludes(error.message, "invalid log-format: ");
});
