/** Podman as root. @module */
import { assert, assertEquals } from "@std/assert";
import { BOX, ended, find, ID, isolated, printLimit, RUNTIME } from "../engines/machine.ts";
import { exists } from "../support/files.ts";
import { type Cases, type Check, expect, type Expected, unless, until } from "../engines/suite.ts";
import { Pty } from "../support/pty.ts";
import { CGROUP, IMAGE, podman, withContainer } from "./podman.ts";

interface RunCase extends Expected {
  readonly options?: readonly string[];
  readonly script?: string;
  readonly words?: readonly string[];
}

function runCases(cases: Readonly<Record<string, RunCase>>): Record<string, Check> {
  return Object.fromEntries(
    Object.entries(cases).map((
      [name, { options = [], script, words = ["sh", "-c", script!], ...expected }],
    ) => [
      name,
      async () => {
        const network = options.includes("--network") ? [] : ["--network", "none"];
        const cgroup = options.includes("--cgroups") ? [] : CGROUP;
        expect(await podman("run", "--rm", ...cgroup, ...network, ...options, IMAGE, ...words), expected);
      },
    ]),
  );
}

const profile = `${BOX}/seccomp.json`;
Deno.writeTextFileSync(
  profile,
  JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
  }),
);

const UID_MAP = "tr -s ' ' </proc/self/uid_map";

/** What the engine says of a runtime's error, and makes of it. */
const errors = runCases({
  "no such program in PATH: 127": {
    words: ["absent"],
    status: 127,
    stderr: /executable file `?absent`? not found in \$PATH|executable file not found in \$PATH/,
  },
  "no such program by path: 127": { words: ["/absent"], status: 127, stderr: /[Nn]o such file or directory/ },
  "a file that is no program: 126": { words: ["/etc/notes"], status: 126, stderr: /[Pp]ermission denied/ },
  "a directory: 126": { words: ["/etc"], status: 126, stderr: /[Pp]ermission denied|is a directory/ },
  "no such user: 126": {
    options: ["--user", "nobody-here"],
    words: ["true"],
    status: 126,
    stderr: /unable to find user nobody-here/,
  },
  "no such source of a mount: 125": {
    options: ["-v", `${BOX}/absent:/x`],
    words: ["true"],
    status: 125,
    stderr: /no such file or directory/,
  },
  "no such device: 125": {
    options: ["--device", "/dev/absent"],
    words: ["true"],
    status: 125,
    stderr: /no such file or directory/,
  },
  "a working directory that is missing: 126": {
    options: ["-w", "/absent"],
    words: ["true"],
    status: 126,
    stderr: /workdir "\/absent" does not exist/,
  },
  "a working directory that is a file: 126": {
    options: ["-w", "/etc/passwd"],
    words: ["true"],
    status: 126,
    stderr: /[Nn]ot a directory/,
  },
  "a sysctl that is the host's": {
    options: ["--sysctl", "vm.swappiness=1"],
    words: ["true"],
    status: 125,
    stderr: /vm\.swappiness/,
  },
});

