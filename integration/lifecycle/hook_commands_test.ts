/** What hooks find, and commands that they run on their own container: these act, or fail at once, and never wait for the hook. */

import { assertEquals } from "@std/assert";
import type { Mount } from "../../runtime/spec/config.ts";
import { livingChildren } from "../support/children.ts";
import { capabilities } from "../support/bundle.ts";
import { fails, hakoOf, ok, statusOf, until } from "../support/commands.ts";
import { exists } from "../support/files.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO } from "../support/hako.ts";

/** What a command of a hook's gave: its status, and what it wrote to stderr. */
interface Answer {
  readonly status: number;
  readonly stderr: string;
}

/** Long, where a command that waits would wait for ever; timeout(1) gives 124 then. */
const SECONDS = 10;

/** A bundle with one hook, which runs `commands` on the container, and the way to their answers. */
function bundleOf(
  box: Box,
  kind: string,
  commands: readonly string[],
  { mounts = [], chroot }: { readonly mounts?: readonly Mount[]; readonly chroot?: string } = {},
) {
  const answers = `${box.directory}/answers`;
  Deno.mkdirSync(answers);
  const hako = [...HAKO, "--root", box.state].join(" ");
  const lines = commands.map((command, index) =>
    `timeout ${SECONDS} ${hako} ${command} >/dev/null 2>${answers}/${index}.err; echo $? >${answers}/${index}`
  );
  const path = ["PATH", Deno.env.get("PATH")].join("=");
  const sh = ["sh", "-c", lines.join("\n")];
  const hook = {
    path: "/bin/busybox",
    args: chroot === undefined ? sh : ["chroot", chroot, "/bin/busybox", ...sh],
    env: [path],
  };
  const bundle = box.bundle({
    args: ["sleep", "1000"],
    mounts,
    config: {
      hooks: { [kind]: [hook] },
      ...chroot && { process: { capabilities: capabilities("CAP_SYS_CHROOT") } },
    },
  }).path;
  const read = (): Answer[] =>
    commands.map((_, index) => ({
      status: Number(Deno.readTextFileSync(`${answers}/${index}`)),
      stderr: Deno.readTextFileSync(`${answers}/${index}.err`).trimEnd(),
    }));
  return { bundle, read };
}

const fine: Answer = { status: 0, stderr: "" };
const refused = (text: string, status = 1): Answer => ({ status, stderr: `hako: ${text}` });

for (const kind of ["prestart", "createRuntime", "createContainer"]) {
  containerTest(
    `a ${kind} hook may ask about its container, and is told at once what it may not do`,
    async (box) => {
      const { id } = box;
      const busy = refused(`container ${id} is being created`);
      const notStopped = refused(`cannot delete container ${id} that is not stopped: creating`);
      const expected: Readonly<Record<string, Answer>> = {
        [`state ${id}`]: fine,
        "list": fine,
        [`ps --format json ${id}`]: fine,
        [`kill ${id} KILL`]: refused("container not running"),
        [`exec ${id} true`]: refused("cannot exec in a container that is being created", 255),
        [`start ${id}`]: busy,
        [`pause ${id}`]: busy,
        [`resume ${id}`]: busy,
        [`update --pids-limit 7 ${id}`]: busy,
        [`delete ${id}`]: notStopped,
        [`delete --force ${id}`]: notStopped,
      };
      const hako = hakoOf(box);
      const { bundle, read } = bundleOf(box, kind, Object.keys(expected));
      await ok(hako("create", "--bundle", bundle, id));
      assertEquals(read(), Object.values(expected));
      assertEquals(await statusOf(hako, id), "created");
      await ok(hako("delete", "--force", id));
    },
  );
}

/** A startContainer hook has the container's root: there the host's is at /host. */
const HOST: Mount = { destination: "/host", type: "bind", source: "/", options: ["rbind", "rprivate"] };
/** What the hook sees of processes: the host's, or those of its own pid namespace. */
const PROC: Readonly<Record<string, readonly Mount[]>> = {
  "the host's /proc": [HOST],
  "the container's /proc": [HOST, { destination: "/host/proc", type: "proc", source: "proc" }],
};

