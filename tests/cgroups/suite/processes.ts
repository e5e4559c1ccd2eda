/** What the kernel does to the processes of a cgroup. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Cgroup, watchOom } from "../../../cgroups/mod.ts";
import { cgroupTest, type Machine, MB, message, pause, type Process, until } from "./fixture.ts";

interface Started {
  readonly cgroup: Cgroup;
  readonly open: (again?: boolean) => Cgroup;
  readonly start: (script: string) => Process;
}

export function processTests(machine: Machine): void {
  const kernelTest = (name: string, controller: string, fn: (cgroup: Started) => Promise<void>) => {
    const { v1, v2 } = machine.controllers;
    const there = controller === "v2" ? v2.length > 0 : [...v1, ...v2, ""].includes(controller);
    const absent = controller === "v2" ? "no controllers with v2" : `no controller "${controller}"`;
    const reason = machine.start === undefined ? "no kernel" : there ? undefined : absent;
    cgroupTest(machine, name, async (cgroup, open) => {
      await fn({ cgroup, open, start: (script) => machine.start!(cgroup, script) });
    }, reason);
  };

  kernelTest("has its processes, those of cgroups below included", "", async ({ cgroup, start }) => {
    cgroup.create({});
    const { pid } = start("sleep 100");
    const below = start("sleep 100");
    for (const path of new Set(Object.values(cgroup.paths))) {
      Deno.mkdirSync(`${path}/below`);
      if (path.includes("/cpuset/")) copyCpuset(path, `${path}/below`);
    }
    cgroup.add(below.pid, { sub: "below" });
    assertEquals(cgroup.pids().toSorted(), [pid, below.pid].toSorted());
    cgroup.kill();
    assertEquals((await below.end).status, "signal SIGKILL");
  });

  kernelTest("is not made in the place of one with processes", "", async ({ cgroup, open, start }) => {
    cgroup.create({});
    const { end } = start("sleep 100");
    assertMatch(
      message(() => open(true).create({})),
      /container's cgroup is not empty: 1 process\(es\) found in \//,
    );
    cgroup.kill();
    await end;
  });

  kernelTest(
    "kills all processes, frozen ones too, and while they multiply",
    "",
    async ({ cgroup, start }) => {
      cgroup.create({});
      const { end } = start(
        "while :; do sleep 100 & sleep 100 & (sleep 0.01; exec sleep 100) & sleep 0.01; done",
      );
      await pause(100);
      cgroup.freeze();
      cgroup.kill();
      assertEquals((await end).status, "signal SIGKILL");
      await until(() => cgroup.pids().length === 0);
      assertEquals(cgroup.isFrozen() && cgroup.paths.freezer !== undefined, false);
    },
  );

  kernelTest("lets nothing go on that is frozen", "", async ({ cgroup, start }) => {
    cgroup.create({});
    const file = Deno.makeTempFileSync();
    const { end } = start(`i=0; while :; do i=$((i+1)); echo $i > ${file}; done`);
    await until(() => Deno.readTextFileSync(file) !== "");
    cgroup.freeze();
    const before = Deno.readTextFileSync(file);
    await pause(200);
    assertEquals(Deno.readTextFileSync(file), before);
    cgroup.thaw();
    await until(() => !["", before].includes(Deno.readTextFileSync(file)));
    cgroup.kill();
    await end;
    Deno.removeSync(file);
  });

  kernelTest(
    "denies a device with EPERM, on open and on mknod, and allows others",
    "",
    async ({ cgroup, start }) => {
      cgroup.create({
        devices: [
          { allow: false },
          { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
          { allow: true, type: "c", major: 1, minor: 5, access: "r" },
        ],
      });
      // Where nodes can be used: containers have /tmp mounted with nodev.
      const directory = Deno.makeTempDirSync({ dir: "/dev" });
      const { end } = start(
        `cd ${directory}; mknod full c 1 7; mknod null c 1 3 && echo made; ` +
          "echo 1 > null && echo null; head -c 1 /dev/zero | wc -c; echo 1 > /dev/zero; head -c 1 /dev/full",
      );
      const { stdout, stderr } = await end;
      Deno.removeSync(directory, { recursive: true });
      assertEquals(stdout, "made\nnull\n1\n");
      assertEquals(stderr.match(/Operation not permitted/g)?.length, 3, stderr);
    },
  );

  kernelTest("lets all devices be used again, after a rule that says so", "", async ({ cgroup, start }) => {
    cgroup.create({ devices: [{ allow: false }] });
    cgroup.set({ devices: [{ allow: false }, { allow: true }] });
    assertEquals((await start("head -c 1 /dev/full | wc -c").end).stdout, "1\n");
  });

  kernelTest("is handed to a user, who may divide it", "v2", async ({ cgroup, start }) => {
    cgroup.create({});
    cgroup.delegate(1000, 1001);
    const directory = cgroup.paths[""]!;
    const { uid, gid } = Deno.statSync(`${directory}/cgroup.procs`);
    assertEquals([uid, gid, Deno.statSync(`${directory}/cgroup.freeze`).uid], [1000, 1001, 0]);
    const { stdout, stderr } = await start(
      `exec setpriv --reuid 1000 --regid 1001 --clear-groups sh -c 'mkdir ${directory}/mine; echo $$ > ${directory}/mine/cgroup.procs; cat /proc/self/cgroup'`,
    ).end;
    assertMatch(stdout, /^0::.*\/mine$/m, stderr);
  });

  kernelTest("has a place beside init where init has divided it", "v2", async ({ cgroup, start }) => {
    const [controller] = machine.controllers.v2;
    cgroup.create({
      unified: { "cgroup.max.depth": "3", ...controller === "hugetlb" && { "hugetlb.2MB.max": "max" } },
    });
    const directory = cgroup.paths[""]!;
    const init = start("exec sleep 100");
    Deno.mkdirSync(`${directory}/init.scope`);
    Deno.writeTextFileSync(`${directory}/init.scope/cgroup.procs`, `${init.pid}`);
    Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
    const { pid } = new Deno.Command("sleep", { args: ["100"] }).spawn();
    try {
      assertMatch(
        message(() => cgroup.add(pid)),
        /^join \/.*, but it has cgroups below that use controllers/,
      );
      assertEquals(cgroup.entry(init.pid), `${directory}/init.scope`);
      cgroup.add(pid, { init: init.pid });
      assertEquals(Deno.readTextFileSync(`${directory}/init.scope/cgroup.procs`), `${init.pid}\n${pid}\n`);
    } finally {
      Deno.kill(pid, "SIGKILL");
      cgroup.kill();
    }
    await init.end;
  });

  kernelTest("changes devices of a running process, and back", "", async ({ cgroup, start }) => {
    cgroup.create({ devices: [{ allow: false }, { allow: true, type: "c", major: 1, minor: 5 }] });
    const { pid, end } = start(
      "trap 'head -c 1 /dev/zero | wc -c' USR1 USR2; echo; while :; do sleep 0.02; done",
    );
    await pause(100);
    const ask = (signal: "SIGUSR1" | "SIGUSR2") => {
      Deno.kill(pid, signal);
      return pause(200);
    };
    cgroup.set({ devices: [{ allow: false }] });
    await ask("SIGUSR1");
    cgroup.set({ devices: [{ allow: false }, { allow: true, type: "c", access: "r" }] });
    await ask("SIGUSR2");
    cgroup.kill();
    assertEquals((await end).stdout, "\n0\n1\n");
  });

  kernelTest("kills a process over its memory limit, and counts it", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 16 * MB, swap: 16 * MB } });
    const { end } = start("exec dd if=/dev/zero of=/dev/null bs=100M count=1");
    assertEquals((await end).status, "signal SIGKILL");
    assertEquals(cgroup.oomKillCount(), 1);
    const { memory } = cgroup.stats();
    assertEquals(memory.usage.limit, 16 * MB);
    assert(memory.usage.max! > 15 * MB, `${memory.usage.max}`);
  });

  kernelTest(
    "tells of processes killed for want of memory, until its end",
    "memory",
    async ({ cgroup, start }) => {
      cgroup.create({ memory: { limit: 16 * MB, swap: 16 * MB } });
      const { end } = start("sleep 0.3; dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 0.1");
      let events = 0;
      const watching = (async () => {
        for await (const _ of watchOom(cgroup)) events++;
      })();
      await end;
      await until(() => events === 1);
      await until(() => cgroup.pids().length === 0);
      cgroup.delete();
      await watching;
    },
  );

  kernelTest("stops a fork bomb at pids.limit", "pids", async ({ cgroup, start }) => {
    cgroup.create({ pids: { limit: 10 } });
    const { end } = start("for i in $(seq 50); do sleep 100 & done");
    // The shell is the tenth, and gives up at the eleventh.
    const events = `${cgroup.paths.pids ?? cgroup.paths[""]}/pids.events`;
    await until(() => Deno.readTextFileSync(events) === "max 1\n");
    await until(() => cgroup.stats().pids.current === 9);
    assertEquals(cgroup.stats().pids.limit, 10);
    cgroup.kill();
    assertMatch((await end).stderr, /fork/i);
  });

  kernelTest("gives a busy loop its quota", "cpu", async ({ cgroup, start }) => {
    cgroup.create({ cpu: { quota: 20_000, period: 100_000 } });
    const { end } = start("while :; do :; done");
    await pause(300);
    const used = () => Number(cgroup.stats().cpu.usage.total) / 1e6;
    const shares: number[] = [];
    // It gets less while the machine has no CPU for it.
    while (shares.length < 5 && !(Math.abs(shares.at(-1)! - 0.2) < 0.02)) {
      const [time, usage] = [performance.now(), used()];
      await pause(2000);
      shares.push((used() - usage) / (performance.now() - time));
      assert(shares.at(-1)! < 0.22, `${shares} of a CPU instead of 0.2`);
    }
    assert(Math.abs(shares.at(-1)! - 0.2) < 0.02, `${shares} of a CPU instead of 0.2`);
    assert(Number(cgroup.stats().cpu.throttling.throttledPeriods) > 5);
    cgroup.kill();
    await end;
  });

  kernelTest("changes limits of a running process, up and down", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 32 * MB, swap: 64 * MB } });
    const { end } = start("sleep 100");
    for (const [limit, swap] of [[128, 256], [16, 24], [64, 64], [8, 500], [300, 400], [5, 6]] as const) {
      cgroup.set({ memory: { limit: limit * MB, swap: swap * MB } });
      assertEquals(cgroup.stats().memory.usage.limit, limit * MB);
    }
    cgroup.set({ memory: { limit: -1 } });
    assert(cgroup.stats().memory.usage.limit > 2 ** 60);
    cgroup.kill();
    await end;
  });

  kernelTest("explains a memory limit below what is used", "memory", async ({ cgroup, start }) => {
    cgroup.create({ memory: { limit: 64 * MB, swap: 64 * MB } });
    const { end } = start("dd if=/dev/zero bs=20M count=1 | sleep 100");
    await until(() => Number(cgroup.stats().memory.usage.usage) > 20 * MB);
    assertMatch(
      message(() => cgroup.set({ memory: { limit: 8 * MB, swap: 64 * MB, checkBeforeUpdate: true } })),
      /^config\.json \/linux\/resources\/memory\/limit: unable to set memory limit to 8388608 \(current usage: \d+/,
    );
    cgroup.kill();
    await end;
  });
}

function copyCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    Deno.writeTextFileSync(`${to}/${file}`, Deno.readTextFileSync(`${from}/${file}`));
  }
}
