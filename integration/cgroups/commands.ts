/**
 * What the commands do with a container's cgroup, whoever makes it and of whichever version it is. Each machine runs the
 * same tests and gives a reason for those that it cannot run.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readHierarchies } from "../../cgroups/hierarchies.ts";
import type { Config } from "../../runtime/spec/config.ts";
import { capabilities, type Changes } from "../support/bundle.ts";
import { type Hako, hakoOf, ok, until } from "../support/commands.ts";
import { exists } from "../support/files.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { defaultConfig } from "../../runtime/spec/default.ts";
import { HAKO, run, spawn } from "../support/hako.ts";

/** Who makes cgroups. */
export interface Manager {
  readonly name: string;
  /** Options before the command. */
  readonly global: readonly string[];
  cgroupsPath(id: string): string;
}

export const cgroupfs: Manager = { name: "cgroupfs", global: [], cgroupsPath: (id) => `/${id}` };
export const systemd: Manager = {
  name: "systemd",
  global: ["--systemd-cgroup"],
  cgroupsPath: (id) => `hako-tests.slice:test:${id}`,
};

const MB = 1 << 20;
const HOOK_SAID = `/tmp/hako-hook-${Deno.pid}`;

/** All of the default but the cgroups. */
const MOUNTS = defaultConfig().mounts!.filter(({ type }) => type !== "cgroup");

/** Defines all tests for one manager. */
export function runCommandTests(manager: Manager): void {
  const there = controllers();
  const pureV2 = readHierarchies().every(({ controllers }) => controllers === "");
  const test = (
    name: string,
    config: Changes<Config> & {
      readonly script: string;
      readonly controller?: string;
      readonly skip?: string;
    },
    fn: (hako: Hako, box: Box) => Promise<void>,
  ) => {
    const { script, controller, skip: reason, ...changes } = config;
    const absent = controller !== undefined && !there.has(controller);
    const skip = absent ? `no controller "${controller}"` : reason;
    containerTest(`${manager.name}: ${name}`, async (box) => {
      const hako = hakoOf(box, manager.global);
      const linux = { ...changes.linux, cgroupsPath: manager.cgroupsPath(box.id) };
      const { path } = box.bundle({ script, config: { ...changes, linux } });
      await ok(hako("create", "--bundle", path, box.id));
      try {
        await fn(hako, box);
      } finally {
        await ok(hako("delete", "--force", box.id));
      }
    }, { skip });
  };

  test(
    "all processes of a container are in its cgroup",
    { script: "sleep 100 & exec sleep 100" },
    async (hako, { id, state }) => {
      const init = JSON.parse(await ok(hako("state", id))).pid;
      const cgroup = Deno.readTextFileSync(`/proc/${init}/cgroup`);
      for (const [controller, path] of Object.entries(await cgroupOf(hako, id))) {
        assertStringIncludes(path, id, `${controller}: ${cgroup}`);
      }
      await ok(hako("start", id));
      const pids = async () => JSON.parse(await ok(hako("ps", "--format", "json", id))) as number[];
      await until(async () => (await pids()).length === 2);
      // The end of the container's init waits for whoever has to reap this one.
      const executed = run([...HAKO, "--root", state, "exec", id, "sleep", "100"]);
      await until(async () => (await pids()).length === 3);
      for (const pid of await pids()) assertEquals(Deno.readTextFileSync(`/proc/${pid}/cgroup`), cgroup);
      await ok(hako("kill", id, "KILL"));
      assertEquals((await executed).status, 128 + 9);
      await until(async () => JSON.parse(await ok(hako("state", id))).status === "stopped");
    },
  );

  test("a hook finds the container in its cgroup", {
    script: "exec sleep 100",
    hooks: {
      createRuntime: [{
        path: "/bin/sh",
        args: [
          "sh",
          "-c",
          `cat /proc/$(sed "s/.*\\"pid\\": *\\([0-9]*\\).*/\\1/")/cgroup >${HOOK_SAID}`,
        ],
      }],
    },
  }, async (hako, { id }) => {
    const { pid } = JSON.parse(await ok(hako("state", id)));
    assertEquals(
      Deno.readTextFileSync(HOOK_SAID),
      Deno.readTextFileSync(`/proc/${pid}/cgroup`),
    );
    Deno.removeSync(HOOK_SAID);
  });

  test("a paused container makes no progress", {
    script: "i=0; while :; do i=$((i+1)); echo $i > /progress; done",
  }, async (hako, { id, directory }) => {
    await ok(hako("start", id));
    const progress = () => Deno.readTextFileSync(`${directory}/bundle0/rootfs/progress`);
    await until(() => exists(`${directory}/bundle0/rootfs/progress`) && progress() !== "");
    await ok(hako("pause", id));
    assertEquals(JSON.parse(await ok(hako("state", id))).status, "paused");
    const before = progress();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(progress(), before);
    await ok(hako("resume", id));
    await until(() => !["", before].includes(progress()));
  });

  test("a device that no rule allows gives EPERM, and one of the default rules does not", {
    script:
      "{ mknod /dev/x c 1 11; cat /dev/x; head -c 1 /dev/zero | wc -c; } >/said 2>&1; mv /said /all; sleep 100",
    linux: { resources: { devices: [{ allow: false, access: "rwm" }] } },
    process: { capabilities: capabilities("CAP_MKNOD") },
  }, async (hako, { id, directory }) => {
    await ok(hako("start", id));
    const said = `${directory}/bundle0/rootfs/all`;
    await until(() => exists(said));
    assertEquals(Deno.readTextFileSync(said), "cat: can't open '/dev/x': Operation not permitted\n1\n");
  });

  const mapping = [{ containerID: 0, hostID: 100_000, size: 65536 }];
  const inUserNamespace = {
    namespaces: (["user", "cgroup", "pid", "mount", "ipc", "uts", "network"] as const).map((type) => ({
      type,
    })),
    uidMappings: mapping,
    gidMappings: mapping,
  };

  for (const [mode, said] of [["rw", "0::/mine\nkept\n"], ["ro", "kept\n"]] as const) {
    test(`a container's root may divide a cgroup that it has ${mode}, and not change its limits`, {
      script:
        "cd /sys/fs/cgroup; { mkdir mine && echo $$ >mine/cgroup.procs && grep ^0: /proc/self/cgroup; " +
        "echo 1 >cgroup.max.depth || echo kept; } >/dev/shm/said 2>/dev/null; exec sleep 100",
      linux: inUserNamespace,
      mounts: [...MOUNTS, {
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: [mode],
      }],
      skip: pureV2 ? undefined : "cgroup v1 cannot be handed down",
    }, async (hako, { id }) => {
      await ok(hako("start", id));
      const { pid } = JSON.parse(await ok(hako("state", id)));
      await until(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("sleep"));
      assertEquals(Deno.readTextFileSync(`/proc/${pid}/root/dev/shm/said`), said);
    });
  }

  test("events tells of a process that is killed for want of memory", {
    script: "while [ ! -e /go ]; do sleep 0.1; done; dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 100",
    linux: { resources: { memory: { limit: 16 * MB, swap: 16 * MB } } },
    controller: "memory",
  }, async (hako, { id, directory, state }) => {
    await ok(hako("start", id));
    const watcher = spawn([...HAKO, "--root", state, "events", "--interval", "1h", id]);
    const reader = watcher.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const readUntil = async (pattern: RegExp) => {
      while (!pattern.test(seen)) {
        const { value, done } = await reader.read();
        assert(!done, `events has ended: ${seen}`);
        seen += value;
      }
    };
    await readUntil(/"type":"stats"/);
    Deno.writeTextFileSync(`${directory}/bundle0/rootfs/go`, "");
    await readUntil(/"type":"oom"/);
    assertMatch(seen, new RegExp(`{"type":"oom","id":"${id}"}\n`));
    await reader.cancel();
    watcher.kill();
    await Promise.all([watcher.stderr.cancel(), watcher.status]);
  });

  test("a fork bomb stops at pids.limit", {
    // The shell that cannot fork gives up.
    script: "sh -c 'for i in $(seq 50); do sleep 100 & done' 2>/dev/null; exec sleep 100",
    linux: { resources: { pids: { limit: 10 } } },
    controller: "pids",
  }, async (hako, { id }) => {
    await ok(hako("start", id));
    await until(async () => (await stats(hako, id)).pids.current === 9);
    assertEquals((await stats(hako, id)).pids.limit, 10);
  });

  test("update changes a running container, and what is not named keeps its value", {
    script: "exec sleep 100",
    linux: {
      resources: { memory: { limit: 64 * MB }, pids: { limit: 20 }, cpu: { quota: 50_000, period: 100_000 } },
    },
    controller: "memory",
  }, async (hako, { id }) => {
    await ok(hako("start", id));
    await ok(hako("update", "--memory", "32M", id));
    const first = await stats(hako, id);
    assertEquals([first.memory.usage.limit, first.pids.limit], [32 * MB, 20]);
    await ok(hako("update", "--pids-limit", "15", "--cpu-quota", "20000", id));
    const second = await stats(hako, id);
    assertEquals([second.memory.usage.limit, second.pids.limit], [32 * MB, 15]);
    assertEquals(quota(await cgroupOf(hako, id)), "20000 100000");
  });
}

