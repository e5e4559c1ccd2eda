/** create, start, state, list, exec, pause, resume, update, ps, events, kill and delete: containers between commands. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { livingChildren } from "../support/children.ts";
import { fails, hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { exists } from "../support/files.ts";
import { containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

containerTest(
  "a container goes from created over running to stopped, and each command knows where it is",
  async (box) => {
    const hako = hakoOf(box);
    const { id } = box;
    const { path, config } = box.bundle({
      args: ["sleep", "1000"],
      config: { annotations: { key: "value" } },
    });
    const pidFile = `${box.directory}/pid`;
    await ok(hako("create", "--bundle", path, "--pid-file", pidFile, id));

    const state = JSON.parse(await ok(hako("state", id)));
    assertEquals(
      { ...state, created: undefined, pid: undefined },
      {
        ociVersion: "1.3.0",
        id,
        status: "created",
        bundle: path,
        rootfs: `${path}/${config.root.path}`,
        annotations: { key: "value" },
        owner: "",
        created: undefined,
        pid: undefined,
      },
    );
    assertMatch(state.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    assertEquals(Deno.readTextFileSync(pidFile), `${state.pid}`);
    await fails(hako("create", "--bundle", path, id), "container with given ID already exists");

    await ok(hako("start", id));
    assertEquals(await statusOf(hako, id), "running");
    await fails(hako("start", id), "cannot start an already running container");
    await fails(hako("delete", id), `cannot delete container ${id} that is not stopped: running`);
    assertEquals(JSON.parse(await ok(hako("ps", "--format", "json", id))), [state.pid]);
    assertEquals((await ok(hako("list", "-q"))).trim(), id);
    const running = JSON.parse(await ok(hako("state", id)));
    assertEquals(JSON.parse(await ok(hako("list", "--format", "json"))), [{ ...running, owner: "root" }]);
    const [header, line, rest] = (await ok(hako("list"))).split("\n").map((line) => line.split(/ {3,}/));
    assertEquals(header, ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]);
    assertEquals(line, [id, `${state.pid}`, "running", path, state.created, "root"]);
    assertEquals(rest, [""]);

    await ok(hako("kill", id, "KILL"));
    await until(async () => await statusOf(hako, id) === "stopped");
    assertEquals(JSON.parse(await ok(hako("state", id))).pid, 0);
    await fails(hako("kill", id), "container not running");
    await fails(hako("start", id), "cannot start a container that has stopped");
    await fails(hako("exec", id, "true"), "cannot exec in a stopped container", 255);
    await ok(hako("delete", id));

    for (const command of ["state", "start", "kill", "delete", "pause", "resume", "ps"]) {
      await fails(hako(command, id), `container does not exist: ${id}`);
    }
    await ok(hako("delete", "--force", id));
    assertEquals(await ok(hako("list", "--format", "json")), "null");
  },
);

containerTest("start fails with the step that fails, and names its member", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({
    image: (rootfs) => {
      Deno.writeTextFileSync(`${rootfs}/broken`, "#!/no/interpreter\n");
      Deno.chmodSync(`${rootfs}/broken`, 0o755);
    },
    args: ["/broken"],
  });
  await ok(hako("create", "--bundle", path, box.id));
  await fails(
    hako("start", box.id),
    "no such file or directory (ENOENT), asked for by config.json /process/args",
  );
  await until(async () => await statusOf(hako, box.id) === "stopped");
  await ok(hako("delete", box.id));
});

containerTest("an init that is killed in execve is the error of start, run and exec", async (box) => {
  const hako = hakoOf(box);
  const words = "execve(): the init was killed, asked for by config.json /process/args";
  // With noNewPrivileges the filter comes last, and nothing but execve is left to be done.
  const config = {
    process: { noNewPrivileges: true },
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW" as const,
        syscalls: [{ names: ["execve"], action: "SCMP_ACT_KILL_PROCESS" as const }],
      },
    },
  };
  const { path } = box.bundle({ args: ["sleep", "1000"], config });
  await ok(hako("create", "--bundle", path, box.id));
  await fails(hako("start", box.id), words);
  assertEquals(await statusOf(hako, box.id), "stopped");
  await ok(hako("delete", box.id));
  await fails(hako("run", "--bundle", path, box.id), words);
  await fails(hako("run", "--detach", "--bundle", path, box.id), words);
  await ok(hako("create", "--bundle", path, box.id));
  await fails(hako("exec", box.id, "true"), words, 255);
  await ok(hako("delete", "--force", box.id));
});

containerTest("a program that ends at once is no failure of start", async (box) => {
  const hako = hakoOf(box);
  const kill = box.bundle({ script: "kill -KILL $$" }).path;
  const end = box.bundle({ args: ["true"] }).path;
  for (let round = 0; round < 10; round++) {
    for (const path of [end, kill]) {
      await ok(hako("create", "--bundle", path, box.id));
      await ok(hako("start", box.id));
      await ok(hako("delete", "--force", box.id));
    }
    await ok(hako("run", "--bundle", end, box.id));
  }
});

containerTest(
  "delete --force ends a container that waits, one that runs and one that is paused",
  async (box) => {
    const hako = hakoOf(box);
    const { path } = box.bundle({ args: ["sleep", "1000"] });
    const commands: Readonly<Record<string, readonly string[]>> = {
      created: [],
      running: ["start"],
      paused: ["start", "pause"],
    };
    for (const [status, steps] of Object.entries(commands)) {
      await ok(hako("create", "--bundle", path, box.id));
      for (const step of steps) await ok(hako(step, box.id));
      assertEquals(await statusOf(hako, box.id), status);
      await ok(hako("delete", "--force", box.id));
    }
  },
);

containerTest("a paused container makes no progress, and update changes a running one", async (box) => {
  const hako = hakoOf(box);
  const { path, rootfs } = box.bundle({ script: "while :; do echo >> /ticks; sleep 0.01; done" });
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  const ticks = () => Deno.statSync(`${rootfs}/ticks`).size;
  await until(() => exists(`${rootfs}/ticks`) && ticks() > 2);

  await ok(hako("pause", box.id));
  await fails(
    hako("exec", box.id, "true"),
    "cannot exec in a paused container (use --ignore-paused to override)",
    255,
  );
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(ticks(), before);
  await ok(hako("resume", box.id));
  await fails(hako("resume", box.id), "container not paused");
  await until(() => ticks() > before);

  await ok(hako("update", "--pids-limit", "55", box.id));
  const { data } = JSON.parse(await ok(hako("events", "--stats", box.id)));
  assertEquals(data.pids.limit, 55);
  await ok(hako("delete", "--force", box.id));
});

containerTest(
  "exec joins the container with a user, environment, directory and status of its own",
  async (box) => {
    const hako = hakoOf(box);
    const { path } = box.bundle({ args: ["sleep", "1000"], config: { hostname: "inside" } });
    await ok(hako("run", "--detach", "--bundle", path, box.id));
    const script = "hostname; id -u; id -g; pwd; echo $GREETING; grep CapInh /proc/self/status; exit 7";
    const options = ["--user", "1000:100", "--env", "GREETING=hi", "--cwd", "/tmp", "--cap", "CAP_CHOWN"];
    const { status, stdout } = await hako("exec", ...options, box.id, "sh", "-c", script);
    assertEquals({ status, stdout }, {
      status: 7,
      stdout: "inside\n1000\n100\n/tmp\nhi\nCapInh:\t0000000000000000\n",
    });

    await fails(hako("exec", box.id, "nosuch"), 'exec: "nosuch": executable file not found in $PATH', 255);
    await fails(
      hako("exec", "--cwd", "/absent", box.id, "true"),
      "no such file or directory (ENOENT), asked for by config.json /process/cwd",
      255,
    );
    await fails(hako("exec", "--user", "root", box.id, "true"), "--user takes decimal numbers", 255);
    const pidFile = `${box.directory}/pid`;
    await ok(hako("exec", "--detach", "--pid-file", pidFile, box.id, "sleep", "1000"));
    const pids = JSON.parse(await ok(hako("ps", "--format", "json", box.id)));
    const pid = Number(Deno.readTextFileSync(pidFile));
    assertEquals([pids.length, pids.includes(pid)], [2, true]);
    // The container cannot end before its parent has reaped it, as an engine's shim would: that is this test.
    Deno.kill(pid, "SIGKILL");
    await until(() => !livingChildren().some((child) => child.pid === pid) && !exists(`/proc/${pid}`));
    await ok(hako("delete", "--force", box.id));
  },
);

const KINDS = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

containerTest(
  "hooks start in the bundle, or where their container's root filesystem is, as with runc",
  async (box) => {
    const hako = hakoOf(box);
    const log = `${box.directory}/hooks`;
    const kinds = ["prestart", "createRuntime", "createContainer", "poststart"];
    const { path, rootfs } = box.bundle({
      args: ["sleep", "1000"],
      config: {
        hooks: Object.fromEntries(kinds.map((kind) => [kind, [{
          path: "/bin/busybox",
          args: ["sh", "-c", `echo ${kind} $(pwd) >>${log}`],
          env: ["PATH=/bin:/usr/bin"],
        }]])),
      },
    });
    await ok(hako("run", "--detach", "--bundle", path, box.id));
    assertEquals(Deno.readTextFileSync(log).trim().split("\n"), [
      `prestart ${path}`,
      `createRuntime ${path}`,
      `createContainer ${rootfs}`,
      `poststart ${path}`,
    ]);
    await ok(hako("delete", "--force", box.id));
  },
);

containerTest("hooks run in their order and namespaces, with the state on stdin", async (box) => {
  const hako = hakoOf(box);
  const log = `${box.directory}/hooks`;
  const { path, rootfs } = box.bundle({
    args: ["sleep", "1000"],
    config: { hostname: "inside" },
    image: (image) => Deno.writeTextFileSync(`${image}/started`, ""),
  });
  const config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  const record = (kind: string, file: string) => ({
    path: kind === "startContainer" ? "/bin/sh" : "/bin/busybox",
    args: ["sh", "-c", `echo ${kind} $(hostname) $(sed -E 's/.*"status":"([a-z]+)".*/\\1/') >> ${file}`],
    env: ["PATH=/bin:/usr/bin"],
  });
  config.hooks = Object.fromEntries(
    KINDS.map((kind) => [kind, [record(kind, kind === "startContainer" ? "/started" : log)]]),
  );
  Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(config));

  await ok(hako("create", "--bundle", path, box.id));
  const host = Deno.hostname();
  const created = [`prestart ${host} created`, `createRuntime ${host} creating`];
  const lines = () => Deno.readTextFileSync(log).trim().split("\n");
  // Its host name is set at the end: a hook before pivot_root sees the name that the namespace began with.
  assertEquals(lines(), [...created, `createContainer ${host} creating`]);
  await ok(hako("start", box.id));
  assertEquals(Deno.readTextFileSync(`${rootfs}/started`), "startContainer inside created\n");
  assertEquals(lines().slice(3), [`poststart ${host} running`]);
  await ok(hako("delete", "--force", box.id));
  assertEquals(lines().slice(4), [`poststop ${host} stopped`]);
});

