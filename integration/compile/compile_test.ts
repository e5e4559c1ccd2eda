/**
 * `hako compile`: the executable does what `hako run` does, and no Hako is there when it runs.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterMounting, containerTest, type RunOptions } from "../support/fixture.ts";
import { finish, HAKO, type Result, run, spawn } from "../support/hako.ts";
import { parseProbe, probeScript } from "../support/probe.ts";
import { compile, compileAndRun, type CompileOptions, groupsOf, withoutWarnings } from "./compiled.ts";

/** Root is the user 12345. */
const ROOT = [{ containerID: 0, hostID: 12345, size: 1 }];

/** The image of an engine with a user namespace belongs to the container's root. */
function chownTree(directory: string, id: number): void {
  Deno.chownSync(directory, id, id);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) chownTree(`${directory}/${name}`, id);
  }
}

/** Whose containers look the same from inside, compiled or not. */
const SAME: Readonly<Record<string, RunOptions>> = {
  "a plain container": {},
  "Docker's default": { golden: "docker-default" },
  "Docker's with less": { golden: "docker-hardened" },
  "Docker's privileged": { golden: "docker-privileged" },
  "Docker's with limits": { golden: "docker-limits" },
  "Podman's default": { golden: "podman-default" },
  "Podman's with a user namespace": {
    golden: "podman-userns",
    image: (rootfs) => chownTree(rootfs, 100000),
  },
  "a user and a working directory": {
    config: {
      process: {
        user: { uid: 1000, gid: 1000, additionalGids: [7, 8], umask: 0o27 },
        cwd: "/tmp",
        rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }],
        oomScoreAdj: 100,
      },
    },
  },
};

for (const [name, options] of Object.entries(SAME)) {
  containerTest(`compile: ${name} looks the same as run`, async (box) => {
    const same: RunOptions = {
      ...options,
      args: ["/bin/sh", "-c", probeScript(["/etc/passwd", "/proc/kcore", "/sys/firmware"])],
      // Docker's hook is for its own network; there is no right to Podman's limits here.
      config: {
        hostname: "box",
        hooks: null,
        ...options.config,
        process: { rlimits: null, ...options.config?.process },
        linux: { cgroupsPath: null },
      },
    };
    const words = async (result: Promise<Result>) => {
      const { status, stdout, stderr } = await result;
      assertEquals({ status, stderr: withoutWarnings(stderr) }, { status: 0, stderr: "" });
      // Each has its own names for what it is given anew.
      return parseProbe(stdout.replaceAll(/hako-test-[\w.-]+/g, "NAME").replaceAll(/bundle\d/g, "BUNDLE"))
        // Without a path in the config, an executable's cgroup begins at the mount point and not at the caller's.
        .map((line) => line.replace(/^(mount \S+ cgroup\d? cgroup) \S*(NAME)/, "$1 /$2"));
    };
    const [compiled, ran] = [await words(compileAndRun(box, same)), await words(box.run(same))];
    // The limit of open files is the caller's, whom Deno has not raised it for.
    const comparable = (lines: string[]) => lines.filter((line) => !line.startsWith("limit Max open files"));
    assertEquals(comparable(compiled), comparable(ran));
  });
}

/** A test of cgroup v1 says why it is skipped. */
const WITHOUT_V1 = [...Deno.readDirSync("/sys/fs/cgroup")].some(({ name }) => name === "pids")
  ? {}
  : { skip: "no hierarchy of cgroup v1 for pids" };