/** What `hako events --stats` says. */
// deno-lint-ignore no-explicit-any
async function stats(hako: Hako, id: string): Promise<any> {
  return JSON.parse(await ok(hako("events", "--stats", id))).data;
}

/** The paths of a container's cgroup by controller, "" for v2. */
export async function cgroupOf(hako: Hako, id: string): Promise<Record<string, string>> {
  const { pid } = JSON.parse(await ok(hako("state", id)));
  const lines = Deno.readTextFileSync(`/proc/${pid}/cgroup`).trim().split("\n").map((line) =>
    line.split(":")
  );
  return Object.fromEntries(
    readHierarchies().flatMap(({ controllers, mountPoint }) => {
      const path = lines.find(([, names]) => names === controllers)?.slice(2).join(":");
      return controllers.split(",").map((name) => [name, mountPoint + path]);
    }),
  );
}

function quota(paths: Readonly<Record<string, string>>): string {
  const read = (file: string) => Deno.readTextFileSync(file).trim();
  if (paths.cpu === undefined) return read(`${paths[""]}/cpu.max`);
  return `${read(`${paths.cpu}/cpu.cfs_quota_us`)} ${read(`${paths.cpu}/cpu.cfs_period_us`)}`;
}

/** Those of both versions. */
export function controllers(): Set<string> {
  return new Set(
    readHierarchies().flatMap(({ controllers, mountPoint }) =>
      controllers === ""
        ? Deno.readTextFileSync(`${mountPoint}/cgroup.controllers`).trim().split(" ")
        : controllers.split(",")
    ),
  );
}
