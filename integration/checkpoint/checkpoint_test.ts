/** checkpoint and restore: processes that go on where they were, on the real kernel with a real CRIU. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../runtime/spec/config.ts";
import { fails, type Hako, hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { finish, HAKO, spawn } from "../support/hako.ts";
import { Pty } from "../support/pty.ts";
import { ENVIRONMENT, hasFeature, NO_CRIU } from "./criu.ts";

function criuTest(name: string, fn: (box: Box, hako: Hako) => Promise<void>, skip = NO_CRIU): void {
  containerTest(name, (box) => fn(box, hakoOf(box, [], { env: ENVIRONMENT })), { ...skip && { skip } });
}

/** Counts in its memory, into a file that it has open, from a directory of its own. */
const COUNTER = `
  mkdir -p /counter && cd /counter && exec 3>>/numbers
  sleep 1000 &
  i=0; while :; do i=$((i+1)); echo $i $PWD >&3; sleep 0.01; done`;

function numbers(rootfs: string): number[] {
  const lines = Deno.readTextFileSync(`${rootfs}/numbers`).split("\n").slice(0, -1);
  return lines.map((line) => {
    assertMatch(line, /^\d+ \/counter$/);
    return Number(line.split(" ")[0]);
  });
}

/** Waits until the counter has gone on by some. */
async function counts(rootfs: string): Promise<number> {
  const has = () => {
    try {
      return numbers(rootfs).length;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  };
  const before = has();
  await until(() => has() > before + 5);
  return has();
}

/** It was not begun again, and has left nothing out. */
function assertUnbroken(rootfs: string): void {
  const found = numbers(rootfs);
  assertEquals(found, found.map((_, index) => index + 1));
}

/** All that a process is by /proc, but for numbers that are never the same. */
async function describe(hako: Hako, id: string): Promise<Record<string, unknown>> {
  const read = (name: string) => ok(hako("exec", id, "cat", `/proc/1/${name}`));
  const status = (await read("status")).split("\n").filter((line) =>
    /^(Name|Umask|Pid|PPid|TracerPid|Uid|Gid|Groups|Sig(Blk|Ign|Cgt)|Cap|NoNewPrivs|Seccomp\b)/
      .test(line)
  );
  const mounts = (await read("mountinfo")).trim().split("\n").map((line) => {
    const [, , , root, point, options, ...rest] = line.split(" ");
    // CRIU restores the contents of a tmpfs, and not how it was called.
    return [root, point, options, rest[rest.indexOf("-") + 1]].join(" ");
  });
  return {
    status,
    mounts: mounts.sort(),
    limits: await read("limits"),
    oom: await read("oom_score_adj"),
    cwd: await ok(hako("exec", id, "readlink", "/proc/1/cwd")),
    hostname: await ok(hako("exec", id, "hostname")),
    tmp: await ok(hako("exec", id, "ls", "-la", "/dev/shm")),
  };
}

const LIMITED: { readonly config: Partial<Config> & { readonly linux: Config["linux"] } } = {
  config: {
    hostname: "saved",
    linux: {
      resources: { pids: { limit: 77 } },
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }],
      },
    },
  },
};

