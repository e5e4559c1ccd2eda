/** What systemd knows of a container: tests for a guest with systemd. `run` has them run there. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { readHierarchies } from "../../cgroups/hierarchies.ts";
import { cgroupOf } from "../cgroups/commands.ts";
import { fails, type Hako, hakoOf, ok, until } from "../support/commands.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO } from "../support/hako.ts";
import type { Linux } from "../../runtime/spec/config.ts";
import { defaultConfig } from "../../runtime/spec/default.ts";
import type { BundleOptions } from "../support/bundle.ts";

const MB = 1 << 20;
const v1 = readHierarchies().some(({ controllers }) => controllers.split(",").includes("memory"));
const limits = v1 || Deno.readTextFileSync("/sys/fs/cgroup/cgroup.controllers").includes("memory");
const noLimits = { skip: limits ? undefined : 'no controller "memory"' };

/** Creates a container, and has it be deleted. */
async function withContainer(
  box: Box,
  options: BundleOptions,
  fn: (hako: Hako) => Promise<void>,
): Promise<void> {
  const hako = hakoOf(box, ["--systemd-cgroup"]);
  await ok(hako("create", "--bundle", box.bundle({ script: "exec sleep 100", ...options }).path, box.id));
  try {
    await fn(hako);
  } finally {
    await ok(hako("delete", "--force", box.id));
  }
}

