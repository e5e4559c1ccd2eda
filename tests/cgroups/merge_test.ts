import { assertEquals } from "@std/assert";
import { mergeResources } from "../../cgroups/mod.ts";

Deno.test("an update keeps what it does not name", () => {
  const stored = {
    cpu: { cpus: "0-1", quota: 5000, shares: 1024 },
    pids: { limit: 5 },
    devices: [{ allow: false }],
    unified: { "memory.high": "1" },
  };
  assertEquals(mergeResources(stored, { cpu: { quota: 6000, period: undefined }, memory: { limit: 1 } }), {
    ...stored,
    cpu: { cpus: "0-1", quota: 6000, shares: 1024 },
    memory: { limit: 1 },
  });
  assertEquals(mergeResources(stored, { devices: [], unified: { "memory.low": "2" } }), {
    ...stored,
    devices: [],
    unified: { "memory.high": "1", "memory.low": "2" },
  });
  assertEquals(mergeResources(undefined, { pids: { limit: 3 } }), { pids: { limit: 3 } });
});