for (const kind of KINDS) {
  containerTest(
    `a ${kind} hook that fails is named, and ${kind === "poststop" ? "is only logged" : "ends it"}`,
    async (box) => {
      const hako = hakoOf(box);
      const { path } = box.bundle({ args: ["sleep", "1000"] });
      const config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
      config.hooks = { [kind]: [{ path: "/bin/sh", args: ["sh", "-c", "echo why; exit 3"] }] };
      Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(config));

      const words =
        `error running ${kind} hook #0 /bin/sh: exit status 3, output: why, asked for by config.json /hooks/${kind}/0`;
      const create = hako("create", "--bundle", path, box.id);
      if (kind === "prestart" || kind.startsWith("create")) return await fails(create, words);
      await ok(create);
      if (kind !== "poststop") {
        await fails(hako("start", box.id), words);
        return await ok(hako("delete", "--force", box.id)).then(() => undefined);
      }
      await fails(hako("delete", "--force", box.id), words, 0);
    },
  );
}

for (const kind of ["poststart", "poststop"] as const) {
  containerTest(
    `a ${kind} hook that fails does not keep others from running, as in version 1.2`,
    async (box) => {
      const hako = hakoOf(box);
      const ran = `${box.directory}/ran`;
      const { path } = box.bundle({
        args: ["sleep", "1000"],
        config: {
          ociVersion: "1.2.1",
          hooks: { [kind]: [{ path: "/bin/false" }, { path: "/bin/touch", args: ["touch", ran] }] },
        },
      });
      await ok(hako("create", "--bundle", path, box.id));
      await fails(hako("start", box.id), kind === "poststart" ? "error running poststart hook #0" : "", 0);
      assertEquals(await ok(hako("list", "--quiet")), `${box.id}\n`);
      await fails(
        hako("delete", "--force", box.id),
        kind === "poststop" ? "error running poststop hook #0" : "",
        0,
      );
      Deno.statSync(ran);
    },
  );
}

