import { assert, assertEquals } from "@std/assert";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { joinContainer } from "../../../runtime/plan/namespaces.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
} from "../../../runtime/linux/generated/constants.ts";
import type { Node } from "../../../runtime/plan/node.ts";
import type { Config, NamespaceType } from "../../../runtime/spec/config.ts";
import { testConfig, testHost } from "./fixture.ts";

const memory = "/sys/fs/cgroup/memory/c/tasks";

function planOf(changes: Partial<Config>, namespaces: readonly NamespaceType[]): readonly Node[] {
  const linux = { namespaces: namespaces.map((type) => ({ type })) };
  const mounts = [{ destination: "/proc", type: "proc", source: "proc" }];
  const host = testHost({
    cgroupTasks: ["/sys/fs/cgroup/pids/c/tasks"],
    memoryTasks: memory,
    targets: { "/proc": { path: "/proc", type: "directory" } },
  });
  return planCreate({ ...testConfig(linux), mounts, ...changes }, host);
}

/** Where the plan joins the cgroup of the memory controller, and where others. */
function positions(plan: readonly Node[]) {
  const find = (matches: (node: Node) => boolean) => plan.findIndex(matches);
  const step = (call: string) => find((node) => node.kind === "step" && node.call === call);
  return {
    joined: find((node) =>
      node.kind === "step" && node.call === "write" && node.label === "join cgroup /sys/fs/cgroup/memory/c"
    ),
    pids: find((node) =>
      node.kind === "step" && node.call === "write" && node.label === "join cgroup /sys/fs/cgroup/pids/c"
    ),
    unshare: step("unshare"),
    mount: step("fsmount"),
    barrier: find(({ kind }) => kind === "barrier"),
  };
}

Deno.test("namespaces and mounts do not count against the memory limit", () => {
  const { joined, pids, unshare, mount, barrier } = positions(planOf({}, ["mount", "pid"]));
  assert(
    pids < unshare && unshare < mount && mount < joined && joined < barrier,
    `${[pids, unshare, mount, joined, barrier]}`,
  );
});

Deno.test("a hook finds the container in all its cgroups", () => {
  const hooks = { createRuntime: [{ path: "/bin/true" }] };
  const plan = planOf({ hooks }, ["mount", "pid"]);
  const { joined, mount, barrier } = positions(plan);
  assert(mount < joined && joined < barrier);
  const node = plan[barrier]!;
  assertEquals(node.kind === "barrier" && node.name, "mounted");
});

Deno.test("a cgroup namespace begins at all cgroups of the container", () => {
  const { joined, unshare } = positions(planOf({}, ["mount", "cgroup"]));
  assert(joined < unshare);
});

Deno.test("exec makes its process in the container's cgroup from outside of the cgroup namespace", () => {
  const namespaces = (["user", "mount", "pid", "cgroup"] as const).map((type) => ({ type }));
  const order = (privileged: boolean) =>
    joinContainer(testConfig({ namespaces }), testHost({ privileged, unifiedCgroup: true }), 7).flatMap((
      node,
    ) =>
      node.kind === "fork" ? ["fork"] : node.kind === "step" && node.call === "setns" ? [node.args[1]] : []
    );
  // Root's own rights reach the cgroup namespace until it joins the user namespace.
  assertEquals(order(true), [CLONE_NEWNS | CLONE_NEWPID, "fork", CLONE_NEWCGROUP, CLONE_NEWUSER]);
  assertEquals(order(false), [CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, "fork", CLONE_NEWCGROUP]);
});
