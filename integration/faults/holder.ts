/** Namespaces for containers to join. @module */
import { posixSpawn, wait } from "../../runtime/linux/processes.ts";
import type { Namespace } from "../../runtime/spec/config.ts";
import { childrenOf } from "./leftovers.ts";

const TYPES = ["--user", "--net", "--ipc", "--uts", "--cgroup", "--pid"];

/** A process in namespaces of its own. */
export class Holder {
  /** Our child unshare(1), which stays outside of the pid namespace. */
  readonly pid: number;
  readonly #first: number;

  constructor() {
    const path = "/usr/bin/unshare";
    const args = ["unshare", ...TYPES, "--fork", "--kill-child", "sleep", "infinity"];
    this.pid = posixSpawn({ path, args, env: ["PATH=/usr/bin:/bin"], fds: [] });
    const end = Date.now() + 5000;
    const first = () => childrenOf(this.pid)[0];
    while (first() === undefined && Date.now() < end) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    this.#first = first() ?? 0;
    if (this.#first === 0) throw new Error("unshare makes no namespaces");
    for (const map of ["uid_map", "gid_map"]) {
      Deno.writeTextFileSync(`/proc/${this.#first}/${map}`, "0 0 65536");
    }
  }

  /** `namespaces` with paths to ours where they have any. */
  inPlaceOf(namespaces: readonly Namespace[]): Namespace[] {
    return namespaces.map(({ type, path }) =>
      path === undefined ? { type } : { type, path: path.replace(/^\/proc\/\d+/, `/proc/${this.#first}`) }
    );
  }

  /** The orphan comes to us: adoptOrphans. It may not have asked to be killed yet. */
  end(): void {
    for (const pid of [this.pid, this.#first]) {
      Deno.kill(pid, "SIGKILL");
      wait(pid);
    }
  }
}