interface Case extends CompileOptions {
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
  readonly status?: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "its exit status": { script: "exit 42", status: 42 },
  "a program in PATH": { args: ["echo", "found"], stdout: "found\n" },
  "no such program": {
    args: ["nothing"],
    status: 127,
    stderr: /: config.json \/process\/args: exec "nothing": execve: no such file or directory \(ENOENT\)\n$/,
  },
  "a file that is no program": {
    args: ["/text"],
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/text`, "text", { mode: 0o644 }),
    status: 126,
    stderr: /permission denied \(EACCES\)\n$/,
  },
  "arguments go behind those of the config": {
    args: ["/bin/echo", "one"],
    given: ["two", "--three"],
    stdout: "one two --three\n",
  },
  "arguments take the place of the config's": {
    args: ["/bin/echo", "one"],
    compile: ["--keep-args", "1"],
    given: ["--", "two"],
    stdout: "two\n",
  },
  "variables": {
    script: "echo $A $B",
    compile: ["--env", "A=1", "-e", "B"],
    env: { A: "no", B: "theirs" },
    stdout: "1 theirs\n",
  },
  "the standard streams are the caller's": { args: ["/bin/cat"], stdin: "typed", stdout: "typed" },
  "the host's /dev/null is not the container's": {
    script: "chmod 700 /proc/self/fd/0; stat -L -c %a /proc/self/fd/0",
    stdout: "700\n",
  },
  "the file of the executable cannot be reached by an interpreter": {
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/script`, "#!/proc/self/exe\n", { mode: 0o755 }),
    args: ["/script"],
    status: 126,
    stderr: /exec format error \(ENOEXEC\)\n$/,
  },
  "a step that fails is told, and nothing is left": {
    mounts: [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=zzz"] }],
    status: 125,
    stderr:
      /: config.json \/mounts\/\d+\/options\/0: mount tmpfs on \/x: size=zzz: fsconfig: invalid argument \(EINVAL\)\n$/,
  },
  "a filter": {
    config: {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }],
        },
      },
    },
    script: "mkdir /made",
    status: 1,
    stderr: "mkdir: can't create directory '/made': Permission denied\n",
  },
  "a limit of processes": {
    config: { linux: { resources: { pids: { limit: 2 } } } },
    script: "sleep 1 & /bin/true; echo no",
    status: 2,
    stderr: /can't fork/,
  },
  "clocks of its own": {
    config: {
      linux: {
        namespaces: [{ type: "pid" }, { type: "mount" }, { type: "uts" }, { type: "time" }],
        timeOffsets: { boottime: { secs: 1_000_000_000 } },
      },
    },
    script: "cut -c 1-2 /proc/uptime | grep 1 > /dev/null && cut -d . -f 1 /proc/uptime | wc -c",
    stdout: "11\n",
  },
};

for (const [name, { stdout = "", stderr = "", status = 0, ...options }] of Object.entries(CASES)) {
  containerTest(`compile: ${name}`, async (box) => {
    const result = await compileAndRun(box, options);
    const text = (found: string, wanted: string | RegExp) => {
      if (typeof wanted === "string") return found;
      assertMatch(found, wanted, JSON.stringify(result));
      return wanted;
    };
    assertEquals(
      { status: result.status, stdout: text(result.stdout, stdout), stderr: text(result.stderr, stderr) },
      { status, stdout, stderr },
    );
    assertEquals(groupsOf(box), []);
  });
}

containerTest("compile: signals reach the process, whose cgroup is there until it ends", async (box) => {
  const tool = await compile(box, {
    script: 'trap "echo term; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
  });
  const child = spawn([tool]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, "ready\n");
  assert(groupsOf(box).length > 0);
  child.kill("SIGTERM");
  assertEquals((await reader.read()).value, "term\n");
  await reader.cancel();
  await child.stderr.cancel();
  assertEquals((await child.status).code, 3);
  assertEquals(groupsOf(box), []);
});

containerTest("compile: several run at once", async (box) => {
  const tool = await compile(box, { script: "echo $1; sleep 0.2", compile: [] });
  const results = await Promise.all(Array.from({ length: 8 }, () => finish(spawn([tool]))));
  assertEquals(
    results.map(({ status, stderr }) => ({ status, stderr })),
    Array(8).fill({ status: 0, stderr: "" }),
  );
  assertEquals(groupsOf(box), []);
});

containerTest("compile: an ordinary user runs what was compiled with --rootless", async (box) => {
  const tool = await compile(box, {
    config: {
      linux: {
        uidMappings: ROOT,
        gidMappings: ROOT,
        namespaces: [{ type: "user" }, { type: "pid" }, { type: "mount" }, { type: "uts" }],
      },
      hostname: "rootless",
      // Neither sysfs nor cgroups can be mounted so.
      mounts: [
        { destination: "/proc", type: "proc", source: "proc" },
        { destination: "/dev", type: "tmpfs", source: "tmpfs" },
      ],
    },
    image: (rootfs) =>
      ["proc", "dev"].forEach((name) => Deno.mkdirSync(`${rootfs}/${name}`, { recursive: true })),
    script: "id -u; hostname; cat /proc/self/uid_map | tr -s ' '; ls /proc/self/fd | wc -l",
    compile: ["--rootless"],
  });
  const { status, stdout, stderr } = await run([
    "setpriv",
    "--reuid=12345",
    "--regid=12345",
    "--clear-groups",
    tool,
  ]);
  assertEquals({ status, stdout, stderr }, { status: 0, stdout: "0\nrootless\n 0 12345 1\n4\n", stderr: "" });
}, { needs: ["setpriv"] });

