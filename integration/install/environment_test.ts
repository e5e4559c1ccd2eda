/**
 * What a caller's environment can do to `dist/hako` and to `dist/hako.js`: each variable has a value that would show if it
 * were obeyed.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { build } from "../../build.ts";
import { FORGOTTEN } from "../../environment.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

const directory = Deno.makeTempDirSync({ prefix: "hako-environment-" });
const programs = [build(`${directory}/dist`), `${directory}/dist/hako.js`] as const;
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

const [canary, module] = [`${directory}/canary`, `${directory}/module.cjs`];
Deno.writeTextFileSync(module, `require("node:fs").writeFileSync(${JSON.stringify(canary)}, "");`);

/** Of the variables on either program. */
async function effects(env: Record<string, string>): Promise<(string | undefined)[]> {
  const found = [];
  for (const program of programs) found.push(await effect(env, [program]));
  return found.filter((one) => one !== undefined);
}

/** Without an effect `state nothing` writes one line, to stderr, and no file. */
async function effect(env: Record<string, string>, program: readonly string[]): Promise<string | undefined> {
  const cwd = Deno.makeTempDirSync({ dir: directory });
  const [command = "", ...args] = [...program, "state", "nothing"];
  const { status, stdout, stderr } = await run([command, ...args], { env, cwd });
  const files = [...Deno.readDirSync(cwd)].map(({ name }) => name);
  for (const name of ["canary", "audit", "coverage", "control"]) {
    try {
      Deno.removeSync(`${directory}/${name}`, { recursive: true });
      files.push(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const given = JSON.stringify([status, stdout, stderr, files]);
  return given === '[1,"","hako: container does not exist: nothing\\n",[]]' ? undefined : given;
}

const ATTEMPTS: readonly Readonly<Record<string, string>>[] = [
  { NODE_OPTIONS: `--require ${module}` },
  { NODE_CHANNEL_FD: "0" },
  { COMPLETE: "bash" },
  { OTEL_DENO: "1" },
  { SSLKEYLOGFILE: `${directory}/canary` },
  { DENO_AUDIT_PERMISSIONS: `${directory}/audit` },
  { DENO_AUTH_TOKENS: "none" },
  { DENO_CONNECTED: "1" },
  { DENO_COVERAGE_DIR: `${directory}/coverage` },
  { DENO_PERMISSION_BROKER_PATH: "/dev/null" },
  { DENO_STARTUP_PHASES: "1" },
  { DENO_TOKIO_METRICS: "1" },
  { DENO_UNSTABLE_CONTROL_SOCK: `unix:${directory}/control` },
  { DENO_V8_FLAGS: "--help" },
  { DENO_V8_FLAGS: "--prof" },
];

const deno = [`${directory}/dist/deno`, "run", "--quiet", "-A", "--ext=js", `${directory}/dist/hako.js`];

for (const env of ATTEMPTS) {
  const [[name, value] = []] = Object.entries(env);
  Deno.test(`${name}=${value?.replaceAll(directory, "...")} has no effect, but on Deno itself`, async () => {
    assertEquals(await effects(env), []);
    // Some wait for who is to connect to them, or ask the network.
    assert(await effect(env, ["/usr/bin/timeout", "--signal=KILL", "3", ...deno]) !== undefined);
  });
}

Deno.test("variables of npm, TLS, proxies and libc change nothing", async () => {
  const env = {
    ...{ HOME: "/nonexistent", TMPDIR: "/dev/null", XDG_CACHE_HOME: "/nonexistent", PATH: "/nonexistent" },
    ...{ SSL_CERT_FILE: "/dev/null", SSL_CERT_DIR: "/dev/null", NODE_EXTRA_CA_CERTS: "/dev/null" },
    ...{
      SSLKEYLOGFILE: `${directory}/canary`,
      HTTPS_PROXY: "http://[::1]:9",
      NODE_DEBUG: "*",
      NODE_PATH: "/",
    },
    ...{ NPM_CONFIG_REGISTRY: "none", JSR_URL: "none", RUST_MIN_STACK: "1", TOKIO_WORKER_THREADS: "x" },
    ...{
      MALLOC_PERTURB_: "165",
      MALLOC_ARENA_MAX: "x",
      GLIBC_TUNABLES: "glibc.malloc.check=3:x",
      GCONV_PATH: "/",
    },
  };
  assertEquals(await effects(env), []);
});

Deno.test("a sh that is bash finds nothing in its environment either", async () => {
  Deno.writeTextFileSync(`${directory}/startup`, `touch ${canary}; exit 0`);
  const functions = [":", "unset", "exec", "printf"].map((
    name,
  ) => [`BASH_FUNC_${name}%%`, `() { touch ${canary}; }`]);
  const env = {
    ...Object.fromEntries(functions),
    ...{ BASH_ENV: `${directory}/startup`, ENV: `${directory}/startup`, IFS: "/abcdefgh", CDPATH: directory },
  };
  Deno.symlinkSync("/bin/bash", `${directory}/sh`);
  assertEquals(await effects(env), []);
  assertEquals(await effect(env, [`${directory}/sh`, programs[1]]), undefined);
  // Such a function would be called, if one were.
  const { status } = await run([`${directory}/sh`, "-c", "printf x; test -e " + canary], { env });
  assertEquals(status, 0);
  Deno.removeSync(canary);
});

const nameOf = (entry: string) => entry.slice(0, entry.indexOf("="));

const hookTest = "nothing of it reaches the container; a hook without env has what the program was given";
containerTest(hookTest, async (box) => {
  for (const program of programs) {
    const given = await hookVariables(box, program);
    assert(given.includes("CALLERS_OWN=/dev/null"));
    // Deno's own are set by the script, and whoever has a hook does not tell them from the caller's.
    const ofDeno = (entry: string) => entry.startsWith("DENO_") || entry.startsWith("GLIBC_TUNABLES=");
    assertEquals(given.filter(ofDeno), []);
    const forgotten = FORGOTTEN.filter((name) => !ofDeno(name));
    assertEquals(
      given.map(nameOf).filter((name) => FORGOTTEN.includes(name)).sort(),
      program === programs[0] ? forgotten.sort() : [],
    );
  }
});

async function hookVariables(box: Box, program: string): Promise<string[]> {
  const names = [...FORGOTTEN, "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "NODE_EXTRA_CA_CERTS", "CALLERS_OWN"];
  const env = Object.fromEntries(names.map((name) => [name, "/dev/null"]));
  const output = `${box.directory}/hook`;
  const hook = { path: "/bin/sh", args: ["sh", "-c", `env > ${output}`] };
  const { status, stdout, stderr } = await box.run({
    runtime: [program],
    env,
    args: ["env"],
    config: { hooks: { createRuntime: [hook] } },
  });
  assertEquals([status, stderr], [0, ""]);
  // What its config.json gives, and HOME.
  assertEquals(stdout.trim().split("\n").map(nameOf).sort(), ["HOME", "PATH", "TERM"]);
  return Deno.readTextFileSync(output).split("\n");
}

/** Set by the launcher, without an effect but on stderr, or no variables. */
const OTHERS = [
  ...["DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_DISABLE_NODE_SHIM", "DENO_LOG", "DENO_LOG_STYLE"],
  // Their names are put together.
  ...["DENO_UNSTABLE_", "DENO_USE"],
  ...["DENO_TLS_FINISHED_CLIENT", "DENO_TLS_FINISHED_SERVER", "NO_DENO_BUNDLE_HACK", "X_DENO_FETCH_TOKEN"],
];

Deno.test("each variable in Deno's executable is known", () => {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(Deno.execPath()));
  const names = new Set(
    text.match(/(?:NO_|X_|OTEL_)?DENO_(?:(?!DENO_|OTEL_|NODE_CHANNEL_|XDG_|LAUFEY_|EXPORTER_)[A-Z0-9_])+/g),
  );
  assert(names.size > 90);
  // Strings have no end there: what comes next may be a letter or two.
  const known = [...FORGOTTEN, ...OTHERS];
  const isKnown = (name: string) =>
    known.some((one) => name.startsWith(one) && /^[A-Z]{0,2}$/.test(name.slice(one.length)));
  assertEquals([...names].filter((name) => !isKnown(name)), []);
  for (const name of ["NODE_OPTIONS", "NODE_CHANNEL_FD", "OTEL_DENO"]) assertStringIncludes(text, name);
});
