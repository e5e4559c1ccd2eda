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
import type { Config, Namespace, NamespaceType } from "../../../runtime/spec/config.ts";
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

Deno.test("who joins a cgroup namespace is in his own cgroup of v2 before", () => {
  const other = { type: "cgroup", path: "/proc/7/ns/cgroup" } as const;
  const orderOf = (namespaces: readonly Namespace[], privileged = true) => {
    const host = testHost({ unifiedCgroup: true, privileged });
    return planCreate(testConfig({ namespaces }), host).flatMap((node) => {
      if (node.kind === "fork") return [node.cgroup === undefined ? "fork" : "fork into"];
      if (node.kind !== "step") return [];
      if (node.call === "openat" && node.args[1] === "cgroup.procs") return [`join ${node.args[0]}`];
      return node.call === "setns" || node.call === "unshare" ? [node.args.at(-1)] : [];
    });
  };
  const fresh = [{ type: "pid" }, { type: "mount" }] as const;
  const [JOIN, CONTENTS] = ["join 6", CLONE_NEWPID | CLONE_NEWNS];
  assertEquals(orderOf([...fresh, other]), [JOIN, CLONE_NEWCGROUP, CONTENTS, "fork"]);
  // The pid namespace is the user namespace's, and the cgroup namespace need not be.
  for (const user of [{ type: "user" }, { type: "user", path: "/proc/7/ns/user" }] as const) {
    assertEquals(orderOf([user, ...fresh, other]), [JOIN, CLONE_NEWCGROUP, CLONE_NEWUSER, CONTENTS, "fork"]);
  }
  // Who has no rights yet gets them in the user namespace.
  assertEquals(orderOf([{ type: "user", path: "/proc/7/ns/user" }, ...fresh, other], false), [
    JOIN,
    CLONE_NEWUSER,
    CLONE_NEWCGROUP,
    CONTENTS,
    "fork",
  ]);
  // One that is new begins at the cgroup.
  assertEquals(orderOf([...fresh, { type: "cgroup" }]), [CONTENTS, "fork into", CLONE_NEWCGROUP]);
  assertEquals(orderOf([...fresh]), [CONTENTS, "fork into"]);
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
