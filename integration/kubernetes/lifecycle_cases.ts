/** What the kubelet does with a container while it runs, and how it ends. @module */
import { assert, assertEquals } from "@std/assert";
import { BOX, ended, find, ID, pairs, processes } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { ctr, startDaemonAgain } from "./containerd.ts";
import { cri } from "./cri.ts";
import { exec, exited, HOST_NETWORK, made, refused, statusOf, withContainer, withPod } from "./pods.ts";
import { Stream } from "./stream.ts";

const TRAPS = "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.05; done";
const IGNORES = "trap '' TERM; touch /ready; while :; do sleep 0.05; done";

export const lifecycleCases: Cases = {
  "ExecSync: output, exit codes, what fails": async () => {
    await withContainer({ security: { runAsUser: { value: 1000 } } }, async (container) => {
      expect(await exec(container, ["sh", "-c", "echo out; echo err >&2; id -u; exit 7"]), {
        status: 7,
        stdout: "out\n1000",
        stderr: "err",
      });
      await refused(exec(container, ["absent"]), /executable file .*not found in \$PATH/);
      await refused(exec(container, ["/etc/notes"]), /permission denied/i);
    });
  },
  "ExecSync: a time limit": async () => {
    await withContainer({}, async (container) => {
      await refused(exec(container, ["sleep", "77"], 1), /timeout 1s exceeded/);
      // Only the exec's process has been killed.
      await until("its end", async () => !expect(await exec(container, ["ps"])).includes("sleep 77"));
      assertEquals((await statusOf(container)).state, "CONTAINER_RUNNING");
    });
  },
  "Exec with a terminal: its size, and what is typed": async () => {
    await withContainer({}, async (container) => {
      const { url } = await cri("Exec", {
        containerId: container,
        cmd: ["sh"],
        tty: true,
        stdin: true,
        stdout: true,
      });
      using stream = await Stream.open(url);
      stream.resize(111, 33);
      stream.type("until stty size | grep '^33 111'; do sleep 0.05; done; tty; echo typed-$((6 * 7))\n");
      await stream.shows(/\r\n33 111\r\n\/dev\/pts\/\d\r\ntyped-42\r\n/);
      stream.type("exit 3\n");
      assertEquals(await stream.status(), 3);
    });
  },
  "Exec without a terminal: streams of their own": async () => {
    await withContainer({}, async (container) => {
      const cmd = ["sh", "-c", "read line; echo got $line; echo bad >&2"];
      const { url } = await cri("Exec", {
        containerId: container,
        cmd,
        stdin: true,
        stdout: true,
        stderr: true,
      });
      using stream = await Stream.open(url);
      stream.type("something\n");
      assertEquals(await stream.status(), 0);
      assertEquals([stream.stdout, stream.stderr], ["got something\n", "bad\n"]);
    });
  },
  "Attach to the terminal of the container itself": async () => {
    await withContainer({ script: "exec sh", tty: true, stdin: true }, async (container) => {
      const { url } = await cri("Attach", { containerId: container, tty: true, stdin: true, stdout: true });
      using stream = await Stream.open(url);
      stream.type("echo typed-$((6 * 7)); exit 4\n");
      await stream.shows(/\r\ntyped-42\r\n/);
      assertEquals((await exited(container)).exitCode, 4);
    });
  },
  "StopContainer: SIGTERM that is handled": async () => {
    await withContainer({ script: TRAPS }, async (container) => {
      await made(container, "/ready");
      await cri("StopContainer", { containerId: container, timeout: 20 });
      assertEquals((await statusOf(container)).exitCode, 5);
    });
  },
  "StopContainer: SIGTERM that is not, and then SIGKILL": async () => {
    await withContainer({ script: IGNORES }, async (container) => {
      await made(container, "/ready");
      const start = performance.now();
      await cri("StopContainer", { containerId: container, timeout: 1 });
      assert(performance.now() - start > 900);
      const { exitCode, state } = await statusOf(container);
      assertEquals([exitCode, state], [137, "CONTAINER_EXITED"]);
      // Once more is no error.
      await cri("StopContainer", { containerId: container, timeout: 1 });
    });
  },
  "StopContainer: processes that the program has left, in the pod's process namespace": async () => {
    const shared = { security: { namespaceOptions: { network: "NODE", pid: "POD" } } } as const;
    await withContainer(
      { pod: shared, script: "sleep 4321 & touch /ready; exec sleep 1000" },
      async (container) => {
        await made(container, "/ready");
        await cri("StopContainer", { containerId: container, timeout: 0 });
        await ended(/^sleep 4321/);
      },
    );
  },
  "StopPodSandbox: all of its containers": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      const containers = [
        await pod.run({ command: ["sleep", "1000"] }),
        await pod.run({ command: ["sleep", "1000"] }),
      ];
      await cri("StopPodSandbox", { podSandboxId: pod.id });
      for (const container of containers) assertEquals((await exited(container)).exitCode, 137);
    });
  },
  "RemoveContainer of one that was only created, and of one that runs": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      for (const make of ["create", "run"] as const) {
        const containerId = await pod[make]({ command: ["sleep", "1000"] });
        await cri("RemoveContainer", { containerId });
        await refused(cri("ContainerStatus", { containerId }), /NOT_FOUND/);
      }
    });
  },
  "StartContainer: programs that cannot be": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      for (
        const [command, words] of [
          ["absent", /executable file .*not found in \$PATH/],
          ["/absent", /no such file or directory/i],
          ["/etc/notes", /permission denied/i],
        ] as const
      ) {
        const containerId = await pod.create({ command: [command] });
        await refused(cri("StartContainer", { containerId }), words);
        const { state, reason } = await statusOf(containerId);
        assertEquals([state, reason], ["CONTAINER_EXITED", "StartError"]);
      }
    });
  },
  "StartContainer: a limit that is too small": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      const containerId = await pod.create({ command: ["true"], resources: { cpuPeriod: 1, cpuQuota: 1 } });
      await refused(cri("StartContainer", { containerId }), /cpu[.].*invalid argument/i);
    });
  },
};