/** What systemctl(1) says of a unit. */
async function show(unit: string, ...names: string[]): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command("systemctl", {
    args: ["show", unit, `--property=${names.join()}`],
  }).output();
  return Object.fromEntries(
    new TextDecoder().decode(stdout).trim().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

async function systemctl(...args: string[]): Promise<void> {
  assertEquals((await new Deno.Command("systemctl", { args }).output()).success, true);
}

containerTest("a container is a scope in the slice of all services, and delete ends that", async (box) => {
  const unit = `hako-${box.id}.scope`;
  await withContainer(box, {}, async () => {
    assertEquals(await show(unit, "ActiveState", "Slice", "Delegate", "Description", "DefaultDependencies"), {
      ActiveState: "active",
      Slice: "system.slice",
      Delegate: "yes",
      Description: `container ${box.id}`,
      DefaultDependencies: "no",
    });
  });
  assertEquals(await show(unit, "LoadState"), { LoadState: "not-found" });
});

containerTest("exec finds its way into a cgroup namespace, which systemd's nsdelegate shuts", async (box) => {
  const { namespaces } = defaultConfig({ cgroupNamespace: true }).linux!;
  await withContainer(box, { config: { linux: { namespaces } } }, async (hako) => {
    const created = await ok(hako("exec", box.id, "cat", "/proc/self/cgroup"));
    assertEquals(created.split("\n").filter((line) => line.startsWith("0:")), ["0::/"]);
    await ok(hako("start", box.id));
    assertEquals(await ok(hako("exec", box.id, "cat", "/proc/self/cgroup")), created);
  });
});

containerTest(
  "create joins the cgroup namespace of another container, from any user namespace",
  async (box) => {
    const rest = defaultConfig().linux!.namespaces!;
    const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const maps = { uidMappings: mappings, gidMappings: mappings };
    const other = {
      linux: { ...maps, namespaces: [...rest, { type: "cgroup" }, { type: "user" }] },
    } as const;
    await withContainer(box, { config: other }, async (hako) => {
      const { pid } = JSON.parse(await ok(hako("state", box.id)));
      const path = (name: string) => `/proc/${pid}/ns/${name}`;
      const users: Readonly<Record<string, Linux>> = {
        none: {},
        new: { ...maps, namespaces: [{ type: "user" }] },
        joined: { namespaces: [{ type: "user", path: path("user") }] },
      };
      for (const [name, { namespaces = [], ...linux }] of Object.entries(users)) {
        const id = `${box.id}-${name}`;
        // A cgroup that is made by systemd is nothing that a process forks into.
        const { status, stdout, stderr } = await box.run({
          id,
          config: {
            linux: {
              ...linux,
              cgroupsPath: `/${id}`,
              namespaces: [...rest, { type: "cgroup", path: path("cgroup") }, ...namespaces],
            },
          },
          script: "readlink /proc/self/ns/cgroup; grep ^0: /proc/self/cgroup",
        });
        assertEquals({ name, status, stderr, stdout: stdout.split("\n") }, {
          name,
          status: 0,
          stderr: "",
          // The other container is in a scope of system.slice.
          stdout: [Deno.readLinkSync(path("cgroup")), `0::/../../${id}`, ""],
        });
      }
    });
  },
);

containerTest(
  "cgroupsPath names slice, prefix and name, and a slice is in those that its name begins with",
  async (box) => {
    const config = { linux: { cgroupsPath: `hako-one-two.slice:pre:${box.id}` } };
    await withContainer(box, { config }, async () => {
      const { ControlGroup } = await show(`pre-${box.id}.scope`, "ControlGroup");
      assertEquals(ControlGroup, `/hako.slice/hako-one.slice/hako-one-two.slice/pre-${box.id}.scope`);
    });
  },
);

containerTest("the scope is all that a container with a cgroup namespace sees", async (box) => {
  const namespaces = [...defaultConfig().linux!.namespaces!.filter(({ type }) => type !== "cgroup"), {
    type: "cgroup",
  }] as const;
  const { stdout } = await box.run({
    config: { linux: { namespaces } },
    script: "cut -d: -f3 /proc/self/cgroup | sort -u",
    global: ["--systemd-cgroup"],
  });
  // Named and unmounted hierarchies of the host are not systemd's to give.
  assertEquals(stdout.trim().split("\n").includes("/"), true, stdout);
  assertEquals(stdout.includes(".scope"), false, stdout);
});

containerTest("annotations are properties of the scope", async (box) => {
  const annotations = {
    "org.systemd.property.TimeoutStopSec": "uint64 7",
    "org.systemd.property.CollectMode": "'inactive-or-failed'",
    "org.systemd.property.After": "['basic.target']",
  };
  await withContainer(box, { config: { annotations } }, async () => {
    const found = await show(`hako-${box.id}.scope`, "TimeoutStopUSec", "CollectMode", "After");
    assertEquals([found.TimeoutStopUSec, found.CollectMode], ["7s", "inactive-or-failed"]);
    assertMatch(found.After!, /basic\.target/);
  });
});

containerTest("what systemd refuses is told with its words, and leaves nothing", async (box) => {
  const hako = hakoOf(box, ["--systemd-cgroup"]);
  const create = (config: BundleOptions["config"]) =>
    hako("create", "--bundle", box.bundle({ config }).path, box.id);
  await fails(
    create({ linux: { cgroupsPath: "/not/a/unit" } }),
    'expected cgroupsPath to be of format "slice:prefix:name"',
  );
  await fails(create({ linux: { cgroupsPath: `a--b.slice:x:${box.id}` } }), "invalid slice name: a--b.slice");
  await fails(
    create({ annotations: { "org.systemd.property.Nonsense": "true" } }),
    `unit "hako-${box.id}.scope": systemd: StartTransientUnit: `,
  );
  await fails(
    create({ annotations: { "org.systemd.property.After": "[1," } }),
    "/annotations/org.systemd.property.After",
  );
  await fails(
    create({ linux: { resources: { hugepageLimits: [{ pageSize: "3MB", limit: 5 }] } } }),
    "/hugepageLimits",
  );
  assertEquals(await show(`hako-${box.id}.scope`, "LoadState"), { LoadState: "not-found" });
});

containerTest("a second container of the same name is refused, and the first lives on", async (box) => {
  await withContainer(box, {}, async (hako) => {
    const { path } = box.bundle({ config: { linux: { cgroupsPath: `:hako:${box.id}` } } });
    await fails(hako("create", "--bundle", path, `${box.id}-2`), "is not empty");
    assertEquals(await show(`hako-${box.id}.scope`, "ActiveState"), { ActiveState: "active" });
  });
});

containerTest("limits are the unit's too, and are still there when systemd has reloaded", async (box) => {
  const resources = {
    memory: { limit: 64 * MB, reservation: 32 * MB },
    cpu: { shares: 2048, quota: 12_345, period: 50_000 },
    pids: { limit: 33 },
    devices: [{ allow: false, access: "rwm" }, {
      allow: true,
      type: "c",
      major: 1,
      minor: 11,
      access: "r",
    }] as const,
  };
  await withContainer(box, { config: { linux: { resources } } }, async (hako) => {
    const unit = `hako-${box.id}.scope`;
    const properties = () =>
      show(
        unit,
        "TasksMax",
        "CPUQuotaPerSecUSec",
        "CPUQuotaPeriodUSec",
        ...v1 ? ["MemoryLimit", "CPUShares", "DevicePolicy"] : ["MemoryMax", "MemoryLow", "CPUWeight"],
      );
    const expected = {
      TasksMax: "33",
      // 24.69 %
      CPUQuotaPerSecUSec: "250ms",
      CPUQuotaPeriodUSec: "50ms",
      ...v1
        ? { MemoryLimit: `${64 * MB}`, CPUShares: "2048", DevicePolicy: "strict" }
        : { MemoryMax: `${64 * MB}`, MemoryLow: `${32 * MB}`, CPUWeight: "174" },
    };
    assertEquals(await properties(), expected);
    const files = async () => {
      const paths = await cgroupOf(hako, box.id);
      const names = v1
        ? ["memory.limit_in_bytes", "cpu.shares", "cpu.cfs_quota_us", "pids.max", "devices.list"]
        : ["memory.max", "memory.low", "cpu.weight", "cpu.max", "pids.max"];
      return names.map((name) =>
        Deno.readTextFileSync(`${paths[v1 ? name.split(".")[0]! : ""]}/${name}`).trim().split("\n").sort()
          .join(", ")
      );
    };
    const before = await files();
    assertEquals(
      before.slice(0, v1 ? 4 : 5),
      v1 ? [`${64 * MB}`, "2048", "12500", "33"] : [`${64 * MB}`, `${32 * MB}`, "174", "12500 50000", "33"],
    );
    await systemctl("daemon-reload");
    assertEquals(await files(), before);
    await ok(hako("start", box.id));
    await ok(hako("update", "--memory", "48M", "--pids-limit", "44", box.id));
    await systemctl("daemon-reload");
    const after = await properties();
    assertEquals([after[v1 ? "MemoryLimit" : "MemoryMax"], after.TasksMax], [`${48 * MB}`, "44"]);
    assertEquals((await files())[0], `${48 * MB}`);
  });
}, noLimits);

containerTest(
  "a container that was killed for want of memory leaves no unit that has failed",
  async (box) => {
    const resources = { memory: { limit: 16 * MB, swap: 16 * MB } };
    const script = "exec dd if=/dev/zero of=/dev/null bs=100M count=1";
    await withContainer(box, { script, config: { linux: { resources } } }, async (hako) => {
      await ok(hako("start", box.id));
      await until(async () => JSON.parse(await ok(hako("state", box.id))).status === "stopped");
    });
    assertEquals(await show(`hako-${box.id}.scope`, "LoadState"), { LoadState: "not-found" });
  },
  noLimits,
);

containerTest("of a create that was killed, delete --force removes the scope as well", async (box) => {
  const hako = hakoOf(box, ["--systemd-cgroup"]);
  // The hook waits in the midst of it.
  const there = `${box.directory}/there`;
  const hooks = {
    createRuntime: [{
      path: "/bin/sh",
      args: ["sh", "-c", `touch ${there}; while [ -e ${there} ]; do sleep 0.1; done`],
    }],
  };
  const { path } = box.bundle({ config: { hooks } });
  const command = ["--root", box.state, "--systemd-cgroup", "create", "--bundle", path, box.id];
  const creator = new Deno.Command(HAKO[0]!, {
    args: [...HAKO.slice(1), ...command],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => {
    try {
      return Deno.statSync(there).isFile;
    } catch {
      return false;
    }
  });
  creator.kill("SIGKILL");
  await creator.status;
  Deno.removeSync(there);
  await ok(hako("delete", "--force", box.id));
  assertEquals(await show(`hako-${box.id}.scope`, "LoadState"), { LoadState: "not-found" });
});

const slow = Deno.readTextFileSync("/proc/cpuinfo").includes("User Mode Linux");

containerTest("20 scopes at once leave nothing behind", async (box) => {
  const results = await Promise.all(
    Array.from({ length: 20 }, () => box.run({ script: "true", global: ["--systemd-cgroup"] })),
  );
  assertEquals(results.map(({ status, stderr }) => status + stderr), Array(20).fill("0"));
  const { stdout } = await new Deno.Command("systemctl", {
    args: ["list-units", "--all", "--plain", "--no-legend", "hako-*.scope"],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "");
}, { skip: slow ? "half a minute here" : undefined });
