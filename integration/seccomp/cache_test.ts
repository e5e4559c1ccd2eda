/**
 * Compiled filters are kept for later commands, and only what nobody else can have written is used.
 *
 * A run has a /run of its own in which the container is run twice, and something happens to the cache in between.
 */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { build } from "../../build.ts";
import { containerTest, inMountNamespace, type RunOptions } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

/** What the container does: the filter denies mkdir(2). */
const TRY = "mkdir /tmp/made 2>/dev/null && echo made || echo refused; rmdir /tmp/made 2>/dev/null; :";

const CONTAINER: RunOptions = {
  script: TRY,
  config: {
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
      },
    },
  },
};

const CACHE = "/run/hako-cache";
/** One instruction, RET ALLOW: whoever uses it can be told from who has compiled the policy. */
const replaceProgram = (lines: string) =>
  `sed -i '${lines}s|"program":"[^"]*"|"program":"BgAAAAAA/38="|' ${CACHE}/??`;
const POISON = replaceProgram("");

/** What happens to the cache, and what the second container then finds. */
const CASES: Readonly<Record<string, readonly [between: string, found: "refused" | "made"]>> = {
  "a filter is used again": [POISON, "made"],
  "one that is damaged is not used": [replaceProgram("1"), "refused"],
  "nor half of one": [`${POISON}; truncate -s -1 ${CACHE}/??`, "refused"],
  "nor an empty one": [`: > $(echo ${CACHE}/??)`, "refused"],
  "nor that of another policy": [`${POISON}; sed -i 2s/mkdirat/openat2/ ${CACHE}/??`, "refused"],
  "nor one of somebody else": [`${POISON}; chown 1000 ${CACHE}`, "refused"],
  "nor one where others can write": [`${POISON}; chmod 770 ${CACHE}`, "refused"],
  "nor one behind a link": [`${POISON}; mv ${CACHE} /run/other; ln -s other ${CACHE}`, "refused"],
  "nor one below a directory that others can write to": [`${POISON}; chmod 777 /run`, "refused"],
  "a directory in its place is no error": [
    `for file in ${CACHE}/??; do rm $file; mkdir $file; done`,
    "refused",
  ],
  "a cache that is gone is no error": [`rm -r ${CACHE}`, "refused"],
  "nor one that cannot be made": [`rm -r ${CACHE}; mount -o remount,ro /run`, "refused"],
};

const OWN_RUN = "mount -t tmpfs -o mode=755 run /run";

for (const [name, [between, found]] of Object.entries(CASES)) {
  containerTest(`cached filters: ${name}`, async (box) => {
    const under = inMountNamespace(`${OWN_RUN}\n"$@"\n${between}\nexec "$@"`);
    const { status, stdout, stderr } = await box.run({ ...CONTAINER, under });
    assertEquals([status, stdout, stderr], [0, `refused\n${found}\n`, ""]);
  });
}

containerTest("cached filters: what was damaged is replaced", async (box) => {
  const under = inMountNamespace(`${OWN_RUN}\n"$@"\n${replaceProgram("1")}\n"$@"\n${POISON}\nexec "$@"`);
  assertEquals((await box.run({ ...CONTAINER, under })).stdout, "refused\nrefused\nmade\n");
});

/** Where the compiler is, in dist/. */
const COMPILER = /seccomp\.js/;

function traced(trace: string): string[] {
  return ["strace", "--follow-forks", "--trace=openat,openat2", `--output=${trace}`];
}

containerTest("cached filters: the compiler is not loaded", async (box) => {
  const trace = `${box.directory}/trace`;
  const both = `${traced(`${trace}1`).join(" ")} "$@"\nexec ${traced(`${trace}2`).join(" ")} "$@"`;
  const under = inMountNamespace(`${OWN_RUN}\n${both}`);
  const { stdout } = await box.run({
    ...CONTAINER,
    under,
    runtime: [build(`${box.directory}/dist`, { snapshot: false })],
  });
  assertEquals(stdout, "refused\nrefused\n");
  assertMatch(Deno.readTextFileSync(`${trace}1`), COMPILER);
  assertNotMatch(Deno.readTextFileSync(`${trace}2`), COMPILER);
}, { needs: ["strace"] });

containerTest(
  "cached filters: a user's are in $XDG_RUNTIME_DIR, and nowhere if others can write there",
  async (box) => {
    const { path } = box.bundle(CONTAINER);
    const explain = `XDG_RUNTIME_DIR=$1 setpriv --reuid 1000 --regid 1000 --clear-groups ${
      build(`${box.directory}/dist`, { snapshot: false })
    } explain --bundle ${path} >/dev/null; ls $1/hako-cache 2>/dev/null | wc -l; ls $1 | wc -l`;
    const found = async (directory: string, mode: string) => {
      const script =
        `${OWN_RUN}\nmkdir -m 777 /run/open\nchmod 777 /run/open\nmkdir -m ${mode} ${directory}\nchown 1000 ${directory}\n${explain}`;
      const { stdout, stderr } = await run([...inMountNamespace(script), directory]);
      assertEquals(stderr, "");
      return stdout.trim().split(/\s+/).map(Number);
    };
    assertEquals(await found("/run/1000", "700"), [1, 1]);
    assertEquals(await found("/run/1000", "770"), [0, 0]);
    assertEquals(await found("/run/open/1000", "700"), [0, 0]);
  },
  { needs: ["setpriv"] },
);

containerTest("exec has the filter of its container, and needs neither cache nor compiler", async (box) => {
  const { id } = box;
  const { path } = box.bundle({ ...CONTAINER, script: undefined, args: ["/bin/sleep", "60"] });
  // Without pipes, which the container would keep open.
  const detached = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1', "sh"];
  await run(box.command(path, { id, options: ["--detach"], under: detached }));
  const trace = `${box.directory}/trace`;
  const built = build(`${box.directory}/dist`);
  const hako = (...args: string[]) => run([...traced(trace), built, "--root", box.state, ...args]);
  const { stdout, stderr } = await hako("exec", id, "/bin/sh", "-c", TRY);
  assertEquals([stdout, stderr], ["refused\n", ""]);
  assertNotMatch(Deno.readTextFileSync(trace), new RegExp(`${COMPILER.source}|${CACHE}`));
  await hako("delete", "--force", id);
}, { needs: ["strace"] });