containerTest(
  "a startContainer hook is the image's program, and confined as the container's process",
  async (box) => {
    const hako = hakoOf(box);
    const look = (file: string) =>
      `{ id; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; cat /proc/self/cgroup; pwd; echo $NAME; mkdir /made; } >/out/${file} 2>&1; true`;
    const { path, rootfs } = box.bundle({
      args: ["sh", "-c", look("process")],
      config: {
        process: {
          user: { uid: 1000, gid: 1001, additionalGids: [1002] },
          cwd: "/etc",
          env: ["PATH=/bin", "NAME=value"],
          noNewPrivileges: true,
          capabilities: { bounding: ["CAP_KILL"] },
        },
        hooks: { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", look("hook")] }] },
        linux: {
          cgroupsPath: `/${box.id}`,
          seccomp: {
            defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
          },
        },
      },
      image(image) {
        Deno.mkdirSync(`${image}/out`);
        Deno.chownSync(`${image}/out`, 1000, 1001);
      },
    });
    await ok(hako("run", "--bundle", path, box.id));
    const [hook, process] = ["hook", "process"].map((name) => Deno.readTextFileSync(`${rootfs}/out/${name}`));
    assertStringIncludes(hook!, "uid=1000");
    assertEquals(hook, process);
  },
);

containerTest("a startContainer hook that is not in the image, or takes too long, is named", async (box) => {
  const hako = hakoOf(box);
  const { path, config } = box.bundle({ args: ["sleep", "1000"] });
  const words = {
    'exec: "/bin/missing": no such file or directory (ENOENT), asked for by config.json /hooks/startContainer/0':
      {
        path: "/bin/missing",
      },
    "error running startContainer hook #0 /bin/sleep: timed out": {
      path: "/bin/sleep",
      args: ["sleep", "1000"],
      timeout: 1,
    },
  };
  for (const [expected, hook] of Object.entries(words)) {
    Deno.writeTextFileSync(
      `${path}/config.json`,
      JSON.stringify({ ...config, hooks: { startContainer: [hook] } }),
    );
    await fails(hako("run", "--bundle", path, box.id), expected);
  }
});

containerTest("a hook that takes too long is killed", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({ args: ["true"] });
  const config = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  config.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "exec sleep 1000"], timeout: 1 }] };
  Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(config));
  await fails(hako("create", "--bundle", path, box.id), "timed out");
});

containerTest("limits and the seccomp filter are in force, in exec too", async (box) => {
  const hako = hakoOf(box);
  const { path } = box.bundle({
    args: ["sleep", "1000"],
    config: {
      linux: {
        resources: { pids: { limit: 20 }, devices: [{ allow: false, access: "rwm" }] },
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
        },
      },
    },
  });
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  const { stderr } = await hako("exec", box.id, "mkdir", "/made");
  assertStringIncludes(stderr, "not supported");
  assertEquals(JSON.parse(await ok(hako("events", "--stats", box.id))).data.pids.limit, 20);
  await ok(hako("delete", "--force", box.id));
});

containerTest("a pid file that is a pipe is written to, and stays one", async (box) => {
  const hako = hakoOf(box);
  const pipe = `${box.directory}/pipe`;
  await ok(run(["mkfifo", pipe]));
  const read = run(["cat", pipe]);
  await ok(hako("create", "--bundle", box.bundle().path, "--pid-file", pipe, box.id));
  const { pid } = JSON.parse(await ok(hako("state", box.id)));
  assertEquals([await ok(read), Deno.lstatSync(pipe).isFifo], [`${pid}`, true]);
  await ok(hako("delete", "--force", box.id));
});
