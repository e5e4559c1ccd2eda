import { assert } from "@std/assert";
import { containerTest } from "../support/fixture.ts";
import { HAKO } from "../support/hako.ts";
import { smallest } from "./smallest_memory.ts";

containerTest("a container of /bin/true starts with a memory limit of 256 kB", async (box) => {
  const limit = await smallest(HAKO, box, []);
  assert(limit! <= 256, `${limit} kB`);
});