export const rootfulCases: Cases = {
  ...runCases({
    "runs a program": { script: "echo hello; exit 3", status: 3, stdout: "hello" },
    "user, groups, directory, environment": {
      options: ["--user", "user", "--group-add", "4711", "-w", "/tmp", "-e", "A=b"],
      script: "id -u; id -G | grep -o 4711; pwd; echo $A $HOME",
      stdout: "1000\n4711\n/tmp\nb /home/user",
    },
    "capabilities, no-new-privileges, seccomp": {
      options: ["--cap-drop", "all", "--cap-add", "chown", "--security-opt", "no-new-privileges"],
      script: "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '",
      stdout: "CapEff: 0000000000000001 NoNewPrivs: 1 Seccomp: 2",
    },
    "read-only, with temporary directories": {
      options: ["--read-only"],
      script: "touch /tmp/x /run/x /dev/shm/x && touch /x",
      status: 1,
      stderr: /\/x: Read-only file system/,
    },
    "volumes and mounts": {
      options: [
        "-v",
        `${BOX}/image.tar:/tar:ro`,
        "--mount",
        "type=tmpfs,dst=/t,tmpfs-size=1m",
        "-v",
        "/made",
      ],
      script: "test -s /tar && touch /made/x && df -k /t | tail -n 1 | tr -s ' ' | cut -d' ' -f2",
      stdout: "1024",
    },
    "limits": {
      options: ["--memory", "64m", "--cpus", "0.5", "--pids-limit", "50", "--cpuset-cpus", "0"],
      script: [
        printLimit("memory/memory.limit_in_bytes", "memory.max"),
        printLimit("cpu/cpu.cfs_quota_us", "cpu.max"),
        printLimit("pids/pids.max", "pids.max"),
        printLimit("cpuset/cpuset.cpus", "cpuset.cpus"),
      ].join("; "),
      stdout: /^67108864\n50000( 100000)?\n50\n0$/,
    },
    "sysctl, host name, an init": {
      options: ["--sysctl", "kernel.shmmax=4096", "--hostname", "me", "--init"],
      script: "cat /proc/sys/kernel/shmmax /proc/1/comm; hostname",
      stdout: /^4096\n(catatonit|podman-init)\nme$/,
    },
    "a device": {
      options: ["--device", "/dev/zero:/dev/nil"],
      script: "head -c 3 /dev/nil | wc -c",
      stdout: "3",
    },
    "--uidmap": {
      options: ["--uidmap", "0:200000:1000", "--gidmap", "0:200000:1000"],
      script: `${UID_MAP}; touch /x && stat -c %u /x`,
      stdout: "0 200000 1000\n0",
    },
    "--userns=auto": { options: ["--userns=auto:size=500"], script: UID_MAP, stdout: /^0 \d+ 500$/ },
    "a network of its own": {
      options: ["--network", "podman"],
      script: "ip -o addr show eth0 | grep -c 'inet 10'",
      stdout: "1",
    },
    "namespaces of the host": {
      options: ["--pid", "host", "--uts", "host", "--ipc", "host", "--network", "host"],
      script: "cat /proc/1/comm; hostname",
      stdout: `bash\n${Deno.hostname()}`,
    },
    "a cgroup of the host": {
      options: ["--cgroupns", "host"],
      script: `grep -c '/${ID}/libpod-' /proc/self/cgroup`,
      stdout: /^[1-9]/,
    },
    "ulimit, an out-of-memory score": {
      options: ["--ulimit", "nofile=100:200", "--ulimit", "nproc=1000:1000", "--oom-score-adj", "500"],
      script: "ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj",
      stdout: "100\n200\n500",
    },
    "seccomp: off": {
      options: ["--security-opt", "seccomp=unconfined"],
      script: "grep Seccomp: /proc/self/status | tr -s '\\t' ' '",
      stdout: "Seccomp: 0",
    },
    "seccomp: a profile": {
      options: ["--security-opt", `seccomp=${profile}`],
      script: "mkdir /x",
      status: 1,
      stderr: /Operation not supported/,
    },
    "a user by number": {
      options: ["--userns=host", "--user", "7:8"],
      script: "id -u; id -g",
      stdout: "7\n8",
    },
    "a process namespace": { script: "echo $$", stdout: "1" },
  }),
  ...unless(
    RUNTIME === "runc" ? "Podman does not take runc for it" : undefined,
    runCases({
      "no cgroup of its own": {
        options: ["--cgroups", "disabled"],
        script: "grep -c libpod /proc/self/cgroup",
        status: 1,
        stdout: "0",
      },
    }),
  ),
  ...errors,
  "a name in use: 125": async () => {
    await withContainer([], async (name) => {
      expect(await podman("run", "--name", name, IMAGE, "true"), { status: 125, stderr: /already in use/ });
    });
  },
  "run -it: a terminal": async () => {
    using pty = new Pty();
    const command = isolated(["podman", "run", "--rm", ...CGROUP, "--network", "none", "-it", IMAGE, "sh"]);
    const status = await pty.run(command, async () => {
      await pty.shows(/# \S*$/);
      await pty.type("tty; echo $((6*7))\r");
      await pty.shows(/\/dev\/pts\/0\r\n42\r\n/);
      await pty.type("exit 9\r");
    });
    assertEquals(status, 9);
  },
  "exec -it: another terminal": async () => {
    await withContainer([], async (name) => {
      using pty = new Pty();
      const status = await pty.run(isolated(["podman", "exec", "-it", name, "sh"]), async () => {
        await pty.shows(/# \S*$/);
        await pty.type("tty; exit 3\r");
        await pty.shows(/\/dev\/pts\/\d+\r\n/);
      });
      assertEquals(status, 3);
    });
  },
  "build, with the runtime of containers.conf": async () => {
    Deno.mkdirSync(`${BOX}/podman-build`);
    Deno.writeTextFileSync(`${BOX}/podman-build/Dockerfile`, `FROM ${IMAGE}\nRUN id -u >/built\n`);
    expect(await podman("build", "--network", "none", "--tag", "made", `${BOX}/podman-build`));
    expect(await podman("run", "--rm", ...CGROUP, "--network", "none", "localhost/made", "cat", "/built"), {
      stdout: "0",
    });
  },
  "exec: user, directory, exit codes": async () => {
    await withContainer([], async (name) => {
      expect(
        await podman("exec", "-u", "1000:5", "-w", "/tmp", name, "sh", "-c", "id -u; id -g; pwd; exit 8"),
        {
          status: 8,
          stdout: "1000\n5\n/tmp",
        },
      );
      expect(await podman("exec", name, "absent"), { status: 127, stderr: /not found|no such file/i });
      expect(await podman("exec", name, "/etc/notes"), { status: 126, stderr: /permission denied/i });
      expect(await podman("exec", "-w", "/absent", name, "true"), {
        status: 127,
        stderr: /no such file or directory/i,
      });
    });
  },
  "logs, stop, kill, restart, wait": async () => {
    const script = "trap 'echo got TERM; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    await withContainer([], async (name) => {
      await until("ready", async () => (await podman("logs", name)).stdout.includes("ready"));
      expect(await podman("stop", name));
      expect(await podman("wait", name), { stdout: "5" });
      expect(await podman("logs", name), { stdout: "ready\ngot TERM" });
      expect(await podman("start", name));
      expect(await podman("kill", name));
      expect(await podman("wait", name), { stdout: "137" });
    }, script);
  },
  "pause, top, stats": async () => {
    await withContainer(["--memory", "64m"], async (name) => {
      expect(await podman("pause", name));
      expect(await podman("inspect", "-f", "{{.State.Status}}", name), { stdout: "paused" });
      expect(await podman("exec", name, "true"), { status: 255, stderr: /running/ });
      expect(await podman("unpause", name));
      expect(await podman("top", name, "args"), { stdout: /sleep 1000/ });
      expect(await podman("stats", "--no-stream", "--format", "{{.PIDS}}", name), { stdout: "1" });
    });
  },
  "update of limits": async () => {
    await withContainer(["--memory", "64m"], async (name) => {
      expect(await podman("update", "--memory", "32m", "--cpus", "0.3", name));
      const script = `${printLimit("memory/memory.limit_in_bytes", "memory.max")}
        ${printLimit("cpu/cpu.cfs_quota_us", "cpu.max")}`;
      expect(await podman("exec", name, "sh", "-c", script), { stdout: /^33554432\n30000( 100000)?$/ });
    });
  },
  "a restart policy": async () => {
    await withContainer(["--restart", "on-failure:2"], async (name) => {
      await until(
        "two restarts",
        async () => expect(await podman("inspect", "-f", "{{.RestartCount}}", name)) === "2",
      );
      expect(await podman("wait", name), { stdout: "3" });
      assertEquals((await podman("logs", name)).stdout, "again\n".repeat(3));
    }, "echo again; exit 3");
  },
  "cp in both directions": async () => {
    await withContainer([], async (name) => {
      Deno.writeTextFileSync(`${BOX}/copied`, "over\n");
      expect(await podman("cp", `${BOX}/copied`, `${name}:/root/in`));
      expect(await podman("exec", name, "cat", "/root/in"), { stdout: "over" });
      expect(await podman("cp", `${name}:/root/in`, `${BOX}/back`));
      assertEquals(Deno.readTextFileSync(`${BOX}/back`), "over\n");
    });
  },
  "a health check": async () => {
    // Without systemd nothing runs it by itself.
    await withContainer(["--health-cmd", "test -e /ok", "--health-interval", "disable"], async (name) => {
      expect(await podman("healthcheck", "run", name), { status: 1 });
      expect(await podman("exec", name, "touch", "/ok"));
      expect(await podman("healthcheck", "run", name));
    });
  },
  "a pod: containers that share namespaces": async () => {
    const pod = "pod-of-two";
    expect(
      await podman("pod", "create", "--name", pod, "--cgroup-parent", `/${ID}`, "--share", "net,ipc,uts,pid"),
    );
    try {
      const first = expect(
        await podman("run", "-d", "--pod", pod, IMAGE, "/bin/httpd", "-f", "-p", "80", "-h", "/etc"),
      );
      assert(first.length === 64);
      const script =
        // One that has answered may be there still, beside the one that listens.
        "until wget -qO- http://127.0.0.1/notes; do sleep 0.1; done; cat /proc/*/comm | grep httpd | sort -u";
      expect(await podman("run", "--rm", "--pod", pod, IMAGE, "sh", "-c", script), {
        stdout: "not a program\nhttpd",
      });
      const yaml = expect(await podman("generate", "kube", pod));
      Deno.writeTextFileSync(`${BOX}/pod.yaml`, yaml);
      expect(await podman("pod", "rm", "--force", "--time", "0", pod));
      expect(await podman("play", "kube", `${BOX}/pod.yaml`));
      expect(await podman("pod", "inspect", "--format", "{{.State}}", pod), { stdout: "Running" });
    } finally {
      expect(await podman("pod", "rm", "--force", "--time", "0", pod));
    }
  },
  "what Podman asks of a runtime about checkpoints": async () => {
    await withContainer([], async (name) => {
      const { status, stderr } = await podman("container", "checkpoint", name);
      assertEquals(status, 125, stderr);
      assert(/does not support checkpoint|CRIU|criu/.test(stderr), `${RUNTIME}: ${stderr}`);
    });
  },
};

export const leftCases: Cases = {
  "nothing is left: containers, processes, cgroups": async () => {
    expect(await podman("ps", "--all", "--quiet"), { stdout: "" });
    await ended(/conmon|^sleep/);
    // conmon's cgroup is Podman's to keep.
    assertEquals(find("/sys/fs/cgroup", new RegExp(`/${ID}/(.*/)?libpod-[0-9a-f]+$`)), []);
    // crun has hidden files of its own there.
    const state = exists(`/run/${RUNTIME}`) ? [...Deno.readDirSync(`/run/${RUNTIME}`)] : [];
    assertEquals(state.map(({ name }) => name).filter((name) => !name.startsWith(".")), []);
  },
};
