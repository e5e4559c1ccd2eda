/** exec: what its options do to the process. */

import { assertEquals, assertMatch } from "@std/assert";
import { close, read, write } from "../../runtime/linux/files.ts";
import { SOCK_CLOEXEC } from "../../runtime/linux/generated/constants.ts";
import { syscall } from "../../runtime/linux/libc.ts";
import { endsWithin } from "../../runtime/linux/processes.ts";
import { listenUnix } from "../../runtime/linux/sockets.ts";
import { livingChildren } from "../support/children.ts";
import { fails, type Hako, hakoOf, ok, until } from "../support/commands.ts";
import { receiveDescriptor } from "../support/descriptors.ts";
import { exists } from "../support/files.ts";
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
  "exec: a capability that cannot be had is warned of, once it is asked for",
  (box) =>
    withRunning(box, async (hako) => {
      const words = "warning: ignoring capabilities unknown to this kernel: CAP_SUCH";
      await fails(hako("exec", "--cap", "CAP_SUCH", box.id, "true"), words, 0);
      assertEquals(await ok(hako("exec", box.id, "true")), "");
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
    await fails(exec("--preserve-fds 4"), "unable to stat preserved-fd 2 (of 4)", 255);
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

containerTest(
  "exec: a terminal of its own goes to --console-socket, and the command returns",
  (box) =>
    withRunning(box, async (hako) => {
      const socket = `${box.directory}/socket`;
      const server = listenUnix(socket);
      const options = ["--tty", "--detach", "--console-socket", socket, "--pid-file", `${socket}.pid`];
      await ok(hako("exec", ...options, box.id, "sh", "-c", "tty; ls -l /proc/self/fd/0; read line"));
      const connection = syscall("accept4", [server, 0, 0, SOCK_CLOEXEC]);
      const { text, fd } = receiveDescriptor(connection);
      assertEquals(text, "/dev/ptmx");
      let output = "";
      await until(() => {
        output += new TextDecoder().decode(read(fd, 4096));
        return output.includes("->");
      });
      assertMatch(output, /^\/dev\/pts\/\d+\r\n.*-> \/dev\/pts\/\d+\r\n$/s);
      const pid = Number(Deno.readTextFileSync(`${socket}.pid`));
      write(fd, new TextEncoder().encode("end\n"));
      await until(() => !livingChildren().some((child) => child.pid === pid));
      [server, connection, fd].forEach(close);
    }),
);

containerTest(
  "exec: a terminal needs a socket where nobody stays, and a socket a terminal",
  (box) =>
    withRunning(box, async (hako) => {
      const without = "cannot allocate tty if hako will detach without setting console socket";
      await fails(hako("exec", "--tty", "--detach", box.id, "true"), without, 255);
      const unused = "cannot use console socket if hako will not detach or allocate tty";
      await fails(hako("exec", "--console-socket", "/nowhere", box.id, "true"), unused, 255);
      await fails(hako("exec", "--detach", "--console-socket", "/nowhere", box.id, "true"), unused, 255);
    }),
);

containerTest("exec: all of the process is that of --process", (box) =>
  withRunning(box, async (hako) => {
    const file = `${box.directory}/process.json`;
    const process = {
      user: { uid: 7, gid: 8, additionalGids: [9], umask: 0o27 },
      cwd: "/tmp",
      env: ["PATH=/bin", "NAME=value"],
      args: [
        "sh",
        "-c",
        "id -u; id -g; id -G; umask; pwd; echo $NAME; ulimit -n; cat /proc/self/oom_score_adj",
      ],
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 33, hard: 44 }],
      oomScoreAdj: 500,
    };
    Deno.writeTextFileSync(file, JSON.stringify(process));
    assertEquals(
      (await ok(hako("exec", "--process", file, box.id))).split("\n"),
      ["7", "8", "8 9", "0027", "/tmp", "value", "33", "500", ""],
    );
    Deno.writeTextFileSync(file, "{");
    await fails(hako("exec", "-p", file, box.id), "config.json /process: must be JSON", 255);
    await fails(hako("exec", "-p", `${file}.missing`, box.id), `cannot read ${file}.missing`, 255);
  }));

for (
  const [option, module, directory] of [
    ["--apparmor", "AppArmor", "/sys/kernel/security/apparmor"],
    ["--process-label", "SELinux", "/sys/fs/selinux/enforce"],
  ] as const
) {
  containerTest(
    `exec: ${option} is an error that names ${module}, where the host has none`,
    (box) =>
      withRunning(box, async (hako) => {
        const words = `asks for "some:label", but the host has no ${module}`;
        await fails(hako("exec", option, "some:label", box.id, "true"), words, 255);
      }),
    exists(directory) ? { skip: `the host has ${module}` } : {},
  );
}
