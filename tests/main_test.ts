import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../runtime/cli/version.ts";
import { OCI_VERSION } from "../runtime/spec/version.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

function hako(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", MAIN, ...args] });
  const { code, stdout, stderr } = command.outputSync();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("--version names the program, the specification and Deno, and says it on stdout alone", () => {
  const { code, stdout, stderr } = hako("--version");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, `hako version ${VERSION}\nspec: ${OCI_VERSION}\ndeno: ${Deno.version.deno}\n`);
});

Deno.test("the version is deno.json's", () => {
  assertEquals(JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url))).version, VERSION);
});

Deno.test("no command, and --help, print the commands", () => {
  const { code, stdout } = hako("--help");
  assertEquals(code, 0);
  assertMatch(stdout, /^Usage: hako \[options\] COMMAND/);
  assertEquals(hako().stdout, stdout);
});

Deno.test("help is --help", () => {
  assertEquals(hako("help"), hako("--help"));
  assertEquals(hako("help", "kill"), hako("kill", "--help"));
  assertMatch(hako("help", "nothing").stderr, /^hako: unknown command "nothing", /);
});

Deno.test("a usage error is one line on stderr and in the log, and exit status 1", () => {
  const log = Deno.makeTempFileSync();
  const { code, stdout, stderr } = hako("--log", log, "--log-format", "json", "run");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, 'hako: "run" requires exactly 1 argument(s)\n');
  const { level, msg } = JSON.parse(Deno.readTextFileSync(log));
  assertEquals([level, msg], ["error", '"run" requires exactly 1 argument(s)']);
  Deno.removeSync(log);
});

Deno.test("a log that cannot be opened is a usage error", () => {
  const { code, stderr } = hako("--log", "/proc/nonexistent/log", "run", "id");
  assertEquals(code, 1);
  assertMatch(stderr, /^hako: cannot open the log: .*\n$/);
});

Deno.test("a file that the system refuses is no bug, whatever its errno", () => {
  for (const root of ["/dev/null/x\ny", `/tmp/${"x".repeat(300)}`]) {
    const { code, stderr } = hako("--root", root, "state", "c1");
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^hako: lstat .*: (not a directory \(ENOTDIR\)|file name too long \(ENAMETOOLONG\))\n$/,
    );
  }
});

Deno.test("a reader of stdout that goes away is no bug", () => {
  const script =
    `"$0" run -A "$1" completion bash 2>&1 >/dev/full; "$0" run -A "$1" completion bash | true; echo \${PIPESTATUS[0]}`;
  const { stdout } = new Deno.Command("bash", { args: ["-c", script, Deno.execPath(), MAIN] }).outputSync();
  const text = new TextDecoder().decode(stdout);
  assertStringIncludes(text, "hako: ");
  assert(/\n(0|141)\n$/.test(text), text);
});
