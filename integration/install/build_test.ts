import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { build } from "../../build.ts";
import { prelink } from "../../prelink.ts";
import { ANSWER_BYTES, HEAD } from "../../runtime/init/resume.ts";
import { HEAD_OFFSET } from "../../runtime/snapshot/executable.ts";

/** A folder with a space and a quote, below one whose deno.json would stop Deno. */
const above = Deno.makeTempDirSync({ prefix: "hako-build-" });
Deno.writeTextFileSync(`${above}/deno.json`, "{ not JSON");
Deno.chmodSync(above, 0o755);
const hako = build(`${above}/it's here`);
const script = `${above}/it's here/hako.js`;
globalThis.addEventListener("unload", () => Deno.removeSync(above, { recursive: true }));

const VERSION = /^hako version \S+\nspec: \S+\ndeno: \S+\n$/;

interface Surroundings {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly uid?: number;
}

function run(program: string, args: string[], { env = {}, cwd = "/", uid }: Surroundings = {}) {
  const command = new Deno.Command(program, { args, env, clearEnv: true, cwd, uid, gid: uid });
  const { code, stdout, stderr } = command.outputSync();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function assertRuns({ code, stdout, stderr }: ReturnType<typeof run>): void {
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, VERSION);
}

Deno.test("runs without any environment, from anywhere, and beneath somebody else's deno.json", () => {
  for (const program of [hako, script]) {
    assertRuns(run(program, ["--version"]));
    assertRuns(run(program, ["--version"], { cwd: "/proc/self" }));
    assertRuns(run(program, ["--version"], { env: { HOME: "/nonexistent", PATH: "/nonexistent" } }));
  }
});

Deno.test("runs through a symbolic link and with a relative path", () => {
  const link = `${above}/link`;
  Deno.symlinkSync(hako, link);
  assertRuns(run(link, ["--version"]));
  assertRuns(run("./link", ["--version"], { cwd: above }));
  assertRuns(run("/bin/sh", ["-c", "link --version"], { env: { PATH: above } }));
});

Deno.test("is not moved by files where Deno looks for settings", () => {
  const home = Deno.makeTempDirSync({ dir: above });
  for (const name of [".npmrc", "deno.json", "package.json", "deno.lock"]) {
    Deno.writeTextFileSync(`${home}/${name}`, "{ = not [ valid");
  }
  for (const program of [hako, script]) {
    assertRuns(run(program, ["--version"], { cwd: home, env: { HOME: home } }));
  }
});

Deno.test("passes arguments and the exit status through", () => {
  for (const program of [hako, script]) {
    const { code, stderr } = run(program, ["run", "--bundle", 'it\'s a "b" $HOME', "--", "--help", ""]);
    assertEquals([code, stderr], [1, 'hako: "run" requires exactly 1 argument(s)\n']);
  }
});

Deno.test("the script takes its code from the cache that the build has warmed, as another user too", () => {
  // Who may not read the folder cannot run it either.
  const users = Deno.uid() === 0 ? [undefined, 65534] : [undefined];
  for (const uid of users) {
    const { stderr } = run(script, ["--version"], { env: { DENO_LOG: "debug" }, uid });
    assertStringIncludes(stderr, "V8 code cache hit for ES module: file://");
  }
});

Deno.test("finds no log of SQLite to recover", () => {
  assertRuns(run(build(`${above}/checkpointed`, { snapshot: false }), ["--version"]));
  const files = [...Deno.readDirSync(`${above}/checkpointed/cache`)].filter(({ isFile }) => isFile);
  const sizes = files.map(({ name }) =>
    [name, Deno.statSync(`${above}/checkpointed/cache/${name}`).size] as const
  );
  assertEquals(sizes.filter(([name, size]) => name.endsWith("-wal") && size > 0), []);
  assertEquals(sizes.filter(([name, size]) => name.startsWith("v8_") && size > 1 << 20).length, 1);
});

Deno.test("runs when its cache is gone and cannot be made", () => {
  const other = build(`${above}/cold`, { snapshot: false });
  Deno.removeSync(`${above}/cold/cache`, { recursive: true });
  Deno.writeTextFileSync(`${above}/cold/cache`, "");
  assertRuns(run(other, ["--version"]));
});

Deno.test({
  name: "needs no network, and asks for none",
  ignore: Deno.uid() !== 0,
  fn() {
    for (const program of [hako, script]) {
      assertRuns(run("/usr/bin/unshare", ["--net", program, "--version"]));
    }
  },
});

