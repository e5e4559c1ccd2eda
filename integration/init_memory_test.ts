/**
 * The init of a container that waits to be started is charged to the container's memory limit, so it has to be small.
 *
 * @module
 */
import { assert } from "@std/assert";
import { createContainer } from "../runtime/container/create.ts";
import { withV1Controllers } from "./support/v1_controllers.ts";
import { goldenBundle } from "./faults/golden.ts";
import { type Box, containerTest } from "./support/fixture.ts";

const MAX_RSS_KB = 300;

/** What of a process lies in memory, and its part of that when shared pages are divided, in kB: proc_pid_smaps(5). */
interface Memory {
  readonly rss: number;
  readonly pss: number;
}

function memory(pid: number): Memory {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)![1]);
  return { rss: field("Rss"), pss: field("Pss") };
}

containerTest(`the init of a waiting container has less than ${MAX_RSS_KB} kB in memory`, async (box) => {
  const { id, path, root, config } = goldenBundle(box, "docker-default");
  const container = await createContainer(config, { id, bundle: path, root });
  try {
    const { rss, pss } = memory(container.pid);
    console.log(`hako  RSS ${rss} kB, PSS ${pss} kB`);
    assert(rss < MAX_RSS_KB);
  } finally {
    container.delete(true);
  }
});

for (const peer of ["runc", "crun"]) {
  containerTest(`for comparison: ${peer}`, async (box) => {
    const measure = (under: readonly string[]) => memoryOfPeer(box, [...under, peer]);
    const { rss, pss } = peer === "crun" ? await withV1Controllers(["hugetlb"], measure) : await measure([]);
    console.log(`${peer}  RSS ${rss} kB, PSS ${pss} kB`);
  }, { needs: [peer] });
}

async function memoryOfPeer(box: Box, peer: readonly string[]): Promise<Memory> {
  // crun 1.8 knows no later version of the specification.
  const { path } = box.bundle({ args: ["/bin/true"], config: { ociVersion: "1.0.2" } });
  const pidFile = `${box.directory}/pid`;
  const command = async (...words: string[]) => {
    const [program, ...args] = [...peer, "--root", `${box.directory}/peer`, ...words];
    // Its streams are ours: a pipe would stay open in the container.
    const { success } = await new Deno.Command(program!, { args, stdin: "null" }).spawn().status;
    assert(success, words.join(" "));
  };
  await command("create", "--bundle", path, "--pid-file", pidFile, box.id);
  try {
    return memory(Number(Deno.readTextFileSync(pidFile)));
  } finally {
    await command("delete", "--force", box.id);
  }
}
