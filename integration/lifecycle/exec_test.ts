/** exec: what its options do to the process. */

import { assertEquals, assertMatch } from "@std/assert";
import { close } from "../../runtime/linux/files.ts";
import { SOCK_CLOEXEC } from "../../runtime/linux/generated/constants.ts";
import { syscall } from "../../runtime/linux/libc.ts";
import { endsWithin } from "../../runtime/linux/processes.ts";
import { listenUnix } from "../../runtime/linux/sockets.ts";
import { fails, type Hako, hakoOf, ok } from "../support/commands.ts";
import { receiveDescriptor } from "../support/descriptors.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** A running container, which is removed when `use` has ended. */
async function withRunning(box: Box, use: (hako: Hako) => Promise<void>): Promise<void> {
  const hako = hakoOf(box);
  const { path } = box.bundle({ args: ["sleep", "1000"] });
  await ok(hako("run", "--detach", "--bundle", path, box.id));
  await use(hako);
  await ok(hako("delete", "--force", box.id));
}

const STATUS =
  "grep -E '^(Uid|Gid|Groups|NoNewPrivs|CapBnd|CapInh|CapEff|Cpus_allowed_list):' /proc/self/status";

containerTest(
  "exec: user, groups, capabilities and no new privileges",
  (box) =>
    withRunning(box, async (hako) => {
      const options = [
        "--user",
        "7:8",
        "--additional-gids",
        "9",
        "-g",
        "10",
        "--cap",
        "CAP_SYS_TIME",
        "--no-new-privs",
      ];
      const before = await ok(hako("exec", box.id, "sh", "-c", STATUS));
      const after = await ok(hako("exec", ...options, box.id, "sh", "-c", STATUS));
      const value = (text: string, name: string) =>
        new RegExp(`^${name}:\\s*(.*?)\\s*$`, "m").exec(text)![1]!;
      const values = (text: string) =>
        ["Uid", "Gid", "Groups", "NoNewPrivs"].map((name) => value(text, name));
      assertEquals(values(after), ["7\t7\t7\t7", "8\t8\t8\t8", "9 10", "1"]);
      const added = BigInt(`0x${value(after, "CapBnd")}`) & ~BigInt(`0x${value(before, "CapBnd")}`);
      assertEquals([added, value(after, "CapInh")], [1n << 25n, "0000000000000000"]);
    }),
);

containerTest(
  "exec: the process is in the cgroups below the container's that --cgroup names",
  (box) =>
    withRunning(box, async (hako) => {
      const { cgroupPaths } = JSON.parse(Deno.readTextFileSync(`${box.state}/${box.id}/state.json`));
      const directories = [...new Set(Object.values<string>(cgroupPaths))];
      for (const directory of directories) Deno.mkdirSync(`${directory}/below`);
      // A new cpuset of v1 has no CPUs, and nothing can be in it.
      for (const file of cgroupPaths.cpuset === undefined ? [] : ["cpuset.cpus", "cpuset.mems"]) {
        Deno.writeTextFileSync(
          `${cgroupPaths.cpuset}/below/${file}`,
          Deno.readTextFileSync(`${cgroupPaths.cpuset}/${file}`),
        );
      }
      const exec = (...options: string[]) =>
        hako("exec", ...options, box.id, "sh", "-c", "cat /proc/self/cgroup; :");
      const places = async (...options: string[]) =>
        (await ok(exec(...options))).trim().split("\n").filter((line) => line.endsWith("/below")).length;

      assertEquals(await places(), 0);
      assertEquals(await places("--cgroup", "/"), 0);
      assertEquals(await places("--cgroup", "below"), directories.length);
      if (cgroupPaths.pids !== undefined) {
        assertEquals(await places("--cgroup", "pids:below"), 1);
        assertEquals(await places("--cgroup", "pids,freezer:below", "--cgroup", "memory:/below"), 3);
      }
      await fails(exec("--cgroup", "../other"), "bad sub cgroup path: ../other", 255);
      await fails(exec("--cgroup", "nothing:below"), "unknown controller nothing", 255);
      await fails(exec("--cgroup", "below", "--cgroup", "pids:below"), "missing <controller>: prefix", 255);
      await fails(exec("--cgroup", ":below"), "empty <controller> prefix", 255);
      await fails(exec("--cgroup", "pids:a", "--cgroup", "pids:b"), "specified multiple times", 255);
      await fails(exec("--cgroup", "missing"), "no such file or directory", 255);
    }),
);

