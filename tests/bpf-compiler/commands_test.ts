/** The command line, without a process. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Context, runCommand, UsageError } from "../../bpf-compiler/cli/commands.ts";
import { encodeProgram, OPCODES, PolicyError } from "../../bpf-compiler/mod.ts";
import { compareFilters, compileSeccomp } from "../../wasm/mod.ts";

const FILES: Readonly<Record<string, string>> = {
  "policy.json": `{
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{ "names": ["mount"], "action": "SCMP_ACT_ERRNO",
      "args": [{ "index": 3, "value": 18446744073709551615, "op": "SCMP_CMP_EQ" }] }]
  }`,
  "config.json": `{ "linux": { "seccomp": { "defaultAction": "SCMP_ACT_KILL" } } }`,
  "docker.json": `{
    "defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [{ "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] }],
    "syscalls": [
      { "names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
      { "names": ["write"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "9.1" } },
      { "names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] } },
      { "names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "excludes": { "arches": ["amd64"] } }
    ]
  }`,
  "lint.json": `{
    "defaultAction": "SCMP_ACT_ERRNO",
    "architectures": ["SCMP_ARCH_X86"],
    "syscalls": [
      { "names": ["socket"], "action": "SCMP_ACT_ALLOW",
        "args": [{ "index": 0, "value": 38, "op": "SCMP_CMP_NE" }] },
      { "names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 },
      { "names": ["read"], "action": "SCMP_ACT_ALLOW" },
      { "names": ["read", "raed"], "action": "SCMP_ACT_KILL",
        "args": [{ "index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ" }] }
    ]
  }`,
  "broken.json": `{ "defaultAction": `,
};

/** Tests whose ways meet again at once: as many ways through it as 2 to the power of their number. */
const MANY_WAYS = encodeProgram([
  { code: OPCODES.load, jt: 0, jf: 0, k: 4 },
  { code: OPCODES.equal, jt: 1, jf: 0, k: 0xc000003e },
  { code: OPCODES.result, jt: 0, jf: 0, k: 0 },
  { code: OPCODES.load, jt: 0, jf: 0, k: 16 },
  ...Array.from({ length: 60 }, (_, k) => ({ code: OPCODES.equal, jt: 0, jf: 0, k })),
  { code: OPCODES.result, jt: 0, jf: 0, k: 0x7fff0000 },
]);

const context: Context = {
  native: "x86_64",
  read: (path) => new TextEncoder().encode(FILES[path]),
  compile: compileSeccomp,
  compare: compareFilters,
};

function run(...args: string[]): { code: number; stdout: string } {
  const { code, stdout } = runCommand(args, context);
  return { code, stdout: typeof stdout === "string" ? stdout : `${stdout.length} bytes` };
}

Deno.test("help is there for whoever asks, of each command too", () => {
  for (const words of [["help"], ["--help"], ["-h"], ["compile", "--help"], ["trace", "-h"]]) {
    const { code, stdout } = run(...words);
    assertEquals([code, stdout.split("\n")[0]], [0, "usage: COMMAND [OPTIONS] [FILE]..."], words.join(" "));
  }
  assertEquals(runCommand([], context).code, 2);
});

Deno.test("compile writes a program in every format", () => {
  const lines = run("compile", "config.json", "--format=asm").stdout.trim().split("\n");
  assertEquals(run("compile", "config.json").stdout, `${8 * lines.length} bytes`);
  assert(run("compile", "policy.json", "--format", "c").stdout.startsWith("{ 0x20, 0, 0, 0x00000004 },\n"));
  assertEquals(JSON.parse(run("compile", "policy.json", "--format=json").stdout)[0], {
    code: 32,
    jt: 0,
    jf: 0,
    k: 4,
  });
});

Deno.test("a datum keeps all its 64 bits", () => {
  const text = run("explain", "policy.json").stdout;
  assert(
    text.includes(
      "  mount\n    if args[3].high == 0xffffffff\n      if args[3].low == 0xffffffff\n        ERRNO(1)\n",
    ),
    text,
  );
});

Deno.test("a program with more ways than anybody can read is explained as far as it goes", () => {
  const { stdout } = runCommand(["explain"], { ...context, read: () => MANY_WAYS });
  const lines = `${stdout}`.split("\n");
  assert(lines.length < 100_000 && lines.some((line) => line.trim() === "..."), `${lines.length} lines`);
});