criuTest("a container that was saved goes on as what it was", async (box, hako) => {
  const [source, file] = [`${box.directory}/source`, `${box.directory}/file`];
  Deno.mkdirSync(source, { mode: 0o755 });
  Deno.writeTextFileSync(file, "of the host\n");
  const { path, rootfs } = box.bundle({
    ...LIMITED,
    script: `echo kept >/dev/shm/kept; ${COUNTER.replace("mkdir -p /counter && ", "")}`,
    image: (rootfs) => Deno.mkdirSync(`${rootfs}/counter`),
    mounts: [
      { destination: "/bound/here", type: "bind", source, options: ["rbind", "ro"] },
      { destination: "/bound/again", type: "bind", source, options: ["bind", "ro"] },
      { destination: "/bound/file", type: "bind", source: file, options: ["bind", "nosuid"] },
    ],
  });
  const images = `${box.directory}/images`;
  const { id } = box;
  await ok(hako("run", "--detach", "--bundle", path, id));
  await counts(rootfs);
  const before = await describe(hako, id);
  await ok(hako("checkpoint", "--image-path", images, id));
  await fails(hako("state", id), `container does not exist: ${id}`);
  const saved = numbers(rootfs).length;
  assertUnbroken(rootfs);

  const pidFile = `${box.directory}/pid`;
  await ok(hako("restore", "--detach", "--bundle", path, "--image-path", images, "--pid-file", pidFile, id));
  assertEquals(await statusOf(hako, id), "running");
  assert(await counts(rootfs) > saved);
  assertUnbroken(rootfs);
  assertEquals(await describe(hako, id), before);
  const { pid } = JSON.parse(await ok(hako("state", id)));
  assertEquals(Deno.readTextFileSync(pidFile), `${pid}`);
  assertEquals(await ok(hako("exec", id, "cat", "/dev/shm/kept", "/bound/file")), "kept\nof the host\n");
  await fails(
    hako("exec", id, "mkdir", "/no"),
    "mkdir: can't create directory '/no': No space left on device",
  );
  assertEquals(JSON.parse(await ok(hako("events", "--stats", id))).data.pids.limit, 77);

  // It is any other container.
  await ok(hako("pause", id));
  assertEquals(await statusOf(hako, id), "paused");
  await ok(hako("resume", id));
  await ok(hako("kill", id, "KILL"));
  await until(async () => await statusOf(hako, id) === "stopped");
  await ok(hako("delete", id));
});

criuTest(
  "a container that was restored can be saved again, and restored under another id",
  async (box, hako) => {
    const { path, rootfs } = box.bundle({ script: COUNTER });
    let id = `${box.id}-0`;
    await ok(hako("run", "--detach", "--bundle", path, id));
    for (const round of [1, 2, 3]) {
      await counts(rootfs);
      const images = `${box.directory}/images${round}`;
      await ok(hako("checkpoint", "--image-path", images, "--work-path", `${box.directory}/work`, id));
      id = `${box.id}-${round}`;
      await ok(hako("restore", "--detach", "--bundle", path, "--image-path", images, id));
    }
    await counts(rootfs);
    assertUnbroken(rootfs);
    await ok(hako("delete", "--force", id));
  },
);

/** A command with pipes for its streams. */
function piped(box: Box, ...args: readonly string[]): Deno.ChildProcess {
  return spawn([...HAKO, "--root", box.state, ...args], { env: ENVIRONMENT });
}

criuTest(
  "restore stays with the container: pipes, signals and the exit status are its own",
  async (box, hako) => {
    const { path, rootfs } = box.bundle({
      script: `trap 'echo bye >&2; exit 7' TERM; echo first; ${COUNTER}`,
    });
    const images = `${box.directory}/images`;
    const first = piped(box, "run", "--bundle", path, box.id);
    await counts(rootfs);
    await ok(hako("checkpoint", "--image-path", images, box.id));
    assertEquals(await finish(first), { status: 137, stdout: "first\n", stderr: "" });

    const second = piped(box, "restore", "--bundle", path, "--image-path", images, box.id);
    await counts(rootfs);
    second.kill("SIGTERM");
    assertEquals(await finish(second), { status: 7, stdout: "", stderr: "bye\n" });
    assertUnbroken(rootfs);
    await fails(hako("state", box.id), "container does not exist");
  },
);

criuTest("--leave-running lets the container go on", async (box, hako) => {
  const { path, rootfs } = box.bundle({ script: COUNTER });
  const images = `${box.directory}/images`;
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  await counts(rootfs);
  await ok(hako("checkpoint", "--leave-running", "--image-path", images, box.id));
  assertEquals(await statusOf(hako, box.id), "running");
  await counts(rootfs);
  assertUnbroken(rootfs);
  await fails(
    hako("restore", "--detach", "--bundle", path, "--image-path", images, box.id),
    `container with given ID already exists: ${box.id}`,
  );
  await ok(hako("delete", "--force", box.id));
});

