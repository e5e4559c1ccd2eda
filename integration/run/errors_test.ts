/** What a failed `run` says: one line that names the member of config.json, in the words that engines look for. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { containerTest, type RunOptions } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

interface Failure extends RunOptions {
  readonly words: RegExp;
  /** Into config.json, "" for all of it; absent where it is not at fault. */
  readonly pointer?: string;
  /** Changes the bundle once it is made. */
  readonly spoil?: (bundle: string) => void;
}

function executable(mode: number, text: string) {
  return (rootfs: string) => {
    Deno.writeTextFileSync(`${rootfs}/program`, text);
    Deno.chmodSync(`${rootfs}/program`, mode);
  };
}

const bind = (source: string, destination: string) => ({ destination, source, options: ["bind"] });

/** The words by which Docker and Podman tell 126 and 127 apart, and which people search for, are runc's. */
const FAILURES: Readonly<Record<string, Failure>> = {
  "a program that is not in PATH": {
    args: ["nothing"],
    words: /exec: "nothing": executable file not found in \$PATH/,
    pointer: "/process/args/0",
  },
  "a program that is not at its absolute path": {
    args: ["/nothing"],
    words: /exec: "\/nothing": no such file or directory/,
    pointer: "/process/args/0",
  },
  "a program that is not at its relative path": {
    args: ["./nothing"],
    words: /exec: "\.\/nothing": no such file or directory/,
    pointer: "/process/args/0",
  },
  "a program that may not be executed": {
    args: ["/program"],
    image: executable(0o644, "#!/bin/sh"),
    words: /exec: "\/program": permission denied/,
    pointer: "/process/args/0",
  },
  "a program in PATH that may not be executed": {
    args: ["program"],
    config: { process: { env: ["PATH=/"] } },
    image: executable(0o644, "#!/bin/sh"),
    words: /exec: "program": permission denied/,
    pointer: "/process/args/0",
  },
  "a program that only others may execute": {
    args: ["/program"],
    config: { process: { user: { uid: 1000, gid: 1000 } } },
    image: executable(0o700, "#!/bin/sh"),
    words: /permission denied/,
    pointer: "/process/args",
  },
  "a directory in the place of the program": {
    args: ["/bin"],
    words: /exec: "\/bin": is a directory/,
    pointer: "/process/args/0",
  },
  "a file above the program": {
    args: ["/etc/passwd/program"],
    words: /exec: "\/etc\/passwd\/program": not a directory/,
    pointer: "/process/args/0",
  },
  "a script whose interpreter is missing": {
    args: ["/program"],
    image: executable(0o755, "#!/nothing\n"),
    words: /execve\(.*: no such file or directory \(ENOENT\)/,
    pointer: "/process/args",
  },
  "a program that is neither a script nor a binary": {
    args: ["/program"],
    image: executable(0o755, "text\n"),
    words: /exec format error/,
    pointer: "/process/args",
  },
  "a loop of links in the place of the program": {
    args: ["/a"],
    image: (rootfs) => Deno.symlinkSync("a", `${rootfs}/a`),
    words: /too many (levels of )?symbolic links/,
    pointer: "/process/args/0",
  },
  "an option that the filesystem refuses": {
    mounts: [{ destination: "/a", type: "tmpfs", options: ["nosuid", "size=zzz"] }],
    words: /mount tmpfs on \/a: size=zzz: .*invalid argument/,
    pointer: "/mounts/7/options/1",
  },
  "an option that the filesystem does not know": {
    mounts: [{ destination: "/a", type: "tmpfs", options: ["nothing"] }],
    words: /mount tmpfs on \/a: nothing: .*invalid argument/,
    pointer: "/mounts/7/options/0",
  },
  "a source that is missing": {
    mounts: [bind("/nothing", "/a")],
    words: /bind \/nothing on \/a: .*no such file or directory/,
    pointer: "/mounts/7",
  },
  "a file to be mounted on a directory": {
    mounts: [bind("/etc/hostname", "/etc")],
    words: /not a directory/,
    pointer: "/mounts/7",
  },
  "a working directory that is a file": {
    config: { process: { cwd: "/etc/passwd" } },
    words: /not a directory/,
    pointer: "/process/cwd",
  },
  "a working directory that is relative": {
    config: { process: { cwd: "tmp" } },
    words: /Cwd must be an absolute path/,
    pointer: "/process/cwd",
  },
  "no working directory": {
    config: { process: { cwd: null } },
    words: /Cwd property must not be empty/,
    pointer: "/process/cwd",
  },
  "no arguments": { args: [], words: /args must not be empty/, pointer: "/process/args" },
  "no process": {
    config: { process: null },
    words: /process property must not be empty/,
    pointer: "/process",
  },
  "a root that is missing": {
    config: { root: { path: "nothing" } },
    words: /no such file or directory/,
    pointer: "/root/path",
  },
  "a root that is a link": {
    config: { root: { path: "link" } },
    spoil: (bundle) => Deno.symlinkSync("rootfs", `${bundle}/link`),
    words: /must not be a symbolic link/,
    pointer: "/root/path",
  },
  "a root that is a file": {
    config: { root: { path: "config.json" } },
    words: /not a directory/,
    pointer: "/root/path",
  },
  "a namespace that is not at its path": {
    config: {
      linux: { namespaces: [{ type: "mount" }, { type: "network", path: "/nothing" }] },
      hostname: null,
    },
    words: /join the network namespace \/nothing: .*no such file or directory/,
    pointer: "/linux/namespaces/1/path",
  },
  "a file that is no namespace": {
    config: {
      linux: { namespaces: [{ type: "mount" }, { type: "network", path: "/etc/hostname" }] },
      hostname: null,
    },
    words: /join the network namespace \/etc\/hostname: setns\(.*invalid argument/,
    pointer: "/linux/namespaces/1/path",
  },
  "a namespace of another type": {
    config: {
      linux: { namespaces: [{ type: "mount" }, { type: "network", path: "/proc/self/ns/uts" }] },
      hostname: null,
    },
    words: /setns\(.*invalid argument/,
    pointer: "/linux/namespaces/1/path",
  },
  "a resource that cannot be raised": {
    config: { process: { rlimits: [{ type: "RLIMIT_NICE", soft: 40, hard: 40 }] } },
    under: ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"],
    words: /set RLIMIT_NICE to 40:40: .*operation not permitted/,
    pointer: "/process/rlimits/0",
  },
  "no config.json": {
    spoil: (bundle) => Deno.removeSync(`${bundle}/config.json`),
    words: /JSON specification file .*\/config.json not found: no such file or directory/,
    pointer: "",
  },
  "a config.json that is no JSON": {
    spoil: (bundle) => Deno.writeTextFileSync(`${bundle}/config.json`, '{\n  "ociVersion": x\n}'),
    words: /must be JSON: .*line 2/,
    pointer: "",
  },
  "a config.json that is a directory": {
    spoil: (bundle) => {
      Deno.removeSync(`${bundle}/config.json`);
      Deno.mkdirSync(`${bundle}/config.json`);
    },
    words: /is a directory/i,
  },
  "a member of the wrong type": {
    config: { process: { args: "sh" as never } },
    args: undefined,
    words: /must be an array, not "sh"/,
    pointer: "/process/args",
  },
  "an id that is no file name": { id: "a/b", words: /invalid container ID format: "a\/b"/ },
  "an id that leads upwards": { id: "..", words: /invalid container ID format/ },
  "a bundle that is missing": {
    spoil: (bundle) => Deno.removeSync(bundle, { recursive: true }),
    words: /no such file or directory/,
    pointer: "",
  },
  "an option that does not exist": {
    options: ["--nothing"],
    words: /flag provided but not defined: -nothing/,
  },
  "an option without its value": { options: ["--pid-file"], words: /exactly 1 argument/ },
};

for (const [name, failure] of Object.entries(FAILURES)) {
  containerTest(name, async (box) => {
    const { words, pointer, spoil } = failure;
    const { path } = box.bundle(failure);
    spoil?.(path);

    const { status, stdout, stderr } = await run(box.command(path, failure), failure);
    assertEquals([status, stdout], [1, ""], stderr);
    assertMatch(stderr, /^hako: [^\n]*\n$/, "more or less than a line");
    assertMatch(stderr, words);
    if (pointer) assertMatch(stderr, new RegExp(`config\\.json ${pointer}(:|\n$)`));

    const file = `${box.directory}/log`;
    const global = ["--log", file, "--log-format", "json"];
    const logged = await run(box.command(path, { ...failure, global }), failure);
    assertEquals([logged.status, logged.stdout, logged.stderr], [1, "", stderr]);
    assertLog(Deno.readTextFileSync(file), stderr, pointer);
  });
}

/** containerd takes the last line of level "error", Podman the whole file as one object. */
function assertLog(text: string, stderr: string, pointer?: string): void {
  assertMatch(text, /^[^\n]*\n$/, "more or less than a line");
  const { level, msg, time, config } = JSON.parse(text);
  assertEquals({ level, msg, config }, {
    level: "error",
    msg: stderr.slice("hako: ".length, -1),
    config: pointer,
  });
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
}

containerTest("an id that is taken", async (box) => {
  const { path } = box.bundle({ script: "echo ready; read end" });
  const command = box.command(path, { id: box.id });
  const first = new Deno.Command(command[0]!, { args: command.slice(1), stdin: "piped", stdout: "piped" })
    .spawn();
  const reader = first.stdout.getReader();
  await reader.read();
  const { status, stderr } = await run(command);
  assertEquals([status, stderr], [1, `hako: container with given ID already exists: ${box.id}\n`]);
  await first.stdin.close();
  await reader.cancel();
  assert(!(await first.status).success);
});

containerTest("a log that cannot be opened", async (box) => {
  const { path } = box.bundle();
  const { status, stderr } = await run(box.command(path, { global: ["--log", "/nothing/log"] }));
  assertEquals(status, 1);
  assertMatch(stderr, /^hako: cannot open the log: [^\n]*\n$/);
});

containerTest("warnings of a container that runs go to stderr, or to the log alone", async (box) => {
  const { path } = box.bundle({
    config: { process: { capabilities: { bounding: ["CAP_NOTHING"] } } },
    script: "true",
  });
  const plain = await run(box.command(path));
  assertMatch(plain.stderr, /^(hako: warning: [^\n]*\n)+$/);
  const file = `${box.directory}/log`;
  const logged = await run(box.command(path, { global: ["--log", file, "--log-format", "json"] }));
  assertEquals(logged, { status: 0, stdout: "", stderr: "" });
  const levels = Deno.readTextFileSync(file).trim().split("\n").map((line) => JSON.parse(line).level);
  assertEquals(new Set(levels), new Set(["warning"]));
});

containerTest("after an error the id is free again", async (box) => {
  assertEquals((await box.run({ id: box.id, args: ["/nothing"] })).status, 1);
  assertEquals(await box.run({ id: box.id, args: ["true"] }), { status: 0, stdout: "", stderr: "" });
});
