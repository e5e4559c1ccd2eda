/**
 * crun refuses a machine that has controllers in cgroup v1 and in v2, as is usual for this one: hugetlb alone is in v2.
 * Whoever mounts it as v1 takes it away from there, for the whole machine.
 *
 * @module
 */
import { livingChildren } from "../support/children.ts";
import { afterMounting } from "../support/fixture.ts";

const V2 = "/sys/fs/cgroup/unified";
const HUGETLB = "/sys/fs/cgroup/hugetlb";

function isHybrid(): boolean {
  try {
    return Deno.readTextFileSync(`${V2}/cgroup.controllers`).trim() === "hugetlb";
  } catch {
    return false;
  }
}

async function becomesHybrid(): Promise<boolean> {
  for (let tries = 0; tries < 20 && !isHybrid(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return isHybrid();
}

/** Runs `action` with the beginning of commands that crun does not refuse. */
export async function withoutHybrid<T>(action: (under: readonly string[]) => Promise<T>): Promise<T> {
  if (!isHybrid()) return await action([]);
  Deno.mkdirSync(HUGETLB);
  const mount = `mount -t cgroup -o hugetlb cgroup ${HUGETLB}`;
  try {
    return await action(afterMounting(mount));
  } finally {
    // The kernel keeps the hierarchy as long as a cgroup of it is not quite gone, be it for a process that nobody has
    // waited for. Then it has to be unmounted once more.
    for (let tries = 0; tries < 10 && !await becomesHybrid(); tries++) {
      livingChildren();
      const [program, ...args] = afterMounting(`${mount}; umount ${HUGETLB}`);
      new Deno.Command(program!, { args: [...args, "true"] }).outputSync();
    }
    Deno.removeSync(HUGETLB);
  }
}
