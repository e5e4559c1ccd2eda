import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { formatCall, walk } from "../../../runtime/plan/format.ts";
import type { Plan } from "../../../runtime/plan/node.ts";
import { planAddMounts, planRemoveMounts } from "../../../runtime/plan/plan_mounts.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import type { Config, Mount } from "../../../runtime/spec/config.ts";
import { testHost } from "./fixture.ts";

const config = (...mounts: Mount[]): Config => ({
  ociVersion: "1.0.0",
  root: { path: "rootfs" },
  mounts,
  linux: { namespaces: [{ type: "mount" }, { type: "pid" }] },
});
const tmpfs: Mount = { destination: "/a/b", type: "tmpfs", options: ["ro"] };
const bind: Mount = { destination: "/c", type: "bind", source: "/usr" };

/** Of the steps, the tried ones included. */
function calls(plan: Plan): string[] {
  return [...walk(plan)].flatMap(({ node }) =>
    node.kind === "step" ? [formatCall(node)] : node.kind === "attempt" ? [formatCall(node.step)] : []
  );
}

/** Nothing of the image is executed: these two rules are about what it would inherit. */
const WITHOUT_EXECVE = [
  "the plan does not end in execve",
  "descriptors stay open in the container: CLOSE_RANGE_CLOEXEC is missing",
];

for (const [name, compile] of Object.entries({ planAddMounts, planRemoveMounts })) {
  Deno.test(`${name} keeps the rules of plans`, () => {
    const faults = checkPlan(compile(config(tmpfs, bind), testHost()));
    // It is inherited, which no container that is being created can say of it.
    assertEquals(faults.filter((fault) => !fault.endsWith("$pidfd is not open here")), WITHOUT_EXECVE);
  });
}

Deno.test("a source is cloned, and taken from the host's peers, before the container's namespaces are joined", () => {
  const order = calls(planAddMounts(config(bind), testHost())).map((call) => call.replace(/\(.*/s, ""));
  const [clone, leave, join, attach] = ["open_tree", "mount_setattr", "setns", "move_mount"]
    .map((call) => order.indexOf(call));
  assert(0 <= clone! && clone! < leave! && leave! < join! && join! < attach!, order.join(" "));
});

Deno.test("what is to be removed is opened without following a link", () => {
  const open = calls(planRemoveMounts(config(tmpfs), testHost())).find((call) => call.startsWith("openat2"));
  assertStringIncludes(open!, "RESOLVE_NO_SYMLINKS");
  assertStringIncludes(open!, "RESOLVE_IN_ROOT");
});

const IDS = [{ containerID: 0, hostID: 1, size: 1 }];
const refused: readonly [Mount, string][] = [
  [{ ...bind, uidMappings: IDS, gidMappings: IDS }, "it is id-mapped"],
  [{ ...tmpfs, options: ["tmpcopyup"] }, "it has tmpcopyup"],
  [{ ...bind, options: ["bind", "remount", "rw"] }, "it is a remount"],
  [{ destination: "/cgroup", type: "cgroup2" }, "its type is none of bind, tmpfs, proc"],
  [{ destination: "/disk", type: "ext4", source: "/dev/sda" }, "its type is none of bind, tmpfs, proc"],
  [{ destination: "/s", type: "sysfs" }, "the container has no network namespace of its own"],
];
for (const [mount, why] of refused) {
  Deno.test(`a mount cannot be added to a running container: ${why} (${mount.type})`, () => {
    const error = assertThrows(() => planAddMounts(config(tmpfs, mount), testHost()), ConfigError);
    assertStringIncludes(error.message, `/mounts/1: cannot be added to a running container: ${why}`);
  });
}
