/** What `docker` does with containers while and after they run. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { BOX, isolated, printLimit, runWith } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import type { Result } from "../support/hako.ts";
import { Pty } from "../support/pty.ts";
import { docker, IMAGE, inspect, newName, runContainer, SOCKET, withContainer } from "./docker.ts";

const LINES = "trap 'echo got TERM; exit 5' TERM; echo one; echo two >&2; while :; do sleep 0.05; done";

function running(name: string, expected: boolean): Promise<void> {
  return until(
    `${name} to be ${expected ? "running" : "stopped"}`,
    async () => await inspect(name, ".State.Running") === `${expected}`,
  );
}

/** Waits until the container has written `text`. */
function logged(name: string, text: string): Promise<void> {
  return until(`${text} in the log`, async () => {
    const { stdout, stderr } = await docker("logs", name);
    return `${stdout}${stderr}`.includes(text);
  });
}

/** `docker build`, with BuildKit or without. */
function build(kit: "0" | "1", ...words: readonly string[]): Promise<Result> {
  return runWith(["env", `DOCKER_BUILDKIT=${kit}`, "docker", "--host", SOCKET, "build", ...words], {});
}

export const lifecycleCases: Cases = {
  "run -it: a terminal, its size, and what is typed": async () => {
    using pty = new Pty({ rows: 33, columns: 111 });
    const command = ["docker", "--host", SOCKET, "run", "--rm", "-it", IMAGE, "sh"];
    const status = await pty.run(isolated(command), async () => {
      await pty.shows(/# \S*$/);
      await pty.type("tty; until stty size 2>&- | grep 33; do sleep 0.05; done; echo $((6*7))\r");
      await pty.shows(/\/dev\/pts\/0\r\n33 111\r\n42\r\n[^]*# \S*$/);
      await pty.type("sh -c 'echo up; sleep 100'\r");
      await pty.shows(/\r\nup\r\n$/);
      await pty.type("\x03");
      await pty.shows(/# \S*$/);
      await pty.type("exit 9\r");
    });
    assertEquals(status, 9);
  },
  "exec -it: another terminal": async () => {
    await withContainer({}, async (name) => {
      using pty = new Pty();
      const status = await pty.run(
        isolated(["docker", "--host", SOCKET, "exec", "-it", name, "sh"]),
        async () => {
          await pty.shows(/# \S*$/);
          await pty.type("tty; exit 3\r");
          await pty.shows(/\/dev\/pts\/0\r\n/);
        },
      );
      assertEquals(status, 3);
    });
  },
  "standard input comes through, and its end": async () => {
    const command = ["docker", "--host", SOCKET, "run", "--rm", "-i", IMAGE, "wc", "-c"];
    expect(await runWith(command, { stdin: "x".repeat(300_000) }), { stdout: "300000" });
  },
  "a lot of output comes through": async () => {
    const stdout = await runContainer({ script: "seq 1 100000" });
    assertEquals(stdout.split("\n").length, 100_000);
  },
  "run -d, logs, and stop with SIGTERM": async () => {
    await withContainer({ script: LINES }, async (name) => {
      await logged(name, "two");
      expect(await docker("logs", name), { stdout: "one", stderr: "two" });
      expect(await docker("stop", name));
      assertEquals(await inspect(name, ".State.ExitCode"), "5");
      expect(await docker("logs", name), { stdout: "one\ngot TERM" });
      expect(await docker("start", name));
      await running(name, true);
    });
  },
  "stop with the signal that the container names": async () => {
    const script = "trap 'exit 6' USR1; echo ready; while :; do sleep 0.05; done";
    await withContainer({ options: ["--stop-signal", "USR1"], script }, async (name) => {
      await logged(name, "ready");
      expect(await docker("stop", name));
      assertEquals(await inspect(name, ".State.ExitCode"), "6");
    });
  },
  "stop that ends in SIGKILL: 137": async () => {
    await withContainer({}, async (name) => {
      expect(await docker("stop", "--time", "0", name));
      assertEquals(await inspect(name, ".State.ExitCode"), "137");
    });
  },
  "kill, with a signal, and of what is stopped": async () => {
    await withContainer({ script: LINES }, async (name) => {
      await logged(name, "two");
      expect(await docker("kill", "--signal", "TERM", name));
      await running(name, false);
      assertEquals(await inspect(name, ".State.ExitCode"), "5");
      expect(await docker("kill", name), { status: 1, stderr: /is not running/ });
    });
  },
  "wait, restart, rename, rm": async () => {
    await withContainer({ script: "sleep 0.3; exit 7" }, async (name) => {
      expect(await docker("wait", name), { stdout: "7" });
      expect(await docker("restart", "--time", "0", name));
      const other = newName();
      expect(await docker("rename", name, other));
      expect(await docker("wait", other), { stdout: "7" });
      expect(await docker("rm", other));
    });
  },
  "restart policies": async () => {
    await withContainer(
      { options: ["--restart", "on-failure:2"], script: "echo again; exit 3" },
      async (name) => {
        await until(
          "two restarts",
          async () =>
            await inspect(name, ".RestartCount") === "2" && await inspect(name, ".State.Running") === "false",
        );
        assertEquals((await docker("logs", name)).stdout, "again\n".repeat(3));
      },
    );
    await withContainer({ options: ["--restart", "always"], script: "sleep 0.2" }, async (name) => {
      await until("a restart", async () => Number(await inspect(name, ".RestartCount")) > 0);
    });
    await withContainer({ options: ["--restart", "unless-stopped"] }, async (name) => {
      const first = await inspect(name, ".State.Pid");
      // Not by Docker, which would take it for a stop.
      Deno.kill(Number(first), "SIGKILL");
      await until("another process", async () => !["0", first].includes(await inspect(name, ".State.Pid")));
      expect(await docker("stop", "--time", "0", name));
      await running(name, false);
    });
  },
  "pause and unpause": async () => {
    await withContainer({ script: "while :; do echo tick; sleep 0.05; done" }, async (name) => {
      await logged(name, "tick");
      expect(await docker("pause", name));
      assertEquals(await inspect(name, ".State.Status"), "paused");
      expect(await docker("exec", name, "true"), { status: 1, stderr: /is paused/ });
      const { stdout } = await docker("logs", name);
      assertEquals((await docker("logs", name)).stdout, stdout);
      expect(await docker("unpause", name));
      await until("more ticks", async () => (await docker("logs", name)).stdout.length > stdout.length);
    });
  },
  "update of limits": async () => {
    await withContainer({ options: ["--memory", "64m"] }, async (name) => {
      expect(
        await docker(
          ...["update", "--memory", "32m", "--memory-swap", "-1", "--cpus", "0.3", "--pids-limit", "77"],
          ...["--cpu-shares", "100", "--cpuset-cpus", "1", name],
        ),
      );
      const script = `${printLimit("memory/memory.limit_in_bytes", "memory.max")}
        ${printLimit("cpu/cpu.cfs_quota_us", "cpu.max")}; ${printLimit("pids/pids.max", "pids.max")}
        ${printLimit("cpuset/cpuset.cpus", "cpuset.cpus")}`;
      expect(await docker("exec", name, "sh", "-c", script), {
        stdout: /^33554432\n30000( 100000)?\n77\n1$/,
      });
    });
  },
  "top, stats": async () => {
    await withContainer({ options: ["--memory", "64m"] }, async (name) => {
      // Now and then the shim of containerd 1.6 closes the connection to dockerd, and is asked again ("ttrpc: closed").
      await until(
        "top",
        async () =>
          /^PID +COMMAND\n\d+ +sleep 1000$/.test((await docker("top", name, "-o", "pid,args")).stdout.trim()),
      );
      const format = "{{.PIDs}} {{.MemUsage}}";
      await until(
        "statistics",
        async () =>
          /^1 [\d.]+[KM]iB \/ 64MiB$/m.test(
            (await docker("stats", "--no-stream", "--format", format, name)).stdout,
          ),
      );
    });
  },
  "cp in both directions": async () => {
    Deno.writeTextFileSync(`${BOX}/copied`, "over\n");
    await withContainer({ options: ["--tmpfs", "/t"] }, async (name) => {
      expect(await docker("cp", `${BOX}/copied`, `${name}:/root/in`));
      expect(await docker("exec", name, "cat", "/root/in"), { stdout: "over" });
      expect(await docker("cp", `${name}:/etc/passwd`, `${BOX}/passwd`));
      assertStringIncludes(Deno.readTextFileSync(`${BOX}/passwd`), "root:x:0:0");
    });
  },
  "exec: user, directory, environment, and its exit code": async () => {
    await withContainer({ options: ["--user", "user"] }, async (name) => {
      const script = "id -u; pwd; echo $A; exit 8";
      expect(await docker("exec", "-u", "0", "-w", "/tmp", "-e", "A=b", name, "sh", "-c", script), {
        status: 8,
        stdout: "0\n/tmp\nb",
      });
      expect(await docker("exec", name, "id", "-u"), { stdout: "1000" });
    });
  },
  "exec -d, and exec of many at once": async () => {
    await withContainer({}, async (name) => {
      expect(await docker("exec", "-d", name, "sh", "-c", "echo done >/root/file"));
      await until(
        "the file",
        async () => (await docker("exec", name, "cat", "/root/file")).stdout === "done\n",
      );
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) => docker("exec", name, "echo", `${index}`)),
      );
      assertEquals(results.map(({ stdout }) => stdout.trim()), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    });
  },
  "exec has no more capabilities than the container": async () => {
    await withContainer({ options: ["--cap-drop", "ALL"] }, async (name) => {
      const words = ["grep", "CapEff", "/proc/self/status"];
      expect(await docker("exec", name, ...words), { stdout: /0000000000000000$/ });
    });
  },
  "a health check": async () => {
    const options = ["--health-cmd", "test -e /ok", "--health-interval", "300ms", "--health-retries", "1"];
    await withContainer({ options }, async (name) => {
      const health = (expected: string) =>
        until(expected, async () => await inspect(name, ".State.Health.Status") === expected);
      await health("unhealthy");
      expect(await docker("exec", name, "touch", "/ok"));
      await health("healthy");
    });
  },
  "a container that shares the namespaces of another": async () => {
    await withContainer({ options: ["--ipc", "shareable"] }, async (name) => {
      await runContainer({
        options: [
          "--pid",
          `container:${name}`,
          "--network",
          `container:${name}`,
          "--ipc",
          `container:${name}`,
        ],
        script: "cat /proc/1/comm; hostname",
        stdout: new RegExp(`^sleep\n${(await inspect(name, ".Id")).slice(0, 12)}$`),
      });
    });
  },
  "build with BuildKit": async () => {
    const directory = `${BOX}/buildkit`;
    Deno.mkdirSync(directory);
    Deno.writeTextFileSync(
      `${directory}/Dockerfile`,
      `FROM ${IMAGE}\nUSER user\nRUN id -u >/tmp/built\n`,
    );
    expect(await build("1", "--tag", "kit", directory));
    expect(await docker("run", "--rm", "kit", "cat", "/tmp/built"), { stdout: "1000" });
  },
  "attach: what is typed, and the exit code": async () => {
    await withContainer({ options: ["-i"], script: "read line; echo got $line; exit 4" }, async (name) => {
      const attach = ["docker", "--host", SOCKET, "attach", name];
      // The container may end before its output is attached. Its log has all.
      expect(await runWith(attach, { stdin: "words\n" }), { status: 4 });
      await logged(name, "got words");
    });
  },
  "exec -i: standard input": async () => {
    await withContainer({}, async (name) => {
      const words = ["docker", "--host", SOCKET, "exec", "-i", name, "wc", "-c"];
      expect(await runWith(words, { stdin: "x".repeat(100_000) }), { stdout: "100000" });
    });
  },
  "build without BuildKit: RUN, and its failure": async () => {
    Deno.mkdirSync(`${BOX}/build`);
    const dockerfile = (last: string) =>
      `FROM ${IMAGE}\nRUN echo built >/built && id -u >>/built\nRUN ${last}\n`;
    Deno.writeTextFileSync(`${BOX}/build/Dockerfile`, dockerfile("test -s /built"));
    const image = expect(await build("0", "--quiet", `${BOX}/build`));
    expect(await docker("run", "--rm", image, "cat", "/built"), { stdout: "built\n0" });
    Deno.writeTextFileSync(`${BOX}/build/Dockerfile`, dockerfile("exit 3"));
    expect(await build("0", "--force-rm", `${BOX}/build`), {
      status: 3,
      stderr: /returned a non-zero code: 3/,
    });
  },
};

/** For a machine at rest: Docker notes at the end of a container whether it has heard of this by then. */
export const memoryCases: Cases = {
  "out of memory: the exit code, and an event": async () => {
    const name = newName();
    const since = `${Date.now() / 1000}`;
    // The engine learns of it while the container lives.
    const script = "tail /dev/zero; code=$?; sleep 0.5; exit $code";
    try {
      expect(
        await docker(
          "run",
          "--name",
          name,
          "--memory",
          "16m",
          "--memory-swap",
          "16m",
          IMAGE,
          "sh",
          "-c",
          script,
        ),
        {
          status: 137,
        },
      );
      const events = expect(await docker("events", "--since", since, "--until", `${Date.now() / 1000}`));
      assert(new RegExp(`container oom .*name=${name}`).test(events), events);
      assertEquals(await inspect(name, ".State.OOMKilled"), "true");
    } finally {
      await docker("rm", "-f", name);
    }
  },
};