Deno.test({
  name: "runs a container where nothing can be written but /run, for the first time, with any HOME or none",
  ignore: Deno.uid() !== 0,
  fn() {
    const bundle = bundleOf("exit 7");
    const fresh = build(`${above}/fresh`);
    const script = `mount --bind / / && mount -o remount,bind,ro / && mount -t tmpfs run /run
      mkdir "$HOME/made" 2>/dev/null && exit 99
      exec "$0" run --bundle "$1" one`;
    const environments: readonly Record<string, string>[] = [
      {},
      { HOME: "/root" },
      { HOME: "/root", DENO_DIR: "/root/deno", TMPDIR: "/tmp" },
    ];
    for (const env of environments) {
      const words = ["--mount", "sh", "-c", script, fresh, bundle];
      const { code, stderr } = run("/usr/bin/unshare", words, {
        env: { PATH: "/usr/bin:/usr/sbin", ...env },
      });
      assertEquals([code, stderr], [7, ""]);
    }
  },
});

Deno.test("the build refuses an option that it does not know, and makes no folder of that name", () => {
  const cwd = Deno.makeTempDirSync();
  try {
    const source = new URL("../../build.ts", import.meta.url).pathname;
    const args = ["run", "--allow-all", "--no-config", "--no-lock", source, "--no-snapshots"];
    const { code, stdout, stderr } = run(Deno.execPath(), args, { cwd, env: { HOME: cwd } });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "'--no-snapshots'");
    assertEquals([...Deno.readDirSync(cwd)].filter(({ name }) => name.startsWith("--")), []);
  } finally {
    Deno.removeSync(cwd, { recursive: true });
  }
});

