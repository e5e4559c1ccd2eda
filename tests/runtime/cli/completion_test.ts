import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../runtime/errors.ts";
import { type Command, globalOptions, runCommand } from "../../../runtime/cli/command.ts";
import { commands } from "../../../runtime/cli/mod.ts";
import { parseOptions } from "../../../runtime/cli/options.ts";

function script(shell: string): string {
  let printed = "";
  const { options: global } = parseOptions(globalOptions, []);
  runCommand({ global, commands, print: (text) => printed += text }, "completion", [shell]);
  return printed;
}

/** Runs `program` in `shell`; undefined if the shell is not installed. */
function shell(name: string, ...args: string[]): string | undefined {
  try {
    const { stdout, stderr } = new Deno.Command(name, { args, cwd: "/etc" }).outputSync();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("every command and option is completed in every shell", () => {
  for (const name of ["bash", "zsh", "fish"]) {
    const text = script(name);
    for (const command of Object.values<Command>(commands)) {
      assertStringIncludes(text, command.name);
      for (const option of Object.keys({ ...globalOptions, ...command.options })) {
        assertStringIncludes(text, option);
      }
    }
  }
});

Deno.test("another shell is refused", () => {
  const error = assertThrows(() => script("csh"), UsageError);
  assertEquals(error.message, "no completions for csh, allowed: bash, fish, zsh");
});

const words: [line: string[], completions: string[]][] = [
  [["hako", "ru"], ["run"]],
  [["hako", "--root", "/x", "sp"], ["spec"]],
  [["hako", "--debug", "sp"], ["spec"]],
  [["hako", "--log-format", ""], ["text", "json"]],
  [["hako", "--log-format", "x"], []],
  [["hako", "run", "--no-"], ["--no-pivot", "--no-new-keyring", "--no-subreaper"]],
  [["hako", "run", "-b", "/us"], ["/usr"]],
  [["hako", "run", "--preserve-fds", ""], []],
  [["hako", "explain", "--host", "passw"], ["passwd"]],
  [["hako", "completion", "z"], ["zsh"]],
];

for (const [line, expected] of words) {
  Deno.test(`bash completes "${line.join(" ")}"`, () => {
    const program = `${script("bash")}
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _hako; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = shell("bash", "-c", program, "-", ...line);
    assert(output !== undefined, "bash is not installed");
    assertEquals(output.split("\n").filter((word) => word !== "" && !word.endsWith("-")), expected);
  });
}

const missing = ["fish", "zsh"].find((name) => shell(name, "--version") === undefined);

Deno.test({
  name: `fish and zsh can read theirs${missing === undefined ? "" : ` (skipped: no ${missing})`}`,
  ignore: missing !== undefined,
  fn() {
    for (const name of ["fish", "zsh"]) {
      const file = Deno.makeTempFileSync();
      Deno.writeTextFileSync(file, script(name));
      assertEquals(shell(name, "-n", file), "");
      Deno.removeSync(file);
    }
    const line = `${script("fish")}\ncomplete -C "hako --root /x ru"`;
    assertEquals(shell("fish", "-c", line)?.split("\t")[0], "run");
  },
});
