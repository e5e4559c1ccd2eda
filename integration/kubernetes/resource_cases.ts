/** Limits: set, changed, enforced, and measured. @module */
import { assert, assertEquals } from "@std/assert";
import { find, ID, printLimit } from "../engines/machine.ts";
import { type Cases, expect, until } from "../engines/suite.ts";
import { cri } from "./cri.ts";
import { eachRun, exec, exited, HOST_NETWORK, withContainer, withPod } from "./pods.ts";

const MIB = 1 << 20;

/** A file of the container's cgroup, by its name in cgroup v1 or else in v2. */
function read(container: string, v1: string, v2: string): string {
  const [path] = find("/sys/fs/cgroup", new RegExp(`/${ID}/[^/]+/${container}/(${v1}|${v2})$`));
  return Deno.readTextFileSync(path!).trim();
}

/** At most its own share, and all of it used soon. */
const EATS = "tail /dev/zero";

export const resourceCases: Cases = {
  ...eachRun({
    "memory: the limit, as the container sees it": {
      resources: { memoryLimitInBytes: 64 * MIB },
      script: printLimit("memory/memory.limit_in_bytes", "memory.max"),
      stdout: `${64 * MIB}`,
    },
    "memory: OOMKilled": {
      resources: { memoryLimitInBytes: 16 * MIB },
      command: ["tail", "/dev/zero"],
      status: 137,
      reason: "OOMKilled",
    },
    "memory: a child that is killed, and a program that goes on": {
      resources: { memoryLimitInBytes: 16 * MIB },
      script: `${EATS}; echo $?; sleep 0.5`,
      stdout: "137",
    },
    "cpu: the quota": {
      resources: { cpuPeriod: 100_000, cpuQuota: 50_000, cpuShares: 512 },
      script: `cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d ' ' -f 1 /sys/fs/cgroup/cpu.max`,
      stdout: "50000",
    },
    "cpuset": {
      resources: { cpusetCpus: "1" },
      script: "grep ^Cpus_allowed_list: /proc/self/status | tr -s '\\t' ' '",
      stdout: "Cpus_allowed_list: 1",
    },
    "oom_score_adj": {
      resources: { oomScoreAdj: 1000 },
      script: "cat /proc/self/oom_score_adj",
      stdout: "1000",
    },
  }),
  "cpu: the quota is kept": async () => {
    const resources = { cpuPeriod: 100_000, cpuQuota: 10_000 };
    await withContainer({ script: "while :; do :; done", resources }, async (container) => {
      const used = async () => {
        const { stats } = await cri("ContainerStats", { containerId: container });
        return stats.cpu.usageCoreNanoSeconds.value / 1e6;
      };
      const [start, before] = [performance.now(), await used()];
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const [milliseconds, after] = [performance.now() - start, await used()];
      // A tenth, and what a period that has begun may add.
      assert(after - before < milliseconds * 0.1 + 20, `${after - before} of ${milliseconds} ms`);
      assert(after > before);
    });
  },
  "UpdateContainerResources: memory and cpu of what runs, and then the limit is enforced": async () => {
    await withContainer({
      resources: { memoryLimitInBytes: 64 * MIB, cpuPeriod: 100_000, cpuQuota: 50_000 },
      script: `until [ -e /go ]; do sleep 0.05; done; ${EATS}; exit $?`,
    }, async (container) => {
      assertEquals(read(container, "memory.limit_in_bytes", "memory.max"), `${64 * MIB}`);
      const linux = { memoryLimitInBytes: 32 * MIB, cpuPeriod: 100_000, cpuQuota: 20_000, cpuShares: 256 };
      await cri("UpdateContainerResources", { containerId: container, linux });
      assertEquals(read(container, "memory.limit_in_bytes", "memory.max"), `${32 * MIB}`);
      assertEquals(read(container, "cpu.cfs_quota_us", "cpu.max").split(" ")[0], "20000");
      assertEquals(
        read(container, "cpu.shares", "cpu.weight"),
        find("/sys/fs/cgroup", /\/cpu\.shares$/)[0] ? "256" : "10",
      );
      expect(await exec(container, ["touch", "/go"]));
      assertEquals((await exited(container)).exitCode, 137);
    });
  },
  "ContainerStats: memory and cpu that were used": async () => {
    await withContainer(
      { script: "dd if=/dev/zero of=/dev/shm/x bs=1M count=20; exec sleep 1000" },
      async (container) => {
        await until("20 MiB", async () => {
          const { stats } = await cri("ContainerStats", { containerId: container });
          return stats.memory.usageBytes.value > 20 * MIB && stats.cpu.usageCoreNanoSeconds.value > 0;
        });
      },
    );
  },
  "PodSandboxStats: memory, and processes of all containers": async () => {
    await withPod(HOST_NETWORK, async (pod) => {
      await pod.run({ command: ["sleep", "1000"] });
      await pod.run({ command: ["sh", "-c", "sleep 1000 & wait"] });
      await until("the processes", async () => {
        const { stats } = await cri("PodSandboxStats", { podSandboxId: pod.id });
        return stats.linux.process.processCount.value === 3 && stats.linux.memory.usageBytes.value > 0;
      });
    });
  },
};