Deno.test("is readable beside Deno, and builds over itself", () => {
  assertEquals([...Deno.readDirSync(`${above}/it's here`)].map(({ name }) => name).sort(), [
    "bpf.js",
    "cache",
    "deno",
    "hako",
    "hako.js",
    "main.js",
    "seccomp.js",
    "share",
    "snapshot.js",
    "warm-up",
  ]);
  for (let times = 0; times < 2; times++) {
    assertRuns(run(build(`${above}/over`, { snapshot: false }), ["--version"]));
  }
  assertNotMatch(Deno.readTextFileSync(`${above}/it's here/hako.js`), /["'`]node:/);
});

/** On x86_64 alone. */
const takesSnapshot = Deno.build.arch === "x86_64";

Deno.test({
  name: "is a snapshot: no Deno is started, and none is needed",
  ignore: !takesSnapshot,
  fn() {
    assert(Deno.lstatSync(hako).isFile, "it is a link to the script");
    const elsewhere = `${above}/alone`;
    Deno.copyFileSync(hako, elsewhere);
    assertRuns(run(elsewhere, ["--version"]));
    assertRuns(run(elsewhere, ["--version"], { uid: Deno.uid() === 0 ? 65534 : undefined }));
  },
});

Deno.test({
  name: "a snapshot has its own arguments, environment, directory, pid and streams each time",
  ignore: !takesSnapshot,
  fn() {
    const cwd = `${above}/a bundle`;
    Deno.mkdirSync(`${cwd}/rootfs`, { recursive: true });
    assertEquals(run(hako, ["spec"], { cwd }), { code: 0, stdout: "", stderr: "" });
    assertMatch(run(hako, ["explain"], { cwd }).stdout, /execve/);
    assertEquals(
      run(hako, ["état \u{1f433}"]).stderr.split(",")[0],
      'hako: unknown command "état \u{1f433}"',
    );
    const { stderr } = run(hako, ["state", "none"], { env: { XDG_RUNTIME_DIR: "/none", USER: "somebody" } });
    assertEquals(stderr, "hako: container does not exist: none\n");
  },
});

/** A bundle whose container runs `script`. */
function bundleOf(script: string): string {
  const bundle = Deno.makeTempDirSync({ dir: above });
  assertEquals(run(hako, ["spec", "--host", "--bundle", bundle]).code, 0);
  const { process, ...config } = JSON.parse(Deno.readTextFileSync(`${bundle}/config.json`));
  const args = ["sh", "-c", script];
  Deno.writeTextFileSync(
    `${bundle}/config.json`,
    JSON.stringify({ ...config, process: { ...process, terminal: false, args, rlimits: [] } }),
  );
  return bundle;
}

Deno.test({
  name: "runs a container for a caller that ignores the end of its children",
  ignore: Deno.uid() !== 0,
  fn() {
    const bundle = bundleOf("exit 7");
    for (const program of [hako, script]) {
      const words = ["--ignore-signal=CHLD", program, "run", "--bundle", bundle, "one"];
      const { code, stderr } = run("/usr/bin/env", words);
      assertEquals([code, stderr], [7, ""]);
    }
  },
});

Deno.test({
  name: "a snapshot's container has the caller's RLIMIT_NOFILE, where it is not that of the caller's parent",
  ignore: !takesSnapshot || Deno.uid() !== 0,
  fn() {
    const bundle = bundleOf("ulimit -Sn; ulimit -Hn");
    const limits = 'ulimit -Sn 1024; (ulimit -n 2048; exec "$0" run --bundle "$1" one); exit $?';
    const { code, stdout, stderr } = run("/bin/bash", ["-c", limits, hako, bundle]);
    assertEquals([code, stdout, stderr], [0, "2048\n2048\n", ""]);
  },
});

Deno.test({
  name: "a snapshot that cannot start leaves it to the script",
  ignore: !takesSnapshot,
  fn() {
    const startsDeno = (program: string, args: string[]) => {
      const { code, stdout, stderr } = run(program, args, { env: { DENO_LOG: "debug" } });
      assertEquals(code, 0, stderr);
      assertMatch(stdout, VERSION);
      return stderr.includes("V8 code cache hit");
    };
    assert(!startsDeno(hako, ["--version"]));
    // It has descriptors from 960 on, which this limit does not allow.
    const limited = ["-c", 'ulimit -n 512 && exec "$0" --version'];
    assert(startsDeno("/bin/sh", [...limited, hako]));
    // The caller has one there, which it would replace, or has closed one where it would open another file.
    for (const redirected of ["962</dev/null", "<&-"]) {
      assert(startsDeno("/bin/bash", ["-c", `exec ${redirected} "$0" --version`, hako]), redirected);
    }
    // What it was made for is another processor.
    const other = `${above}/other processor`;
    Deno.copyFileSync(hako, other);
    {
      using file = Deno.openSync(other, { write: true });
      file.seekSync(HEAD_OFFSET + HEAD.expected, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(ANSWER_BYTES).fill(0xff));
    }
    assert(startsDeno(other, ["--version"]));
    // And where there is no script, it says so.
    const moved = build(`${above}/moved`);
    Deno.removeSync(`${above}/moved/hako.js`);
    assertRuns(run(moved, ["--version"]));
    const { code, stderr } = run("/bin/sh", [...limited, moved]);
    assertEquals([code, stderr], [1, `hako: cannot execute ${above}/moved/hako.js\n`]);
  },
});

Deno.test({
  name: "warm-ups at once make a snapshot one after the other",
  ignore: !takesSnapshot,
  async fn() {
    const program = build(`${above}/twice`, { snapshot: false });
    const warmUp = new Deno.Command(`${above}/twice/warm-up`, { stdout: "piped", stderr: "piped" });
    const decoder = new TextDecoder();
    for (const { code, stderr } of await Promise.all([warmUp.output(), warmUp.output()])) {
      assertEquals([code, decoder.decode(stderr)], [0, ""]);
    }
    assert(Deno.lstatSync(program).isFile);
    assertRuns(run(program, ["--version"]));
  },
});

Deno.test({
  name: "where a snapshot could not start there is none",
  ignore: !takesSnapshot,
  fn() {
    const program = build(`${above}/fixed`, { snapshot: false });
    const { code, stderr } = run("/usr/bin/setarch", ["--addr-no-randomize", `${above}/fixed/warm-up`]);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "cannot start, as where addresses are not random");
    assertEquals(Deno.readLinkSync(program), "hako.js");
    assertRuns(run(program, ["--version"]));
  },
});

Deno.test("with Deno relocated ahead it runs as well, each copy at an address of its own", () => {
  const entries = ["one", "two"].map((name) => {
    const program = build(`${above}/${name}`, { prelinked: true, snapshot: false });
    assertRuns(run(program, ["--version"]));
    const { code, stderr } = run(program, ["state", "nothing"]);
    assertEquals([code, stderr], [1, "hako: container does not exist: nothing\n"]);
    const header = new DataView(Deno.readFileSync(`${above}/${name}/deno`).buffer, 0, 64);
    assertEquals(header.getUint16(16, true), 2, "no executable for one address");
    return header.getBigUint64(24, true);
  });
  assertNotEquals(entries[0], entries[1]);
});

Deno.test("what is no position-independent executable is not relocated", () => {
  const copy = Deno.readFileSync(`${above}/one/deno`);
  const other = new TextEncoder().encode("#!/bin/sh\n".padEnd(64));
  for (const file of [copy, other]) {
    assertThrows(() => prelink(file, 0n), Error, "it is no position-independent executable");
  }
});
