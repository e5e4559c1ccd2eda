/** What `ctr` does with containers while and after they run. @module */
import { assert, assertEquals } from "@std/assert";
import { BOX, command, ended, find, ID, isolated, processes, runWith } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { Pty } from "../support/pty.ts";
import {
  CTR,
  ctr,
  execIn,
  newName,
  runContainer,
  runWords,
  startDaemonAgain,
  taskStatus,
  withContainer,
} from "./containerd.ts";

const TRAPS = "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.05; done";

/** Its terminal has a size a little later than its start. */
const SHOWS = "tty; until stty size 2>&- | grep 33; do sleep 0.05; done; exit $1";

function reaches(name: string, status: string): Promise<void> {
  return until(`${name} to be ${status}`, async () => await taskStatus(name) === status);
}

/** Waits until the file is in the container. */
function made(name: string, path: string): Promise<void> {
  return until(path, async () => (await execIn(name, [], "test", "-e", path)).status === 0);
}

/** A member of `ctr tasks metrics`, by the words on the way to it. */
async function metric(name: string, ...way: readonly string[]): Promise<unknown> {
  const all = JSON.parse(expect(await ctr("tasks", "metrics", "--format", "json", name)));
  return way.reduce((value, word) => value?.[word], all);
}

export const lifecycleCases: Cases = {
  "run -t: a terminal, and its size": async () => {
    using pty = new Pty({ rows: 33, columns: 111 });
    const words = [
      ...CTR,
      ...runWords(newName(), { options: ["--rm", "-t"], words: ["sh", "-c", SHOWS, "sh", "9"] }),
    ];
    const status = await pty.run(isolated(words), () => pty.shows(/^\/dev\/pts\/0\r+\n33 111\r+\n$/));
    assertEquals(status, 9);
  },
  "run -t: what is typed": async () => {
    using pty = new Pty();
    const script = "echo ready; while read line; do echo got $line; done; echo end";
    const words = [...CTR, ...runWords(newName(), { options: ["--rm", "-t"], script })];
    const status = await pty.run(isolated(words), async () => {
      await pty.shows(/ready\r+\n/);
      await pty.type("one two three\n");
      await pty.shows(/got one two three\r+\n/);
      await pty.type("four\n\x04");
      await pty.shows(/got four\r+\nend\r+\n/);
    });
    assertEquals(status, 0);
  },
  "exec -t: another terminal, and its size": async () => {
    await withContainer({}, async (name) => {
      using pty = new Pty({ rows: 33, columns: 111 });
      const words = ["tasks", "exec", "--exec-id", "t", "-t", name, "sh", "-c", SHOWS, "sh", "3"];
      const status = await pty.run(
        isolated([...CTR, ...words]),
        () => pty.shows(/^\/dev\/pts\/0\r+\n33 111\r+\n$/),
      );
      assertEquals(status, 3);
    });
  },
  "standard input comes through, and its end": async () => {
    const words = [...CTR, ...runWords(newName(), { options: ["--rm"], words: ["wc", "-c"] })];
    expect(await runWith(words, { stdin: "x".repeat(300_000) }), { stdout: "300000" });
  },
  "a lot of output comes through": async () => {
    assertEquals((await runContainer({ script: "seq 1 100000" })).split("\n").length, 100_000);
  },
  "run -d, exec as a user, processes, the file of the id": async () => {
    const file = `${BOX}/pid`;
    await withContainer({ options: ["--pid-file", file] }, async (name) => {
      assertEquals(await taskStatus(name), "RUNNING");
      const pid = Deno.readTextFileSync(file);
      expect(await ctr("tasks", "ps", name), { stdout: new RegExp(`^PID +INFO\n${pid} +-$`) });
      assertEquals(Deno.readTextFileSync(`/proc/${pid}/comm`), "sleep\n");
      expect(await execIn(name, ["--user", "user", "--cwd", "/tmp"], "sh", "-c", "id -u; pwd; echo $FROM"), {
        stdout: "1000\n/tmp\nimage",
      });
    });
  },
  "exec of many at once": async () => {
    await withContainer({}, async (name) => {
      const numbers = Array.from({ length: 6 }, (_, index) => `${index}`);
      const results = await Promise.all(numbers.map((number) => execIn(name, [], "echo", number)));
      assertEquals(results.map(({ stdout }) => stdout.trim()), numbers);
    });
  },
  "exec -d, and kill of that process alone": async () => {
    await withContainer({}, async (name) => {
      const words = ["--detach", "--exec-id", "other", name, "sleep", "2000"];
      expect(await ctr("tasks", "exec", ...words));
      const count = async () => expect(await ctr("tasks", "ps", name)).split("\n").length - 1;
      assertEquals(await count(), 2);
      expect(await ctr("tasks", "kill", "--exec-id", "other", "--signal", "KILL", name));
      await until("its end", async () => await count() === 1);
      assertEquals(await taskStatus(name), "RUNNING");
    });
  },
  "kill with a signal that is handled, and the exit code of the task": async () => {
    await withContainer({ script: TRAPS }, async (name) => {
      await made(name, "/ready");
      expect(await ctr("tasks", "kill", "--signal", "TERM", name));
      await reaches(name, "STOPPED");
      expect(await ctr("tasks", "delete", name), { stderr: /non-zero exit code 5"$/ });
      assertEquals(await taskStatus(name), undefined);
      // The container is still there, and runs again.
      expect(await ctr("tasks", "start", "--detach", name));
      assertEquals(await taskStatus(name), "RUNNING");
    });
  },
  "kill of all, and of what has ended": async () => {
    await withContainer({ script: "sleep 1000 & touch /ready; wait" }, async (name) => {
      await made(name, "/ready");
      expect(await ctr("tasks", "kill", "--all", "--signal", "KILL", name));
      await reaches(name, "STOPPED");
      expect(await ctr("tasks", "kill", name), { status: 1, stderr: /process already finished|not found/ });
      expect(await ctr("tasks", "delete", name), { stderr: /non-zero exit code 137"$/ });
    });
  },
  "pause and resume": async () => {
    await withContainer({ script: "while :; do echo >>/ticks; sleep 0.05; done" }, async (name) => {
      await made(name, "/ticks");
      const [rootfs] = find(`${BOX}/containerd/state`, new RegExp(`/${name}/rootfs$`));
      const ticks = () => Deno.statSync(`${rootfs}/ticks`).size;
      expect(await ctr("tasks", "pause", name));
      assertEquals(await taskStatus(name), "PAUSED");
      const before = ticks();
      await new Promise((resolve) => setTimeout(resolve, 300));
      assertEquals(ticks(), before);
      expect(await ctr("tasks", "resume", name));
      assertEquals(await taskStatus(name), "RUNNING");
      await until("more ticks", () => ticks() > before);
    });
  },
  "limits, and metrics": async () => {
    await withContainer({ options: ["--memory-limit", "67108864", "--cpus", "0.5"] }, async (name) => {
      const limit = await metric(name, "memory", "usage", "limit") ??
        await metric(name, "memory", "usage_limit");
      assertEquals(Number(limit), 67108864);
      assertEquals(Number(await metric(name, "pids", "current")), 1);
      const quota = find("/sys/fs/cgroup", new RegExp(`/${ID}/${name}/(cpu\\.cfs_quota_us|cpu\\.max)$`));
      assert(/^50000( 100000)?\n$/.test(Deno.readTextFileSync(quota[0]!)));
    });
  },
  "out of memory: the exit code, and an event": async () => {
    const name = newName();
    // The engine learns of it while the container lives.
    const script = "tail /dev/zero; code=$?; sleep 0.5; exit $code";
    using events = new Events();
    // ctr does not say when it listens.
    await until("an event", async () => {
      expect(await ctr("namespaces", "label", ID, `time=${Date.now()}`));
      return events.include("/namespaces/update");
    });
    const options = ["--rm", "--memory-limit", "16777216"];
    expect(await ctr(...runWords(name, { options, script })), { status: 137 });
    await until("the event", () => events.include(`/tasks/oom {"container_id":"${name}"}`));
  },
};

/** What `ctr events` says from now on. */
class Events {
  readonly #log = `${BOX}/events`;
  readonly #child: Deno.ChildProcess;

  constructor() {
    const [program, ...args] = ["sh", "-c", 'exec "$@" >"$0"', this.#log, ...CTR, "events"];
    this.#child = new Deno.Command(program!, { args, stdin: "null" }).spawn();
  }

  include(text: string): boolean {
    return Deno.readTextFileSync(this.#log).includes(text);
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

export const restartCases: Cases = {
  "a container outlives the daemon, and the next one has it": async () => {
    await withContainer({}, async (name) => {
      const daemon = new RegExp(`^containerd --config ${BOX}/`);
      expect(await command("sh", "-c", "kill $(busybox pidof containerd)")());
      await ended(daemon);
      assertEquals(processes(/^sleep 1000$/).length, 1);
      await startDaemonAgain();
      assertEquals(await taskStatus(name), "RUNNING");
      expect(await execIn(name, [], "echo", "hello"), { stdout: "hello" });
      expect(await ctr("tasks", "kill", "--signal", "KILL", name));
      await reaches(name, "STOPPED");
    });
  },
};

export const leftCases: Cases = {
  "nothing is left: containers, processes, mounts, cgroups, state": async () => {
    for (const kind of ["containers", "tasks"]) expect(await ctr(kind, "list", "--quiet"), { stdout: "" });
    // The shim ends a little later than its container.
    await ended(/containerd-shim|^sleep/);
    assertEquals(processes(/\/hako |^runc |^crun /), []);
    const mounts = Deno.readTextFileSync("/proc/self/mountinfo").split("\n");
    assertEquals(mounts.filter((line) => line.split(" ")[4]?.startsWith(`${BOX}/`)), []);
    const groups = find("/sys/fs/cgroup", new RegExp(`/${ID}/[^/]+$`));
    assertEquals(groups.filter((path) => Deno.statSync(path).isDirectory), []);
    const state = [`${BOX}/containerd/state`, `${BOX}/state`, "/run/containerd/runc"];
    assertEquals(state.flatMap((path) => find(path, /\.(json|pid)$|exec\.fifo$|\/status$/)), []);
  },
};