for (const [proc, mounts] of Object.entries(PROC)) {
  containerTest(`a startContainer hook with ${proc} is told at once what it may not do`, async (box) => {
    const { id } = box;
    const busy = refused(`container ${id} is being started`);
    const expected: Readonly<Record<string, Answer>> = {
      "list": fine,
      [`start ${id}`]: busy,
      [`pause ${id}`]: busy,
      [`resume ${id}`]: busy,
      [`update --pids-limit 7 ${id}`]: busy,
      [`delete ${id}`]: busy,
      [`delete --force ${id}`]: busy,
    };
    const hako = hakoOf(box);
    const { bundle, read } = bundleOf(box, "startContainer", Object.keys(expected), {
      mounts,
      chroot: "/host",
    });
    await ok(hako("create", "--bundle", bundle, id));
    await ok(hako("start", id));
    assertEquals(read(), Object.values(expected));
    assertEquals(await statusOf(hako, id), "running");
    await ok(hako("delete", "--force", id));
  });
}

containerTest("delete --force does not wait for a startContainer hook that never ends", async (box) => {
  const hako = hakoOf(box);
  const begun = `${box.directory}/begun`;
  const hook = { path: "/bin/sh", args: ["sh", "-c", `touch /host${begun}; exec sleep 1000`] };
  for (const pid of ["new", "shared"]) {
    const { path } = box.bundle({
      args: ["sleep", "1000"],
      mounts: [HOST],
      config: {
        hooks: { startContainer: [hook] },
        ...pid === "shared" && { hostname: null, linux: { namespaces: [{ type: "mount" }] } },
      },
    });
    await ok(hako("create", "--bundle", path, box.id));
    const start = hako("start", box.id);
    await until(() => exists(begun));
    await ok(hako("delete", "--force", box.id));
    await fails(start, "error running startContainer hook #0 /bin/sh: killed by signal 9");
    assertEquals(await ok(hako("list", "--quiet")), "");
    Deno.removeSync(begun);
  }
});

containerTest("a poststart hook may do with its container whatever others may", async (box) => {
  const { id } = box;
  const expected: Readonly<Record<string, Answer>> = {
    [`state ${id}`]: fine,
    [`exec ${id} true`]: fine,
    [`start ${id}`]: refused("cannot start an already running container"),
    [`pause ${id}`]: fine,
    [`resume ${id}`]: fine,
    [`update --pids-limit 77 ${id}`]: fine,
    [`kill ${id} 0`]: fine,
    [`delete ${id}`]: refused(`cannot delete container ${id} that is not stopped: running`),
  };
  const hako = hakoOf(box);
  const { bundle, read } = bundleOf(box, "poststart", Object.keys(expected));
  await ok(hako("create", "--bundle", bundle, id));
  await ok(hako("start", id));
  assertEquals(read(), Object.values(expected));
  assertEquals(JSON.parse(await ok(hako("events", "--stats", id))).data.pids.limit, 77);
  await ok(hako("delete", "--force", id));
});

for (const [command, ...options] of [["start"], ["run"], ["run", "--detach"]] as const) {
  containerTest(
    `a poststart hook of ${[command, ...options].join(" ")} may delete its container`,
    async (box) => {
      const hako = hakoOf(box);
      const { bundle, read } = bundleOf(box, "poststart", [`delete --force ${box.id}`]);
      if (command === "start") await ok(hako("create", "--bundle", bundle, box.id));
      const rest = command === "start" ? [] : [...options, "--bundle", bundle];
      const { status, stderr } = await hako(command, ...rest, box.id);
      // `run` in the foreground tells how its program ended: by SIGKILL.
      assertEquals({ status, stderr }, {
        status: command === "run" && options.length === 0 ? 137 : 0,
        stderr: "",
      });
      assertEquals(read(), [fine]);
      assertEquals(await ok(hako("list", "--quiet")), "");
      await until(() => livingChildren().length === 0);
    },
  );
}

containerTest("a poststart hook finds the program in its place", async (box) => {
  const seen = `${box.directory}/seen`;
  const script = `pid=$(sed -E 's/.*"pid":([0-9]+).*/\\1/'); readlink /proc/$pid/exe >>${seen}`;
  const hook = { path: "/bin/sh", args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] };
  const { path } = box.bundle({ args: ["sleep", "1000"], config: { hooks: { poststart: [hook] } } });
  const hako = hakoOf(box);
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  assertEquals(Deno.readTextFileSync(seen), "/bin/busybox\n");
  await ok(hako("delete", "--force", box.id));
});

containerTest(
  "a container without hooks for them is started and deleted when its config.json is lost",
  async (box) => {
    const hook = { path: "/bin/true" };
    const hako = hakoOf(box);
    const { path } = box.bundle({ args: ["sleep", "1000"], config: { hooks: { createRuntime: [hook] } } });
    await ok(hako("create", "--bundle", path, box.id));
    Deno.removeSync(`${box.state}/${box.id}/config.json`);
    await ok(hako("start", box.id));
    await ok(hako("delete", "--force", box.id));
  },
);