criuTest("what cannot be saved or restored is one clear error, and changes nothing", async (box, hako) => {
  const { path, rootfs } = box.bundle({ script: COUNTER });
  const images = `${box.directory}/images`;
  const { id } = box;
  await fails(hako("checkpoint", "--image-path", images, id), `container does not exist: ${id}`);
  await ok(hako("create", "--bundle", path, id));
  await fails(
    hako("checkpoint", "--image-path", images, id),
    "Container cannot be checkpointed in created state",
  );
  await ok(hako("start", id));
  await counts(rootfs);

  const fake = `${box.directory}/fake`;
  Deno.mkdirSync(fake);
  Deno.symlinkSync("/bin/busybox", `${fake}/sh`);
  const without = hakoOf(box, [], { env: { PATH: fake } });
  for (const command of [["checkpoint"], ["restore", "--detach", "--bundle", path]]) {
    await fails(without(...command, "--image-path", images, `${id}`), "criu is not installed");
  }
  const read = "/bin/busybox head -c 1 <&3 >/dev/null";
  const broken: Record<string, string> = {
    "exit 1": "criu has ended without an answer",
    [read]: "criu has ended without an answer",
    // A version of 3.10: success, version { 3, 10 }.
    [`${read}; printf '\\010\\012\\020\\001\\122\\004\\010\\003\\020\\012' >&3`]:
      "criu 3.10 is too old: it takes 3.15 or later",
  };
  for (const [script, words] of Object.entries(broken)) {
    Deno.writeTextFileSync(`${fake}/criu`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const unfit = hakoOf(box, [], { env: { PATH: fake } });
    await fails(unfit("checkpoint", "--image-path", images, id), words);
  }
  await fails(
    hako("checkpoint", "--image-path", images, "--parent-path", "/x", id),
    "--parent-path must be relative",
  );
  await fails(
    hako("checkpoint", "--image-path", images, "--parent-path", "../x", id),
    "invalid --parent-path",
  );
  await fails(
    hako("checkpoint", "--image-path", images, "--page-server", "x", id),
    "use --page-server ADDRESS:PORT",
  );
  assertEquals(await statusOf(hako, id), "running");
  await counts(rootfs);

  const restore = (...args: string[]) => hako("restore", "--detach", "--bundle", path, ...args, `${id}-2`);
  await fails(restore("--image-path", `${box.directory}/nothing`), "no such file or directory");
  await fails(restore("--image-path", path), `no checkpoint in ${path}`);
  await ok(hako("checkpoint", "--image-path", images, id));
  await fails(restore("--image-path", images, "--console-socket", "/x"), "cannot use console socket");
  await fails(restore("--image-path", images, "--empty-ns", "user"), 'namespace "user" is not supported');
  for (const name of ["pstree.img", "inventory.img", "descriptors.json"]) {
    const file = `${images}/${name}`;
    const whole = Deno.readFileSync(file);
    Deno.writeFileSync(file, whole.subarray(0, 10));
    const words = name === "descriptors.json" ? "is damaged" : "criu cannot restore";
    await fails(restore("--image-path", images), words);
    await fails(hako("state", `${id}-2`), "container does not exist");
    Deno.writeFileSync(file, whole);
  }
  // Nothing of that was done to it.
  await ok(restore("--image-path", images));
  await counts(rootfs);
  assertUnbroken(rootfs);
  await ok(hako("delete", "--force", `${id}-2`));
});

criuTest("a paused container can be saved, and goes on when it is restored", async (box, hako) => {
  const { path, rootfs } = box.bundle({ script: COUNTER });
  const images = `${box.directory}/images`;
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  await counts(rootfs);
  await ok(hako("pause", box.id));
  await ok(hako("checkpoint", "--image-path", images, box.id));
  await ok(hako("restore", "--detach", "--bundle", path, "--image-path", images, box.id));
  await counts(rootfs);
  assertUnbroken(rootfs);
  await ok(hako("delete", "--force", box.id));
});

criuTest("the loopback interface of a network namespace of its own is up again", async (box, hako) => {
  const { path, rootfs } = box.bundle({
    script: COUNTER,
    config: {
      hostname: null,
      // CRIU refuses an IPC namespace with message queues, which the host's may have.
      linux: { namespaces: [{ type: "pid" }, { type: "network" }, { type: "mount" }, { type: "ipc" }] },
    },
  });
  const images = `${box.directory}/images`;
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  await counts(rootfs);
  const before = await ok(hako("exec", box.id, "ip", "address", "show", "lo"));
  assertMatch(before, /<LOOPBACK,UP,LOWER_UP>[^]*127\.0\.0\.1/);
  await ok(hako("checkpoint", "--image-path", images, box.id));
  await ok(hako("restore", "--detach", "--bundle", path, "--image-path", images, box.id));
  assertEquals(await ok(hako("exec", box.id, "ip", "address", "show", "lo")), before);
  await ok(hako("delete", "--force", box.id));
});

criuTest(
  "hooks see the container; one that fails, or kills the runtime, leaves nothing",
  async (box, hako) => {
    const { path, rootfs, config } = box.bundle({ script: COUNTER });
    const images = `${box.directory}/images`;
    await ok(hako("run", "--detach", "--bundle", path, box.id));
    await counts(rootfs);
    await ok(hako("checkpoint", "--image-path", images, box.id));

    const restore = (script: string) => {
      const createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", script] }];
      Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify({ ...config, hooks: { createRuntime } }));
      return hako("restore", "--detach", "--bundle", path, "--image-path", images, box.id);
    };
    await fails(restore("exit 3"), "error running createRuntime hook #0 /bin/sh: exit status 3");
    await fails(hako("state", box.id), "container does not exist");

    const killed = await restore("kill -KILL $PPID; sleep 0.2");
    assertEquals(killed.status, 137, killed.stderr);
    await ok(hako("delete", "--force", box.id));
    await fails(hako("state", box.id), "container does not exist");
    // The image is whole: nothing of it was below a directory that was removed.
    assertEquals(Deno.statSync(`${rootfs}/bin/busybox`).isFile, true);

    const seen = `${box.directory}/seen`;
    await ok(restore(`cat >${seen}`));
    const { status, pid } = JSON.parse(Deno.readTextFileSync(seen));
    assertEquals([status, pid], ["creating", JSON.parse(await ok(hako("state", box.id))).pid]);
    await counts(rootfs);
    assertUnbroken(rootfs);
    await ok(hako("delete", "--force", box.id));
  },
);

