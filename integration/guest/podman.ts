/** Podman of an ordinary user, whose systemd hands its containers limits: tests for a guest. `run` has them run there. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { makeRootfs } from "../support/bundle.ts";
import { HAKO, run } from "../support/hako.ts";
import { startUserManager, UID, USER_CGROUP, USER_RUNTIME } from "./user.ts";

const controllers = startUserManager();
const DIRECTORY = "/tmp/hako-podman";
const HOME = `${DIRECTORY}/home`;
const IMAGE = "localhost/busybox";
const CONTAINER = [
  "--network",
  "none",
  "--memory",
  "32m",
  "--memory-swap",
  "32m",
  "--pids-limit",
  "20",
  IMAGE,
];

/** docs/podman.md. Of storage drivers vfs needs nothing that a guest may lack. */
const CONTAINERS = `[engine]
runtime = "hako"
runtime_supports_json = ["hako"]
events_logger = "file"

[engine.runtimes]
hako = ["${DIRECTORY}/hako"]
`;

/** Writes the files that Podman reads, and imports the image. */
async function prepare(): Promise<void> {
  Deno.mkdirSync(`${HOME}/.config/containers`, { recursive: true });
  const words = HAKO.map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(`${DIRECTORY}/hako`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  Deno.writeTextFileSync(`${HOME}/.config/containers/containers.conf`, CONTAINERS);
  Deno.writeTextFileSync(`${HOME}/.config/containers/storage.conf`, '[storage]\ndriver = "vfs"\n');
  for (const file of ["/etc/subuid", "/etc/subgid"]) Deno.writeTextFileSync(file, "user:300000:65536\n");
  makeRootfs(`${DIRECTORY}/rootfs`);
  const archive = `${DIRECTORY}/image.tar`;
  await ok(run(["tar", "-C", `${DIRECTORY}/rootfs`, "-cf", archive, "."]));
  await ok(run(["chown", "-R", `${UID}:${UID}`, HOME]));
  await ok(podman("import", archive, IMAGE));
}

function podman(...words: readonly string[]): ReturnType<typeof run> {
  const environment = [
    ...[`HOME=${HOME}`, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", `XDG_RUNTIME_DIR=${USER_RUNTIME}`],
    // Without it Podman does not ask systemd.
    `DBUS_SESSION_BUS_ADDRESS=unix:path=${USER_RUNTIME}/bus`,
  ];
  const user = ["setpriv", "--reuid", `${UID}`, "--regid", `${UID}`, "--clear-groups"];
  return run([...user, "env", "-i", ...environment, "podman", ...words], { cwd: "/" });
}

async function ok(result: ReturnType<typeof run>): Promise<string> {
  const { status, stdout, stderr } = await result;
  assertEquals(status, 0, stderr);
  return stdout.trim();
}

Deno.test({
  name: "rootless Podman: limits by the user's systemd, which hold",
  ignore: !controllers.includes("memory"),
  async fn() {
    await prepare();
    const format = "{{.Host.OCIRuntime.Name}} {{.Host.CgroupManager}} {{.Host.CgroupsVersion}}";
    assertEquals(await ok(podman("info", "--format", format)), "hako systemd v2");
    const limits = "cd /sys/fs/cgroup; cat memory.max pids.max";
    assertEquals(await ok(podman("run", "--rm", ...CONTAINER, "sh", "-c", limits)), "33554432\n20");
    assertEquals((await podman("run", "--rm", ...CONTAINER, "tail", "/dev/zero")).status, 137);

    await ok(podman("run", "--detach", "--name", "one", ...CONTAINER, "sleep", "1000"));
    try {
      const pid = await ok(podman("inspect", "--format", "{{.State.Pid}}", "one"));
      assertMatch(
        Deno.readTextFileSync(`/proc/${pid}/cgroup`),
        new RegExp(`^0::${USER_CGROUP}/user\\.slice/libpod-\\w+\\.scope`, "m"),
      );
      await ok(podman("update", "--memory", "24m", "one"));
      assertEquals(await ok(podman("exec", "one", "cat", "/sys/fs/cgroup/memory.max")), "25165824");
      await ok(podman("pause", "one"));
      assertEquals(await ok(podman("inspect", "--format", "{{.State.Status}}", "one")), "paused");
      await ok(podman("unpause", "one"));
      assertEquals(await ok(podman("stats", "--no-stream", "--format", "{{.PIDS}}", "one")), "1");
    } finally {
      await ok(podman("rm", "--force", "--time", "0", "one"));
    }
    assertEquals(await ok(run(["find", `/sys/fs/cgroup${USER_CGROUP}`, "-name", "libpod-*.scope"])), "");
  },
});
