/** What is read back of a container: all that was written, and nothing that could not have been. */

import { assertEquals, assertThrows } from "@std/assert";
import { type State, StateDirectory } from "../../../runtime/container/state.ts";
import { StateError } from "../../../runtime/errors.ts";

const STATE: State = {
  id: "one",
  pid: 0,
  startTime: 0,
  records: 0,
  bundle: "/bundle",
  rootfs: "/bundle/rootfs",
  created: "2026-01-01T00:00:00Z",
  owner: 0,
};

const GOOD: Readonly<Record<string, object>> = {
  "the least": {},
  "cgroups of our own": { cgroupPaths: { memory: "/sys/fs/cgroup/memory/one" } },
  "a unit of systemd": { cgroupPaths: {}, cgroupUnit: { name: "hako-one.scope", manager: "system" } },
  "a unit of a user's systemd": { cgroupUnit: { name: "hako-one.scope", manager: "user" } },
};

const DAMAGED: Readonly<Record<string, object>> = {
  "no pid": { pid: undefined },
  "a pid that is all processes": { pid: -1 },
  "a relative cgroup": { cgroupPaths: { memory: "one" } },
  "a unit without a name": { cgroupUnit: { manager: "system" } },
  "a unit of nobody's": { cgroupUnit: { name: "hako-one.scope", manager: "root" } },
  "a unit that is null": { cgroupUnit: null },
  "hooks that are no list": { laterHooks: "poststop" },
};

function readBack(changes: object): unknown {
  const root = Deno.makeTempDirSync();
  try {
    const directory = StateDirectory.create(root, "one");
    directory.write("state.json", JSON.stringify({ ...STATE, ...changes }));
    const state = directory.readState();
    directory.remove();
    return state;
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

for (const [name, changes] of Object.entries(GOOD)) {
  Deno.test(`state.json with ${name} is read`, () => {
    assertEquals(readBack(changes), { ...STATE, ...changes });
  });
}

for (const [name, changes] of Object.entries(DAMAGED)) {
  Deno.test(`state.json with ${name} is refused`, () => {
    assertThrows(() => readBack(changes), StateError, "its state.json is damaged");
  });
}
