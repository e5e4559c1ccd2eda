/** Containers of an ordinary user, whose systemd hands them limits: tests for a guest. `run` has them run there. @module */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { defaultConfig } from "../../runtime/spec/default.ts";
import type { Config, Resources } from "../../runtime/spec/config.ts";
import { stringify } from "../../runtime/spec/json.ts";
import { intoFiles } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";
import { startUserManager, UID, USER_CGROUP, USER_RUNTIME } from "./user.ts";

const MB = 1 << 20;
const controllers = startUserManager();
const noLimits = { skip: controllers.includes("memory") ? undefined : 'no controller "memory"' };

type User = (...args: string[]) => Promise<Result>;

/** Hako as the user, in a cgroup of root's: as in a session that was not delegated. */
function userOf(box: Box, env: Record<string, string> = { XDG_RUNTIME_DIR: USER_RUNTIME }): User {
  const [out, err] = [`${box.directory}/out`, `${box.directory}/err`];
  const as = [
    "setpriv",
    "--reuid",
    `${UID}`,
    "--regid",
    `${UID}`,
    "--clear-groups",
    "env",
    "-u",
    "DBUS_SESSION_BUS_ADDRESS",
  ];
  const surroundings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  Deno.mkdirSync(box.state, { recursive: true });
  Deno.chownSync(box.state, UID, UID);
  return async (...args) => {
    const { status } = await run([
      ...intoFiles(out, err),
      ...as,
      ...surroundings,
      ...HAKO,
      "--root",
      box.state,
      ...args,
    ]);
    return { status, stdout: Deno.readTextFileSync(out), stderr: Deno.readTextFileSync(err) };
  };
}

/** Makes a bundle as `hako spec --rootless` does, but without a cgroup namespace. */
function bundle(box: Box, resources?: Resources): string {
  const { mounts, linux } = defaultConfig({ rootless: true, uid: UID, gid: UID });
  const { path, config } = box.bundle({ script: "exec sleep 100" });
  // The default has resources of its own, which a user has no right to.
  const rootless = { ...config, mounts, linux: { ...linux, resources } };
  Deno.writeTextFileSync(`${path}/config.json`, stringify(rootless));
  return path;
}

async function ok(result: Promise<Result>): Promise<string> {
  const { status, stdout, stderr } = await result;
  assertEquals({ status, stderr: stderr.replace(NO_DEVICES, "") }, { status: 0, stderr: "" });
  return stdout;
}

const NO_DEVICES =
  "hako: warning: /linux/resources/devices has no effect without root: all devices are allowed\n";

containerTest("a user's container is a scope of the user's systemd, with all its processes", async (box) => {
  const hako = userOf(box);
  await ok(hako("--systemd-cgroup", "create", "--bundle", bundle(box), box.id));
  try {
    await ok(hako("start", box.id));
    const { pid } = JSON.parse(await ok(hako("state", box.id)));
    const place = `0::${USER_CGROUP}/user.slice/hako-${box.id}.scope\n`;
    assertStringIncludes(Deno.readTextFileSync(`/proc/${pid}/cgroup`), place);
    // Moved by systemd, for we could not.
    assertStringIncludes(await ok(hako("exec", box.id, "cat", "/proc/self/cgroup")), place);
    await ok(hako("pause", box.id));
    assertEquals(JSON.parse(await ok(hako("state", box.id))).status, "paused");
    await ok(hako("resume", box.id));
  } finally {
    await ok(hako("delete", "--force", box.id));
  }
});

containerTest("a user's container by spec --rootless has its cgroup for the root of all", async (box) => {
  const hako = userOf(box);
  const { path } = box.bundle();
  Deno.chownSync(path, UID, UID);
  await ok(hako("spec", "--rootless", "--bundle", path, "--file", "spec.json"));
  const spec: Config = JSON.parse(Deno.readTextFileSync(`${path}/spec.json`));
  const args = [
    "/bin/sh",
    "-c",
    "grep ^0: /proc/self/cgroup; read pid </sys/fs/cgroup/cgroup.procs; echo $pid",
  ];
  const config = { ...spec, process: { ...spec.process!, terminal: false, args } };
  Deno.writeTextFileSync(`${path}/config.json`, stringify(config));
  assertEquals(await ok(hako("--systemd-cgroup", "run", "--bundle", path, box.id)), "0::/\n1\n");
});

containerTest("a user's container has limits, and update changes them", async (box) => {
  const hako = userOf(box);
  const path = bundle(box, { memory: { limit: 32 * MB }, pids: { limit: 20 } });
  await ok(hako("--systemd-cgroup", "create", "--bundle", path, box.id));
  try {
    const limits = async () => {
      const { memory, pids } = JSON.parse(await ok(hako("events", "--stats", box.id))).data;
      return [memory.usage.limit, pids.limit];
    };
    assertEquals(await limits(), [32 * MB, 20]);
    await ok(hako("update", "--pids-limit", "11", "--memory", "24M", box.id));
    assertEquals(await limits(), [24 * MB, 11]);
  } finally {
    await ok(hako("delete", "--force", box.id));
  }
}, noLimits);

containerTest("without a systemd of the user the error says so, and what there is instead", async (box) => {
  const hako = userOf(box, { XDG_RUNTIME_DIR: box.directory });
  const { status, stderr } = await hako("--systemd-cgroup", "run", "--bundle", bundle(box), box.id);
  assertEquals(status, 1);
  assertMatch(
    stderr,
    /^hako: the cgroup manager "systemd" cannot reach the systemd of this user .*\/bus: no such file/,
  );
  assertStringIncludes(stderr, "Without --systemd-cgroup");
});

containerTest(
  "without a right to any cgroup a container has none, unless its config asks for limits",
  async (box) => {
    const hako = userOf(box);
    await ok(hako("create", "--bundle", bundle(box), box.id));
    await ok(hako("delete", "--force", box.id));
    const { status, stderr } = await hako("create", "--bundle", bundle(box, { pids: { limit: 20 } }), box.id);
    assertEquals(status, 1);
    assertStringIncludes(
      stderr,
      "/linux/resources/pids/limit: cannot be set: there is no cgroup that we may write to",
    );
  },
);
