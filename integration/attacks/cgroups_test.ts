/** What a container makes of the cgroup that it is given. @module */
import { assertEquals } from "@std/assert";
import { containerTest } from "../support/fixture.ts";

containerTest("cgroups below the container's, by paths longer than the kernel takes", async (box) => {
  const { status, stdout, stderr } = await box.run({
    config: {
      linux: {
        cgroupsPath: `/${box.id}`,
        namespaces: (["pid", "ipc", "uts", "mount", "cgroup"] as const).map((type) => ({ type })),
      },
    },
    mounts: [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] }],
    script: `name=$(printf %0255d 0)
      for root in /sys/fs/cgroup /sys/fs/cgroup/pids /sys/fs/cgroup/unified; do
        cd $root || continue
        for depth in $(seq 60); do mkdir $name && cd -P $name || break; done
      done; pwd | wc -c`,
  });
  assertEquals({ status, stderr: stderr.slice(-300) }, { status: 0, stderr: "" }, stdout);
});
