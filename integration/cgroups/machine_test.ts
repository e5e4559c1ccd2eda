import { assertEquals } from "@std/assert";
import { readHierarchies } from "../../cgroups/hierarchies.ts";
import { locateCgroup, withDefaultDevices } from "../../cgroups/mod.ts";
import { stringify } from "../../runtime/spec/json.ts";
import { runCgroupTests } from "../../tests/cgroups/suite.ts";
import { makeBundle } from "../support/bundle.ts";
import { restoreAtExit, thisMachine } from "./machine.ts";

const root = Deno.uid() === 0;

if (root) {
  restoreAtExit();
  runCgroupTests(thisMachine("this machine"));
} else Deno.test({ name: "cgroups of this machine (skipped: needs root)", ignore: true, fn() {} });

/** Runs a file of tests where nothing but cgroup v2 is mounted. */
Deno.test({
  name: `the suite holds on pure v2${root ? "" : " (skipped: needs root)"}`,
  ignore: !root,
  async fn() {
    const file = (name: string) => new URL(name, import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(file("../guest/v2.sh"), {
      args: [Deno.execPath(), "test", "-A", "--no-check", file("pure_v2.ts")],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(success, true, decoder.decode(stdout) + decoder.decode(stderr));
  },
});

/** The cgroups at the top of a hierarchy that begin with `prefix`. */
function left(prefix: string): string[] {
  return readHierarchies().flatMap(({ mountPoint }) =>
    [...Deno.readDirSync(mountPoint)].map(({ name }) => `${mountPoint}/${name}`)
  ).filter((path) => path.includes(`/${prefix}`));
}

Deno.test({ name: "200 cgroups in a row and 20 at once leave nothing behind", ignore: !root }, async () => {
  const { locate, start } = thisMachine("this machine");
  const prefix = `hako-many-${Deno.pid}-`;
  const make = (name: string) => {
    const cgroup = locate(`/${prefix}${name}`);
    cgroup.create(withDefaultDevices({ pids: { limit: 5 }, memory: { limit: 1 << 24 } }));
    return cgroup;
  };
  for (let index = 0; index < 200; index++) make(`row-${index}`).delete();
  const busy = Array.from({ length: 20 }, async (_, index) => {
    const cgroup = make(`once-${index}`);
    const { end } = start!(cgroup, "sleep 100 & sleep 100");
    cgroup.kill();
    cgroup.delete();
    await end;
  });
  await Promise.all(busy);
  assertEquals(left(prefix), []);
});

Deno.test(
  { name: "statistics of a container of runc's are what runc says", ignore: !root || !hasRunc() },
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
      for (let before = -1; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 300))) {
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
      assertEquals(ours, theirs);
    } finally {
      runc("delete", "--force", id);
      Deno.removeSync(bundle, { recursive: true });
    }
  },
);

function hasRunc(): boolean {
  try {
    return new Deno.Command("runc", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
