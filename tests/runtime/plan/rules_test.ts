import { assertEquals } from "@std/assert";
import * as c from "../../../runtime/linux/generated/constants.ts";
import type { SyscallName } from "../../../runtime/linux/generated/syscalls.ts";
import type { Host } from "../../../runtime/plan/host.ts";
import {
  type Arg,
  attempt,
  barrier,
  type Node,
  type Plan,
  slot,
  type SlotName,
  type Step,
  step,
  tolerate,
} from "../../../runtime/plan/node.ts";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import { parseConfig } from "../../../runtime/spec/parse.ts";
import { testHost } from "./fixture.ts";

const call = (name: SyscallName, args: readonly Arg[] = [], save?: SlotName): Step =>
  step({ label: "test", pointer: "runtime" }, name, args, save);
const how = (resolve: number, flags = c.O_PATH) =>
  ({ struct: "open_how", members: { flags, mode: 0, resolve } }) as const;
const fork = { kind: "fork", flags: 0, save: "$init", label: "fork", pointer: "runtime" } as const;

const proc = call("openat", [c.AT_FDCWD, "/proc", c.O_PATH, 0], "$proc");
const root = call("open_tree", [c.AT_FDCWD, "/rootfs", c.OPEN_TREE_CLONE], "$root");
const target = call("openat2", [slot("$root"), "a/b", how(c.RESOLVE_IN_ROOT), 24], "$target");
const pivot = call("pivot_root", [".", "."]);
const sysctl = call("openat", [slot("$proc"), "sys/kernel/x", c.O_WRONLY, 0], "$file");
const join = call("openat", [6, "cgroup.procs", c.O_WRONLY, 0], "$file");
const unshare = call("unshare", [c.CLONE_NEWNS]);
const namespaces = barrier("namespaces", "test");
const mounted = barrier("mounted", "test");
const ready = barrier("ready", "test");
const start = barrier("start", "test");
const closeOnExec = call("close_range", [3, 0xffffffff, c.CLOSE_RANGE_CLOEXEC]);
const drop = call("prctl", [c.PR_CAPBSET_DROP, 0, 0, 0, 0]);
const setgroups = call("setgroups", [0, null]);
const setresgid = call("setresgid", [1, 1, 1]);
const setresuid = call("setresuid", [1, 1, 1]);
const capset = call("capset", [null, null]);
const noNewPrivileges = call("prctl", [c.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
const seccomp = call("seccomp", [c.SECCOMP_SET_MODE_FILTER, 0, null]);
const execve = call("execve", [{ late: "executable" }, { strings: ["sh"] }, { strings: [{ late: "HOME" }] }]);

/** A plan that keeps every rule. */
const GOOD: Plan = [
  ...[proc, namespaces, fork, root, target, mounted, pivot, sysctl, ready, start],
  ...[closeOnExec, drop, setgroups, setresgid, setresuid, capset, execve],
];

const before = (place: Node, ...nodes: Node[]) =>
  GOOD.flatMap((node) => node === place ? [...nodes, node] : [node]);
const after = (place: Node, ...nodes: Node[]) =>
  GOOD.flatMap((node) => node === place ? [node, ...nodes] : [node]);
const without = (...nodes: Node[]) => GOOD.filter((node) => !nodes.includes(node));
const replace = (place: Node, ...nodes: Node[]) => GOOD.flatMap((node) => node === place ? nodes : [node]);

Deno.test("a plan that keeps every rule has no faults", async (t) => {
  const inRoot = call("setresuid", [0, 0, 0]);
  const unlabelled = attempt(target, ["ENOENT"], { otherwise: [target] });
  const regain = call("capset", [null, null]);
  const plans: Record<string, Plan> = {
    "as it is": GOOD,
    "root of a user namespace first": after(root, setgroups, setresgid, inRoot),
    "the same without privilege": after(root, setresgid, inRoot),
    "a slot saved in both branches": replace(target, unlabelled, call("fchdir", [slot("$target")])),
    "inherited descriptors": before(
      root,
      call("fchdir", [slot("$status")]),
      call("fchdir", [slot("$barrier")]),
    ),
    "one name in an open directory": after(target, call("mkdirat", [slot("$target"), "x", 0o755])),
    "the owner of a link": after(
      target,
      call("fchownat", [slot("$target"), "x", 0, 0, c.AT_SYMLINK_NOFOLLOW]),
    ),
    "a remount": after(pivot, call("mount", [null, ".", null, c.MS_BIND | c.MS_REMOUNT, null])),
    "a new mount on one name": after(
      target,
      call("move_mount", [slot("$root"), "", slot("$target"), "x", 0]),
    ),
    "the root and the working directory": after(pivot, call("chdir", ["/"]), call("umount2", [".", 0])),
    "openat2 after the root was entered": after(pivot, target),
    "a terminal": before(
      pivot,
      call("openat2", [slot("$root"), "/dev/ptmx", how(c.RESOLVE_IN_ROOT, c.O_RDWR), 24]),
    ),
    "a filter with no_new_privs": after(capset, noNewPrivileges, seccomp),
    "a filter without, before the user": before(setgroups, seccomp),
    "a filter without, after the user": after(setresuid, regain, seccomp),
    "a cgroup by a descriptor of the runtime's": before(namespaces, join, unshare),
    "setns": before(root, call("prctl", [c.PR_SET_DUMPABLE, 0, 0, 0, 0]), call("setns", [3, 0])),
  };
  for (const [name, plan] of Object.entries(plans)) {
    await t.step(name, () => assertEquals(checkPlan(plan), []));
  }
});

/** Plans with the words of the fault that each is to have. */
const BAD: Readonly<Record<string, readonly [plan: Plan, ...faults: string[]]>> = {
  "no label": [after(root, step({ label: "", pointer: "runtime" }, "setsid", [])), "has no label"],
  "no pointer": [after(root, step({ label: "x", pointer: "" }, "setsid", [])), "has no pointer"],
  "seven arguments": [after(root, call("setsid", [1, 2, 3, 4, 5, 6, 7])), "has more than six arguments"],
  "no errno": [after(root, tolerate(call("setsid"), [])), "expects no errno"],
  "seven errnos": [
    after(root, tolerate(call("setsid"), ["EPERM", "EIO", "EBADF", "ENOENT", "EACCES", "EBUSY", "EEXIST"])),
    "expects more than 6 errnos",
  ],

  "barriers out of order": [replace(namespaces, mounted), "barrier mounted comes after mounted"],
  "a barrier twice": [after(start, ready), "barrier ready comes after start"],
  "a barrier in a branch": [
    replace(mounted, attempt(call("setsid"), ["EPERM"], { then: [mounted] })),
    "barrier mounted is not always reached",
  ],
  "two forks": [after(root, fork), "is a second fork"],
  "a late string too early": [after(root, call("fchdir", [{ late: "HOME" }])), "takes a late string before"],
  "a late string among others too early": [
    after(root, call("fchdir", [{ strings: ["a", { late: "HOME" }] }])),
    "takes a late string before",
  ],

  "a slot that was never saved": [after(root, call("fchdir", [slot("$x")])), "$x is not open here"],
  "a slot before it is saved": [before(root, call("fchdir", [slot("$root")])), "$root is not open here"],
  "a slot of a step that may fail": [
    replace(target, tolerate(target, ["ENOENT"]), call("fchdir", [slot("$target")])),
    "$target is not open here",
  ],
  "a slot that one branch saves": [
    replace(
      target,
      attempt(call("setsid"), ["EPERM"], { then: [target] }),
      call("fchdir", [slot("$target")]),
    ),
    "$target is not open here",
  ],
  "a slot that was closed": [
    after(sysctl, call("close", [slot("$file")]), call("write", [slot("$file"), "x", 1])),
    "$file is not open here",
  ],
  "a slot that was closed with all others": [
    after(sysctl, call("close_range", [5, 0xffffffff, 0]), call("write", [slot("$file"), "x", 1])),
    "$file is not open here",
  ],
  "the pid of a fork": [after(root, call("kill", [slot("$init"), 0])), "$init is not open here"],

  "groups after the user": [
    [...without(setgroups, execve), setgroups, execve],
    "wrong order: setresgid setresuid setgroups",
  ],
  "the group after the user": [
    [...without(setresgid, execve), setresgid, execve],
    "wrong order: setgroups setresuid setresgid",
  ],
  "no groups": [without(setgroups), "wrong order: setresgid setresuid"],
  "no user": [without(setresuid), "wrong order: setgroups setresgid"],
  "the bounding set too late": [after(setresuid, drop), "the final setresuid has taken CAP_SETPCAP"],
  "setns while dumpable": [after(root, call("setns", [3, 0])), "others in the namespace can trace the init"],

  "a filter before start": [before(start, seccomp), "is loaded before the barrier start"],
  "a filter before no_new_privs": [
    after(capset, seccomp, noNewPrivileges),
    "is loaded before no_new_privs is set",
    "would have to be allowed by the filter",
  ],
  "a step after the filter": [
    after(capset, noNewPrivileges, seccomp, call("setsid")),
    "would have to be allowed by the filter",
  ],
  "a filter without CAP_SYS_ADMIN": [after(capset, seccomp), "the final capset has taken CAP_SYS_ADMIN"],
  "a filter without it in the effective set": [
    after(setresuid, seccomp),
    "setresuid has taken CAP_SYS_ADMIN",
  ],

  "openat2 without RESOLVE_IN_ROOT": [
    after(root, call("openat2", [slot("$root"), "a", how(0), 24])),
    "may lead out of the root: RESOLVE_IN_ROOT is missing",
  ],
  "more than one name": [
    after(root, call("mkdirat", [slot("$root"), "a/b", 0o755])),
    "resolves a path of the image",
  ],
  "the name of the parent": [
    after(root, call("unlinkat", [slot("$root"), "..", 0])),
    "resolves a path of the image",
  ],
  "the second path of a call": [
    after(root, call("move_mount", [slot("$root"), "", slot("$root"), "a/b", 0])),
    "resolves a path of the image",
  ],
  "openat in the image": [
    after(target, call("openat", [slot("$target"), "x", c.O_RDONLY, 0])),
    "follows a link of the image",
  ],
  "openat in the image with a mode": [
    after(target, call("openat", [slot("$target"), "x", c.O_RDONLY | c.O_CREAT, 0o600])),
    "follows a link of the image",
  ],
  "the owner of a link's target": [
    after(target, call("fchownat", [slot("$target"), "x", 0, 0, 0])),
    "follows a link of the image",
  ],
  "a clone of a link": [
    after(target, call("open_tree", [slot("$target"), "x", c.OPEN_TREE_CLONE])),
    "follows a link of the image",
  ],
  "an absolute path that ignores $proc": [
    after(root, call("openat", [slot("$proc"), "/etc/x", c.O_RDONLY, 0])),
    "an absolute path does not start at $proc",
  ],
  "a path after pivot_root": [
    after(pivot, call("chdir", ["/etc"])),
    "names a path after the root was entered",
  ],
  "a path after chroot": [
    replace(pivot, call("chroot", ["."]), call("openat", [c.AT_FDCWD, "etc", c.O_RDONLY, 0])),
    "names a path after the root was entered",
  ],
  "a bind mount after pivot_root": [
    after(pivot, call("mount", ["/etc", ".", null, c.MS_BIND, null])),
    "mounts from a path after the root was entered",
  ],

  "the image's /proc": [
    replace(sysctl, call("openat2", [slot("$root"), "/proc/sys/x", how(c.RESOLVE_IN_ROOT, c.O_WRONLY), 24])),
    "writes to a file that is not beneath $proc",
  ],
  "the host's /proc by its name": [
    after(root, call("openat", [c.AT_FDCWD, "/proc/sys/x", c.O_WRONLY, 0])),
    "writes to a file that is not beneath $proc",
  ],
  "a cgroup among others": [
    before(namespaces, unshare, join),
    "writes to a file that is not beneath $proc",
  ],
  "another file by a descriptor of the runtime's": [
    before(namespaces, call("openat", [6, "cgroup.kill", c.O_WRONLY, 0])),
    "writes to a file that is not beneath $proc",
  ],
  "a $proc of the image": [
    after(pivot, call("openat2", [slot("$root"), "/proc", how(c.RESOLVE_IN_ROOT), 24], "$proc")),
    "$proc is not the runtime's own procfs",
  ],

  "nothing": [[], "the plan does not end in execve", "CLOSE_RANGE_CLOEXEC is missing"],
  "no execve": [without(execve), "the plan does not end in execve"],
  "two execves": [after(capset, execve), "is not the last step"],
  "a step after execve": [
    [...GOOD, call("setsid")],
    "the plan does not end in execve",
    "is not the last step",
  ],
  "open descriptors": [without(closeOnExec), "CLOSE_RANGE_CLOEXEC is missing"],
  "a late descriptor": [
    after(closeOnExec, call("fsopen", ["proc", 0], "$fs")),
    "opens a descriptor that stays open in the container",
  ],
};

Deno.test("each rule finds what breaks it, and nothing else", async (t) => {
  for (const [name, [plan, ...expected]] of Object.entries(BAD)) {
    await t.step(name, () => {
      const faults = checkPlan(plan);
      const told = expected.length === faults.length &&
        expected.every((words, index) => faults[index]!.includes(words));
      if (!told) assertEquals(faults, expected);
    });
  }
});

Deno.test("a fault names the step", () => {
  assertEquals(checkPlan(after(root, call("fchdir", [slot("$x")]))), [
    "5 (test): fchdir($x): $x is not open here",
  ]);
});

Deno.test("plans for real configs keep every rule, whatever the host", async (t) => {
  const golden = new URL("../../golden/", import.meta.url);
  const hosts: Partial<Host>[] = [
    {},
    { noPivot: true, procMounts: ["/proc", "/sys"] },
    { privileged: false, capabilities: 0n },
    { preserveFds: 3, noNewKeyring: true, nullStdio: [true, true, true] },
    { hierarchies: [{ controllers: "", mountPoint: "/sys/fs/cgroup", cgroup: "/x" }] },
    {
      hierarchies: [
        { controllers: "cpu,cpuacct", mountPoint: "/sys/fs/cgroup/cpu,cpuacct", cgroup: "/x" },
        { controllers: "name=systemd", mountPoint: "/sys/fs/cgroup/systemd", cgroup: "/x" },
      ],
    },
  ];
  for (const { name } of Deno.readDirSync(golden)) {
    if (name === "exec") continue;
    const config = parseConfig(Deno.readTextFileSync(new URL(`${name}/config.json`, golden)));
    for (const [index, host] of hosts.entries()) {
      await t.step(`${name}, host ${index}`, () => {
        assertEquals(checkPlan(planCreate(config, testHost({ apparmor: true, selinux: true, ...host }))), []);
      });
    }
  }
});