containerTest(
  "compile: without root's rights a limit goes where the config says, if the user may write there",
  async (box) => {
    const place = `/sys/fs/cgroup/pids/${box.id}`;
    Deno.mkdirSync(place);
    try {
      // As a delegation is: the directory, and who is in it.
      for (const file of ["", "/tasks", "/cgroup.procs"]) Deno.chownSync(`${place}${file}`, 12345, 12345);
      const tool = await compile(box, {
        config: {
          linux: {
            uidMappings: ROOT,
            gidMappings: ROOT,
            namespaces: [{ type: "user" }, { type: "pid" }, { type: "mount" }, { type: "uts" }],
            cgroupsPath: `/${box.id}`,
            resources: { pids: { limit: 2 } },
          },
          mounts: [
            { destination: "/proc", type: "proc", source: "proc" },
            { destination: "/dev", type: "tmpfs", source: "tmpfs" },
          ],
        },
        script: "sleep 1 & /bin/true; echo no",
        compile: ["--rootless"],
      });
      const { status, stderr } = await run([
        "setpriv",
        "--reuid=12345",
        "--regid=12345",
        "--clear-groups",
        tool,
      ]);
      assertEquals(status, 2, stderr);
      assertMatch(stderr, /can't fork/);
      assertEquals([...Deno.readDirSync(place)].filter(({ isDirectory }) => isDirectory), []);
    } finally {
      Deno.removeSync(place);
    }
  },
  { needs: ["setpriv"], ...WITHOUT_V1 },
);

containerTest(
  "compile: without root's rights limits are refused, unless a place for them is named",
  async (box) => {
    const bundle = box.bundle({
      config: {
        linux: {
          uidMappings: ROOT,
          gidMappings: ROOT,
          namespaces: [{ type: "user" }, { type: "pid" }, { type: "mount" }, { type: "uts" }],
          resources: { pids: { limit: 5 } },
        },
      },
    }).path;
    const result = await run([...HAKO, "compile", "--rootless", "-b", bundle, "-o", `${box.directory}/tool`]);
    assertEquals(result.status, 1);
    assertMatch(result.stderr, /config.json \/linux\/resources\/pids\/limit: cannot be set/);
  },
);

containerTest("explain prints the plan of an executable, and does not believe a changed one", async (box) => {
  const tool = await compile(box, { args: ["/bin/echo", "x"] });
  const explained = await run([...HAKO, "explain", tool]);
  assertEquals([explained.status, explained.stderr], [0, ""]);
  assertMatch(
    explained.stdout,
    /\$argv: "\/bin\/echo" "x"; arguments of the executable go behind the first 2\n/,
  );
  assertMatch(explained.stdout, /execve\("\/bin\/echo", \$argv, \$envp\)/);
  assertMatch(explained.stdout, /When the container has ended:\n[^]*exit_group\(\$exit\)/);
  const bytes = Deno.readFileSync(tool);
  bytes[600]! ^= 1;
  Deno.writeFileSync(tool, bytes);
  const changed = await run([...HAKO, "explain", tool]);
  assertEquals([changed.status, changed.stdout], [1, ""]);
  assertMatch(changed.stderr, /has other code than its plan gives/);
});

containerTest("compile: without a pid namespace what the process leaves behind is killed", async (box) => {
  const namespaces = [{ type: "mount" }, { type: "uts" }, { type: "ipc" }] as const;
  const { status, stdout, stderr } = await compileAndRun(box, {
    config: { linux: { namespaces } },
    script: "sleep 1000 & echo started",
  });
  assertEquals({ status, stdout, stderr }, { status: 0, stdout: "started\n", stderr: "" });
  assertEquals(groupsOf(box), []);
});

containerTest(
  "compile: with cgroup v2 alone devices are limited by a program, and the cgroup is removed",
  async (box) => {
    const bundle = box.bundle({
      config: {
        process: {
          capabilities: { bounding: ["CAP_MKNOD"], effective: ["CAP_MKNOD"], permitted: ["CAP_MKNOD"] },
        },
      },
      mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }],
      script: "grep -c '^0::/hako-test' /proc/self/cgroup; mknod /tmp/disk b 8 0; cat /tmp/disk",
    }).path;
    const tool = `${box.directory}/${box.id}`;
    const only = afterMounting("umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup");
    const compiled = await run([...only, ...HAKO, "compile", "--bundle", bundle, "--output", tool]);
    assertEquals([compiled.status, compiled.stderr], [0, ""]);
    const { status, stdout, stderr } = await run([...only, tool]);
    assertEquals([status, stdout], [1, "1\n"]);
    assertMatch(stderr, /^cat: can't open '\/tmp\/disk': Operation not permitted\n$/);
    assertEquals(groupsOf(box), []);
  },
);