criuTest("a terminal is joined to ours where the container is restored", async (box, hako) => {
  const { path } = box.bundle({
    args: ["/bin/sh", "-c", "echo ready; while read line; do echo got $line $((n+=1)); done"],
    config: { process: { terminal: true } },
  });
  const images = `${box.directory}/images`;
  const command = (
    ...words: string[]
  ) => ["env", `PATH=${ENVIRONMENT.PATH}`, ...HAKO, "--root", box.state, ...words];
  using first = new Pty();
  await first.run(command("run", "--bundle", path, box.id), async () => {
    await first.shows(/ready/);
    await first.type("one\n");
    await first.shows(/got one 1/);
    await ok(hako("checkpoint", "--image-path", images, box.id));
  });
  using second = new Pty();
  const status = await second.run(
    command("restore", "--bundle", path, "--image-path", images, box.id),
    async () => {
      await until(async () => (await hako("state", box.id)).status === 0);
      await second.type("two\n");
      await second.shows(/got two 2/);
      await ok(hako("kill", box.id, "KILL"));
    },
  );
  assertEquals(status, 137);
});

criuTest(
  "--pre-dump saves memory before, or says that the kernel cannot tell what changes",
  async (box, hako) => {
    const { path, rootfs } = box.bundle({ script: COUNTER });
    const [before, images] = [`${box.directory}/before`, `${box.directory}/images`];
    await ok(hako("run", "--detach", "--bundle", path, box.id));
    await counts(rootfs);
    const preDump = () => hako("checkpoint", "--pre-dump", "--image-path", before, box.id);
    if (hasFeature("mem_dirty_track")) {
      await ok(preDump());
      await counts(rootfs);
      await ok(hako("checkpoint", "--parent-path", "../before", "--image-path", images, box.id));
      await ok(hako("restore", "--detach", "--bundle", path, "--image-path", images, box.id));
    } else {
      await fails(preDump(), "criu cannot do this on this kernel: it has no mem_track");
    }
    await counts(rootfs);
    assertUnbroken(rootfs);
    await ok(hako("delete", "--force", box.id));
  },
);