Deno.test("what is no filter is not explained", () => {
  const outside = MANY_WAYS.slice(0, -8);
  const problem = assertThrows(
    () => runCommand(["explain"], { ...context, read: () => outside }),
    PolicyError,
  );
  assertEquals(problem.problem, "is no filter: instruction 63 leads out of the program");
});

Deno.test("trace prints the way of a call and its verdict", () => {
  assertEquals(
    run("trace", "mount", "0", "0", "0", "-1", "--program", "policy.json").stdout.trim().split("\n").at(-1),
    "ERRNO(1) after 10 instructions",
  );
});

Deno.test("Docker's profiles are resolved for the machine", () => {
  const allowed = (...args: string[]) =>
    /SCMP_ARCH_X86_64\n(?: {2}ERRNO.*\n(?: {4}.*\n)*)?(?: {2}ALLOW\n((?: {4}.*\n)+))?/.exec(
      run("explain", "docker.json", ...args).stdout,
    )?.[1]?.trim();
  assertEquals(allowed(), "read");
  assertEquals(allowed("--kernel", "9.2", "--cap=CAP_SYS_ADMIN"), "read write mount");
});

Deno.test("diff proves, or shows a call", () => {
  assertEquals(run("diff", "policy.json", "policy.json"), { code: 0, stdout: "equivalent\n" });
  const { code, stdout } = run("diff", "policy.json", "config.json");
  assertEquals([code, stdout.split("\n")[0]], [1, "different"]);
});

Deno.test("lint finds what has no effect, and what has another one", () => {
  const { code, stdout } = run("lint", "lint.json");
  const found = [...stdout.matchAll(/^(\S+): .*\[(.*)\]$/gm)].map(([, pointer, code]) =>
    `${code} ${pointer}`
  );
  assertEquals(code, 1);
  assertEquals(found.sort(), [
    "multiplexed /syscalls/0/args",
    "no-op /syscalls/1",
    "shadowed /syscalls/3/names/0",
    "sign /syscalls/3/args/0/value",
    "unknown-name /syscalls/3/names/1",
  ]);
  assertEquals(run("lint", "config.json"), { code: 0, stdout: "" });
});

Deno.test("stats", () => {
  assert(run("stats", "docker.json").stdout.includes("1 calls are allowed by the kernel's bitmap"));
});

for (
  const [args, problem] of [
    [["paint"], "unknown command paint"],
    [["compile", "--fast", "1"], "unknown option --fast"],
    [["compile", "--objective", "beauty"], "--objective must be one of size, uniform, weighted"],
    [["compile", "--native"], "--native needs a value"],
    [["compile", "a", "b"], "one file at most, not a b"],
    [["trace", "raed"], "SCMP_ARCH_X86_64 has no system call raed"],
    [["trace", "read", "x"], "x is no number"],
    [["diff", "a"], "diff needs two files"],
    [["compile", "--native", "z80"], "no system calls are known for z80"],
    [["dump"], "dump needs the number of a process, and at most that of a filter"],
    [["dump", "1", "2", "3"], "dump needs the number of a process, and at most that of a filter"],
    [["dump", "-1"], "dump needs the number of a process, and at most that of a filter"],
    [["dump", "1"], "dump needs system calls: it is a command of `hako bpf`"],
  ] as const
) {
  Deno.test(`a wrong command line: ${args.join(" ")}`, () => {
    const context2 = { ...context, read: () => new TextEncoder().encode(FILES["policy.json"]) };
    assertEquals(assertThrows(() => runCommand(args, context2), UsageError).message, problem);
  });
}

Deno.test("dump asks for a filter of a process, and writes it", () => {
  const program = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
  const asked: unknown[] = [];
  const withFilters: Context = {
    ...context,
    readFilter: (pid, index) => asked.push([pid, index]) && index === 0 ? program : undefined,
  };
  assertEquals(runCommand(["dump", "7"], withFilters).stdout, program);
  assertEquals(runCommand(["dump", "7", "0", "--format=asm"], withFilters).stdout, "0  ret  ALLOW\n");
  assertThrows(() => runCommand(["dump", "7", "1"], withFilters), UsageError, "process 7 has no filter 1");
  assertEquals(asked, [[7, 0], [7, 0], [7, 1]]);
});

Deno.test("a file that is no policy", () => {
  assertThrows(() => run("compile", "broken.json"), PolicyError, "is not JSON");
});
