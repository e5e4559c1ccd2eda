/**
 * The init of a container that waits to be started is charged to the container's memory limit, so it has to be small.
 *
 * @module
 */
import { assert } from "@std/assert";
import { createContainer } from "../runtime/container/create.ts";
import { goldenBundle } from "./faults/golden.ts";
import { containerTest } from "./support/fixture.ts";

const MAX_RSS_KB = 300;

containerTest(`the init of a waiting container has less than ${MAX_RSS_KB} kB in memory`, async (box) => {
  const { id, path, root, config } = goldenBundle(box, "docker-default");
  const container = await createContainer(config, { id, bundle: path, root });
  try {
    const memory = Deno.readTextFileSync(`/proc/${container.pid}/smaps_rollup`);
    const rss = Number(/^Rss: +(\d+) kB$/m.exec(memory)![1]);
    assert(rss < MAX_RSS_KB, memory);
  } finally {
    container.delete(true);
  }
});
