/** A cgroup from its creation to its deletion. @module */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { cgroupTest, isDirectory, type Machine, message } from "./fixture.ts";

export function lifeTests(machine: Machine): void {
  const { name } = machine;

  cgroupTest(machine, "sets nothing that is not asked for, and warns of nothing", (cgroup) => {
    assertEquals(cgroup.create({}), []);
    assertEquals(cgroup.set({ memory: {}, cpu: {}, blockIO: {}, network: {} }), []);
  });

  cgroupTest(machine, "can be opened by its paths", (cgroup, open) => {
    cgroup.create({});
    assertEquals(open().paths, cgroup.paths);
    assertEquals(open().pids(), []);
  });

  cgroupTest(machine, "starts without OOM kills, and says so in the statistics' shape", (cgroup) => {
    cgroup.create({});
    assertEquals(cgroup.oomKillCount(), 0);
    const stats = cgroup.stats();
    assertEquals(Object.keys(stats), [
      "cpu",
      "cpuset",
      "memory",
      "pids",
      "blkio",
      "hugetlb",
      "intel_rdt",
      "network_interfaces",
    ]);
  });

  cgroupTest(machine, "freezes and thaws", (cgroup) => {
    cgroup.create({});
    assertEquals(cgroup.isFrozen(), false);
    cgroup.freeze();
    assertEquals(cgroup.isFrozen(), true);
    cgroup.thaw();
    assertEquals(cgroup.isFrozen(), false);
  });

  cgroupTest(machine, "is not made in the place of one that is frozen", (cgroup, open) => {
    cgroup.create({});
    cgroup.freeze();
    try {
      assertMatch(message(() => open(true).create({})), /container's cgroup unexpectedly frozen/);
    } finally {
      cgroup.thaw();
    }
  });

  cgroupTest(
    machine,
    "refuses what leads out of it",
    (cgroup) => {
      cgroup.create({});
      assertMatch(message(() => cgroup.set({ unified: { "../x": "1" } })), /must be a file name|not mounted/);
      assertMatch(
        message(() => cgroup.set({ hugepageLimits: [{ pageSize: "/../2MB", limit: 1 }] })),
        /must be a file name/,
      );
      assertMatch(message(() => cgroup.add(1, { sub: "../x" })), /bad sub cgroup path: \.\.\/x/);
    },
    machine.controllers.v1.concat(machine.controllers.v2).includes("hugetlb")
      ? undefined
      : 'no controller "hugetlb"',
  );

  cgroupTest(
    machine,
    "names the file, the value and the member that were refused",
    (cgroup) => {
      cgroup.create({});
      const text = message(() => cgroup.set({ hugepageLimits: [{ pageSize: "3MB", limit: 5 }] }));
      assertMatch(
        text,
        /^write "5" to \/.*\/hugetlb\.3MB\.\w+: no such file or directory \(ENOENT\), asked for by /,
      );
      assertMatch(text, /config\.json \/linux\/resources\/hugepageLimits\/0$/);
    },
    machine.controllers.v1.concat(machine.controllers.v2).includes("hugetlb")
      ? undefined
      : 'no controller "hugetlb"',
  );

  cgroupTest(machine, "leaves nothing of itself when a limit is refused", (cgroup) => {
    assertThrows(() => cgroup.create({ unified: { "cgroup.nonsense": "1" } }));
    for (const path of Object.values(cgroup.paths)) {
      assertEquals(isDirectory(path), false, `${name}: ${path}`);
    }
  }, machine.beforeDelete && "a directory with plain files in it cannot be removed");

  cgroupTest(machine, "can be deleted twice, with cgroups below", (cgroup, open) => {
    cgroup.create({});
    for (const path of new Set(Object.values(cgroup.paths))) {
      Deno.mkdirSync(`${path}/one/two`, { recursive: true });
      Deno.mkdirSync(`${path}/three`);
    }
    machine.beforeDelete?.(cgroup);
    cgroup.delete();
    for (const path of Object.values(cgroup.paths)) assertEquals(isDirectory(path), false);
    open().delete();
  });
}
