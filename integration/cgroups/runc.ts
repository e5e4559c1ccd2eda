/** Compares with runc. @module */
import { assertEquals } from "@std/assert";
import { locateCgroup } from "../../cgroups/mod.ts";
import { stringify } from "../../runtime/spec/json.ts";
import { makeBundle } from "../support/bundle.ts";
import { controllers } from "./commands.ts";

/** Defines a test of what both say of one container. */
export function runRuncTests(): void {
  const reason = Deno.uid() !== 0
    ? "needs root"
    : !hasRunc()
    ? "no runc"
    : controllers().has("memory")
    ? undefined
    : 'no controller "memory"';
  const name = "statistics of a container of runc's are what runc says";
  Deno.test(
    { name: reason ? `${name} (skipped: ${reason})` : name, ignore: reason !== undefined },
    async () => {
      const bundle = Deno.makeTempDirSync();
      const id = `hako-runc-${Deno.pid}`;
      const runc = (...args: string[]) =>
        new Deno.Command("runc", { args, cwd: bundle, stdin: "null", stdout: "piped", stderr: "null" })
          .outputSync().stdout;
      makeBundle(bundle, {
        script: "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 100",
        config: {
          linux: {
            cgroupsPath: `/${id}`,
            resources: {
              memory: { limit: 1 << 26 },
              pids: { limit: 20 },
              cpu: { quota: 50000, period: 100000 },
            },
          },
        },
      });
      try {
        new Deno.Command("runc", {
          args: ["run", "--detach", id],
          cwd: bundle,
          stdin: "null",
          stdout: "null",
          stderr: "null",
        })
          .outputSync();
        const cgroup = locateCgroup({ id, cgroupsPath: `/${id}` });
        const deadline = Date.now() + 5000;
        for (
          let before = -1;
          Date.now() < deadline;
          await new Promise((resolve) => setTimeout(resolve, 300))
        ) {
          const now = Number(cgroup.stats().cpu.usage.total);
          if (now === before) break;
          before = now;
        }
        const theirs = JSON.parse(new TextDecoder().decode(runc("events", "--stats", id))).data;
        const ours = JSON.parse(stringify(cgroup.stats()));
        // Pressure is of later versions. hugetlb may be with cgroup v2, where runc looks only if all is there.
        for (const part of ["cpu", "memory", "blkio"]) delete ours[part].psi;
        delete ours.hugetlb;
        delete theirs.hugetlb;
        if (cgroup.paths.memory === undefined) {
          // Debian's runc does not read memory.peak. memory.stat is put together every two seconds.
          delete ours.memory.usage.max;
          for (const { memory } of [ours, theirs]) {
            memory.raw = Object.keys(memory.raw).sort();
            delete memory.cache;
          }
        }
        assertEquals(ours, theirs);
      } finally {
        runc("delete", "--force", id);
        Deno.removeSync(bundle, { recursive: true });
      }
    },
  );
}

function hasRunc(): boolean {
  try {
    return new Deno.Command("runc", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
