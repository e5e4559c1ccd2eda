/** Command lines: Hako's own, and that of the seccomp tool with its files. @module */
import { assert } from "@std/assert";
import { commands } from "../../../runtime/cli/mod.ts";
import { globalOptions } from "../../../runtime/cli/command.ts";
import { parseOptions } from "../../../runtime/cli/options.ts";
import { compileSeccomp } from "../../../wasm/mod.ts";
import { runTool } from "../../../wasm/tool.ts";
import { mutateLines } from "../mutate_text.ts";
import { type Target, withoutWords } from "../target.ts";

const OPTIONS = Object.values(commands).flatMap(({ options }) => Object.keys(options));
const WORDS = [
  ...Object.keys(commands),
  ...OPTIONS.flatMap((name) => [`--${name}`, `-${name}=1`, `--${name}=`]),
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
    "%s",
    "99999999999999999999",
    "A=B",
  ],
];

/** A word a line, the first behind the global options is the command's name. */
const arguments_: Target = {
  seeds: [
    "--root\n/r\n--log\n/l\n--log-format\njson\ncreate\n--bundle\n/b\n--pid-file\n/p\n--console-socket\n/s\nid",
    "exec\n--detach\n--pid-file=/p\n-e\nA=B\n--cap\nCAP_KILL\n-u\n1:2\nid\nsh\n-c\n--help",
    "update\n--memory\n100M\n--cpu-period=5\n-r\n-\nid",
    "kill\nid\nSIGTERM\n",
    ...Object.keys(commands).map((name) => `${name}\n--help`),
  ],
  mutate: (input, corpus, random) => mutateLines(input, corpus, random, WORDS.map((word) => `\n${word}\n`)),
  run(input) {
    const { positionals: [name = "", ...rest], options } = parseOptions(globalOptions, input.split("\n"), {
      stopAtPositional: true,
    });
    const given = Object.entries(options).filter(([, value]) => value !== undefined).map(([name]) => name);
    if (!Object.hasOwn(commands, name)) return given;
    const { options: table, stopAtPositional } = commands[name]!;
    const parsed = parseOptions(table, rest, { stopAtPositional });
    return [...given, ...Object.keys(parsed.options).map((option) => `${name} ${option}`)];
  },
};

const policy = JSON.stringify({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
  syscalls: [
    { names: ["read", "clone"], action: "SCMP_ACT_ALLOW" },
    { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }] },
  ],
});
const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const program = latin1(compileSeccomp(JSON.parse(policy), { native: "x86_64" }).program);

/** A word a line, then an empty one and what is in every file; a character is a byte. */
const tool: Target = {
  seeds: [
    ...["disasm", "explain", "stats"].flatMap((name) => [`${name}\n\n${program}`, `${name}\n\n${policy}`]),
    `trace\n--program\np\nsocket\n1\n\n${program}`,
    `trace\nread\n0x10\n\n${policy}`,
    `diff\na\nb\n\n${program}`,
    `compile\n--format\nasm\n--objective\nsize\n\n${policy}`,
    `compile\n--format=json\n--semantics=strict\n--newer=default\n\n${policy}`,
    `lint\n--native\naarch64\n\n${policy}`,
  ],
  mutate: (input, corpus, random) =>
    mutateLines(input, corpus, random, ["--native", "s390x", "--kernel", "4.4", "--cap", "CAP_BPF", "\n"]),
  run(input) {
    const end = input.indexOf("\n\n");
    const words = (end < 0 ? input : input.slice(0, end)).split("\n");
    const file = Uint8Array.from(
      end < 0 ? "" : input.slice(end + 2),
      (character) => character.charCodeAt(0),
    );
    const { code, stderr = "" } = runTool(words, { native: "x86_64", read: () => file });
    assert(stderr.trimEnd().split("\n").length === 1, stderr);
    return [`${code} ${withoutWords(stderr, input)}`];
  },
};

export const commandLines: Readonly<Record<string, Target>> = { arguments: arguments_, tool };