const CPUS = navigator.hardwareConcurrency;

containerTest("the CPUs of a container are not those that its caller was confined to", async (box) => {
  const cpus = (text: string) => /Cpus_allowed_list:\s*(\S+)/.exec(text)![1];
  const all = cpus(Deno.readTextFileSync("/proc/self/status"));
  const { path } = box.bundle({ script: STATUS });
  assertEquals(cpus((await run(box.command(path, { under: ["taskset", "1"] }))).stdout), all);
}, { needs: ["taskset"], ...CPUS < 2 && { skip: "one CPU" } });

containerTest("exec: execCPUAffinity of the process", (box) =>
  withRunning(box, async () => {
    const file = `${box.directory}/process.json`;
    const cpus = async (execCPUAffinity?: unknown) => {
      const { process } = JSON.parse(Deno.readTextFileSync(`${box.state}/${box.id}/config.json`));
      const args = ["sh", "-c", STATUS];
      Deno.writeTextFileSync(file, JSON.stringify({ ...process, args, execCPUAffinity }));
      const { stdout } = await run([
        "taskset",
        "1",
        ...HAKO,
        "--root",
        box.state,
        "exec",
        "--process",
        file,
        box.id,
      ]);
      return /Cpus_allowed_list:\s*(\S+)/.exec(stdout)![1];
    };
    const all = /Cpus_allowed_list:\s*(\S+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1];
    assertEquals(await cpus(), all);
    assertEquals(await cpus({ final: "1" }), "1");
    assertEquals(await cpus({ initial: "0", final: "0-1" }), "0-1");
    assertEquals(await cpus({ initial: "1" }), "1");
  }), { needs: ["taskset"], ...CPUS < 2 && { skip: "one CPU" } });

containerTest("exec: descriptors, and none without being asked", (box) =>
  withRunning(box, async () => {
    const exec = (options: string) =>
      run([
        "sh",
        "-c",
        `exec 3</etc/passwd 4</etc/group; exec "$@" exec ${options} ${box.id} ls /proc/self/fd`,
        "sh",
        ...HAKO,
        "--root",
        box.state,
      ]);
    assertEquals((await exec("")).stdout, "0\n1\n2\n3\n");
    assertEquals((await exec("--preserve-fds 2")).stdout, "0\n1\n2\n3\n4\n5\n");
  }));

containerTest("exec: into a paused container, where it waits", (box) =>
  withRunning(box, async (hako) => {
    await ok(hako("pause", box.id));
    const exec = hako("exec", "--ignore-paused", box.id, "echo", "done");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await ok(hako("resume", box.id));
    assertEquals(await ok(exec), "done\n");
  }));

containerTest(
  "exec: a pidfd of the process goes to --pidfd-socket",
  (box) =>
    withRunning(box, async (hako) => {
      const socket = `${box.directory}/socket`;
      const server = listenUnix(socket);
      await ok(hako("exec", "--pidfd-socket", socket, "--pid-file", `${socket}.pid`, box.id, "true"));
      const connection = syscall("accept4", [server, 0, 0, SOCK_CLOEXEC]);
      const { text, fd } = receiveDescriptor(connection);
      // It has ended: poll(2) says so of a pidfd, and pidfd_send_signal(2) as well.
      assertEquals([text, endsWithin(fd, 1000)], ["setns", true]);
      assertMatch(Deno.readTextFileSync(`${socket}.pid`), /^[0-9]+$/);
      [server, connection, fd].forEach(close);
    }),
);
