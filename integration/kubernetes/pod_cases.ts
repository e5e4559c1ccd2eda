/** What containers of a pod share, with each other and with the host. @module */
import { assertEquals, assertMatch } from "@std/assert";
import type { Cases } from "../engines/suite.ts";
import { expect, until } from "../engines/suite.ts";
import { cri, type NamespaceOption, type PodConfig } from "./cri.ts";
import { HANDLER } from "./containerd.ts";
import { eachRun, exec, exited, HOST_NETWORK, made, Pod, withPod } from "./pods.ts";

function pod(namespaceOptions: NamespaceOption, rest: PodConfig = {}): PodConfig {
  return { ...rest, security: { namespaceOptions } };
}

const OWN = pod({ network: "POD", pid: "CONTAINER", ipc: "POD" });

/** The host's namespaces, as a container may see them by /proc of a pod with hostPID. */
const ours = (kind: string) => Deno.readLinkSync(`/proc/self/ns/${kind}`);

async function namespace(container: string, kind: string): Promise<string> {
  return expect(await exec(container, ["readlink", `/proc/self/ns/${kind}`]));
}

export const podCases: Cases = {
  ...eachRun({
    "a pod's network: an address, and loopback": {
      pod: OWN,
      script:
        "ip -o -4 addr show lo | grep -c 127.0.0.1; ip -o -4 addr show eth0 | grep -c ' 10.88.'; ip route | head -n 1",
      stdout: /^1\n1\ndefault via 10\.88\./,
    },
    "hostNetwork": {
      script: "readlink /proc/self/ns/net; hostname",
      stdout: `${ours("net")}\n${Deno.hostname()}`,
    },
    "hostPID": {
      pod: pod({ network: "NODE", pid: "NODE" }),
      script: "readlink /proc/self/ns/pid; tr '\\0' ' ' </proc/1/cmdline | cut -d ' ' -f 1",
      stdout: new RegExp(`^${ours("pid").replace(/[[\]]/g, "\\$&")}\nbash$`),
    },
    "hostIPC": {
      pod: pod({ network: "NODE", ipc: "NODE" }),
      script: "readlink /proc/self/ns/ipc",
      stdout: ours("ipc"),
    },
    "sysctls": {
      pod: pod({ network: "POD" }, {
        sysctls: { "net.ipv4.ip_unprivileged_port_start": "80", "kernel.shm_rmid_forced": "1" },
      }),
      script: "cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced",
      stdout: "80\n1",
    },
  }),
  "two containers: one network, one IPC, one name, each its own processes and files": async () => {
    await withPod({ ...OWN, hostname: "both" }, async (pod) => {
      const server = await pod.run({
        command: [
          "sh",
          "-c",
          "echo shared >/dev/shm/file; echo hello >/tmp/index.html; exec httpd -f -p 127.0.0.1:8080 -h /tmp",
        ],
      });
      const client = await pod.run({
        command: [
          "sh",
          "-c",
          "until wget -q -O- http://127.0.0.1:8080/; do sleep 0.05; done; cat /dev/shm/file; hostname; echo $$; ls /tmp",
        ],
      });
      await exited(client);
      expect({ status: 0, ...pod.output(client) }, { stdout: "hello\nshared\nboth\n1" });
      const other = await pod.run({ command: ["sleep", "1000"] });
      for (const kind of ["net", "ipc", "uts"]) {
        assertEquals(await namespace(server, kind), await namespace(other, kind));
      }
      for (const kind of ["pid", "mnt"]) {
        assertEquals(await namespace(server, kind) === await namespace(other, kind), false);
      }
    });
  },
  "shareProcessNamespace: all see all, behind the pod's own process": async () => {
    await withPod(pod({ network: "NODE", pid: "POD" }), async (pod) => {
      await pod.run({ command: ["sleep", "1234"] });
      const other = await pod.run({ command: ["sleep", "1000"] });
      expect(await exec(other, ["ps", "-o", "pid,args"]), { stdout: /\n +1 sleep 1000\n[^]* sleep 1234\n/ });
    });
  },
  "a container for debugging: the processes of one other": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      const target = await pod.run({ command: ["sleep", "1234"] });
      const namespaceOptions: NamespaceOption = { network: "NODE", pid: "TARGET", targetId: target };
      const debugging = await pod.run({ command: ["sleep", "1000"], security: { namespaceOptions } });
      assertEquals(await namespace(debugging, "pid"), await namespace(target, "pid"));
      expect(await exec(debugging, ["ps", "-o", "pid,args"]), { stdout: /\n +1 sleep 1234\n/ });
    });
  },
  "a container that is started again, as the kubelet does": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      for (const code of [1, 2, 3]) {
        const containerId = await pod.run({ command: ["sh", "-c", `exit ${code}`] });
        assertEquals((await exited(containerId)).exitCode, code);
        await cri("RemoveContainer", { containerId });
      }
    });
  },
  "status of a pod: ready, its address, its runtime; and not ready when stopped": async () => {
    const pod = await Pod.start(OWN);
    const status = async () => (await cri("PodSandboxStatus", { podSandboxId: pod.id })).status;
    const { state, network, runtimeHandler } = await status();
    assertEquals([state, runtimeHandler], ["SANDBOX_READY", HANDLER]);
    assertMatch(network!.ip, /^10\.88\./);
    await cri("StopPodSandbox", { podSandboxId: pod.id });
    assertEquals((await status()).state, "SANDBOX_NOTREADY");
    await cri("RemovePodSandbox", { podSandboxId: pod.id });
  },
  "ten pods at once": async () => {
    const pods = await Promise.all(Array.from({ length: 10 }, () => Pod.start(OWN)));
    const containers = await Promise.all(
      pods.map((pod) => pod.run({ command: ["sh", "-c", "touch /up; exec sleep 1000"] })),
    );
    for (const container of containers) await made(container, "/up");
    await Promise.all(pods.map((pod) => pod.remove()));
    await until("their end", async () => {
      const { items } = await cri("ListPodSandbox");
      return pods.every(({ id }) => items.every((item) => item.id !== id));
    });
  },
};