export const restartCases: Cases = {
  "a pod outlives the daemon, and the next one has it": async () => {
    await withContainer({ script: TRAPS }, async (container) => {
      await made(container, "/ready");
      const [daemon] = find("/proc", /^\/proc\/\d+\/exe$/).filter((path) => {
        try {
          return Deno.readLinkSync(path) === "/usr/bin/containerd";
        } catch {
          return false; // It has just ended.
        }
      });
      Deno.kill(Number(daemon!.split("/")[2]), "SIGKILL");
      await until("its end", async () => (await ctr("version")).status !== 0);
      await startDaemonAgain();
      await until("its plugin", async () => (await statusOf(container)).state === "CONTAINER_RUNNING");
      expect(await exec(container, ["echo", "still"]), { stdout: "still" });
      await cri("StopContainer", { containerId: container, timeout: 20 });
      assertEquals((await exited(container)).exitCode, 5);
    });
  },
};

export const leftCases: Cases = {
  "nothing is left: no process, mount, network, cgroup or state": async () => {
    assertEquals((await cri("ListPodSandbox")).items, []);
    assertEquals((await cri("ListContainers")).containers, []);
    for (const kind of ["containers", "tasks"]) expect(await ctr(kind, "list", "--quiet"), { stdout: "" });
    // The shim ends a little later than its pod.
    await ended(/containerd-shim|^sleep/);
    assertEquals(processes(/\/hako |^runc |^crun /), []);
    const mounts = Deno.readTextFileSync("/proc/self/mountinfo").split("\n").map((line) =>
      line.split(" ")[4] ?? ""
    );
    assertEquals(mounts.filter((path) => path.startsWith(`${BOX}/`) || path.startsWith("/run/netns/")), []);
    assertEquals(pairs(), []);
    // The parents are the kubelet's.
    const groups = find("/sys/fs/cgroup", new RegExp(`/${ID}/[^/]+/[^/]+$`));
    assertEquals(groups.filter((path) => Deno.statSync(path).isDirectory), []);
    const state = [`${BOX}/containerd/state`, "/run/containerd/runc"];
    assertEquals(state.flatMap((path) => find(path, /\.(json|pid)$|exec\.fifo$|\/status$/)), []);
  },
};
