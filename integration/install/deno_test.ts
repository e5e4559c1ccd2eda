/** What Deno itself installs or compiles, from a checkout, without a network. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertWorks, command, installTest } from "./clean_root.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A folder with `deno`, and an environment without anything else. */
function withDeno(directory: string): Record<string, string> {
  const bin = `${directory}/deno`;
  Deno.mkdirSync(bin);
  Deno.symlinkSync(Deno.execPath(), `${bin}/deno`);
  return { HOME: `${directory}/home`, PATH: `${bin}:/usr/bin:/bin:/usr/sbin:/sbin` };
}

const needsRoot = Deno.uid() === 0 ? undefined : "needs root";

installTest(
  "deno install -g of a checkout gives hako and hako-bpf, as docs/install.md says",
  needsRoot,
  (directory) => {
    const env = { ...withDeno(directory), DENO_INSTALL_ROOT: `${directory}/root` };
    const docs = ["install.md", "bpf.md"].map((name) => Deno.readTextFileSync(`${ROOT}docs/${name}`)).join();
    const commands = [...docs.matchAll(/deno install -g[^`#\n]*/g)].map(([line]) => line.trim())
      .filter((line) => !line.includes("npm:"));
    assertEquals(commands.length, 2);
    for (const line of commands) command(["unshare", "--net", "sh", "-ec", line], { env, cwd: ROOT });
    const bin = `${directory}/root/bin`;
    assertWorks(`${bin}/hako`, directory, env);
    const policy = `${ROOT}tests/bpf-compiler/profiles/moby-default.json`;
    assertMatch(command([`${bin}/hako-bpf`, "stats", policy], { env }), /^\d+ instructions\n/);
  },
);

/** What `deno task compile` runs, with an empty cache and without a network. */
function compile(directory: string, env: Record<string, string>) {
  const { code, stdout, stderr } = new Deno.Command("unshare", {
    args: ["--net", "deno", "run", "-A", "build.ts", "--single-file", `${directory}/out`],
    env,
    clearEnv: true,
    cwd: ROOT,
  }).outputSync();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

installTest(
  "deno task compile without denort says what it needs and where to put it",
  needsRoot,
  (directory) => {
    const { code, text } = compile(directory, withDeno(directory));
    assertEquals(code, 1, text);
    assertMatch(text, /needs the program denort of Deno \d+\.\d+\.\d+/);
    assertStringIncludes(text, "DENORT_BIN");
    assertStringIncludes(text, "deno task build");
  },
);

installTest("deno task compile puts all modules into the program", needsRoot, (directory) => {
  // Deno in the place of denort: what comes out does not start Hako, but all of Hako has to be in it.
  const { code, text } = compile(directory, { ...withDeno(directory), DENORT_BIN: Deno.execPath() });
  assertEquals(code, 0, text);
  const program = Deno.readFileSync(`${directory}/out/hako-single`);
  const added = new TextDecoder("latin1").decode(
    program.subarray(Deno.statSync(Deno.execPath()).size - 4096),
  );
  for (const name of ["main.ts", "compile.ts", "compiler.ts", "tool.ts", "libc.ts"]) {
    assert(added.includes(name), `${name} is not in the program`);
  }
});

const denort = Deno.env.get("DENORT_BIN");
installTest(
  "deno task compile makes one file that runs containers",
  needsRoot ??
    (denort === undefined ? "DENORT_BIN names no denort, which npm and Debian do not have" : undefined),
  (directory) => {
    const { code, text } = compile(directory, { ...withDeno(directory), DENORT_BIN: denort! });
    assertEquals(code, 0, text);
    assertWorks(`${directory}/out/hako-single`, directory, { PATH: "/usr/bin:/bin" });
  },
);
