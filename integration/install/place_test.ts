/** `dist/hako` where others than root can write: root does not install it there, nor run it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { build } from "../../build.ts";
import { installTest } from "./clean_root.ts";

const USER = 1000;
const needsRoot = Deno.uid() === 0 ? undefined : "needs root";

function run(words: readonly string[], options: Deno.CommandOptions = {}) {
  const [program = "", ...args] = words;
  const { code, stderr } = new Deno.Command(program, { args, cwd: "/", stdin: "null", ...options })
    .outputSync();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const IT_RUNS = { code: 1, stderr: "hako: container does not exist: nothing\n" };
const state = (
  dist: string,
  program = "hako",
) => [`${dist}/${program}`, "--root", "/nonexistent", "state", "nothing"];
/** What each program is made of: the snapshot has all of it in itself. */
const PARTS = {
  "hako": ["", "/..", "/hako"],
  "hako.js": ["", "/..", "/hako.js", "/deno", "/main.js", "/bpf.js", "/seccomp.js", "/cache"],
} as const;

installTest("root runs nothing that another user owns", needsRoot, (directory) => {
  const dist = `${directory}/above/dist`;
  build(dist);
  // Deno may be a link to that of this machine.
  Deno.copyFileSync(`${dist}/deno`, `${dist}/copy`);
  Deno.renameSync(`${dist}/copy`, `${dist}/deno`);
  for (const [program, parts] of Object.entries(PARTS)) {
    assertEquals(run(state(dist, program)), IT_RUNS);
    for (const name of parts) {
      const path = Deno.realPathSync(`${dist}${name}`);
      Deno.chownSync(path, USER, 0);
      const message =
        `hako: ${path} is not root's: whose it is could replace the program (docs/security.md)\n`;
      assertEquals(run(state(dist, program)), { code: 1, stderr: message });
      Deno.chownSync(path, 0, 0);
    }
    assertEquals(run(state(dist, program)), IT_RUNS);
  }
});

installTest(
  "a user runs what the user owns, and what root does, also as root of a namespace",
  needsRoot,
  (directory) => {
    const dist = `${directory}/dist`;
    build(dist, { snapshot: false });
    const user = { uid: USER, gid: USER };
    const namespace = ["unshare", "--user", "--map-root-user"];
    assertEquals(run(state(dist), user), IT_RUNS);
    assertEquals(run([...namespace, ...state(dist)], user), IT_RUNS);
    Deno.copyFileSync(`${dist}/deno`, `${dist}/copy`);
    Deno.renameSync(`${dist}/copy`, `${dist}/deno`);
    assertEquals(run(["chown", "-R", `${USER}`, directory]).code, 0);
    assertEquals(run(state(dist), user), IT_RUNS);
    assertEquals(run([...namespace, ...state(dist)], user), IT_RUNS);
    assertEquals(run([`${dist}/warm-up`], user), { code: 0, stderr: "" });
  },
);

installTest("root installs nothing where others may write", needsRoot, (directory) => {
  const dist = `${directory}/above/dist`;
  build(dist, { snapshot: false });
  const refused: readonly [string, (path: string) => void][] = [
    ["", (path) => Deno.chmodSync(path, 0o777)],
    ["/..", (path) => Deno.chmodSync(path, 0o757)],
    ["/..", (path) => (Deno.chownSync(path, 0, USER), Deno.chmodSync(path, 0o775))],
    ["/main.js", (path) => Deno.chmodSync(path, 0o666)],
    ["/main.js", (path) => Deno.chownSync(path, USER, 0)],
    ["/share", (path) => Deno.chownSync(path, USER, 0)],
  ];
  for (const [name, loosen] of refused) {
    const path = Deno.realPathSync(`${dist}${name}`);
    const { mode } = Deno.statSync(path);
    loosen(path);
    const { code, stderr } = run([`${dist}/warm-up`, "--no-snapshot"]);
    assertEquals(code, 1, stderr);
    assertStringIncludes(`${stderr}`, "others than root could replace the program");
    assert(stderr.split("\n").includes(path), stderr);
    Deno.chownSync(path, 0, 0);
    Deno.chmodSync(path, mode! & 0o7777);
  }
  // What is root's in a directory with the sticky bit, and what only root's group may write to.
  Deno.chmodSync(`${directory}/above`, 0o1777);
  Deno.chmodSync(`${dist}/main.js`, 0o775);
  assertEquals(run([`${dist}/warm-up`, "--no-snapshot"]), { code: 0, stderr: "" });
});

installTest("a caller's umask does not make the program anybody's", needsRoot, (directory) => {
  const before = Deno.umask(0);
  try {
    build(`${directory}/dist`);
  } finally {
    Deno.umask(before);
  }
  const found =
    new Deno.Command("find", { args: [`${directory}/dist`, "-perm", "/022"] }).outputSync().stdout;
  assertEquals(new TextDecoder().decode(found), "");
});

installTest("a Deno that belongs to another user is copied, and becomes root's", needsRoot, (directory) => {
  const deno = `${directory}/deno`;
  Deno.copyFileSync(Deno.execPath(), deno);
  Deno.chownSync(deno, USER, USER);
  const script = new URL("../../build.ts", import.meta.url).pathname;
  assertEquals(run([deno, "run", "-A", "--quiet", script, "--no-snapshot", `${directory}/dist`]), {
    code: 0,
    stderr: "",
  });
  assertEquals(Deno.statSync(`${directory}/dist/deno`).uid, 0);
  assertEquals(run(state(`${directory}/dist`)), IT_RUNS);
});
