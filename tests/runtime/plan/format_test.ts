import { assertEquals } from "@std/assert";
import * as c from "../../../runtime/linux/generated/constants.ts";
import { type SyscallName, SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";
import { formatCall, formatPlan, planToJson, walk } from "../../../runtime/plan/format.ts";
import { type Arg, attempt, barrier, type Plan, slot, step, tolerate } from "../../../runtime/plan/node.ts";

const dev = { label: "mount tmpfs on /dev", pointer: "/mounts/1" };
const how = (resolve: number) =>
  ({ struct: "open_how", members: { flags: c.O_PATH | c.O_CLOEXEC, mode: 0, resolve } }) as const;
const openDev = step(dev, "openat2", [slot("$root"), "dev", how(c.RESOLVE_IN_ROOT), 24], "$target");
const fork = {
  kind: "fork",
  flags: c.CLONE_PARENT | c.SIGCHLD,
  save: "$init",
  label: "fork",
  pointer: "/linux/namespaces",
} as const;

const PLAN: Plan = [
  fork,
  attempt(openDev, ["ENOENT"], {
    otherwise: [tolerate(step(dev, "mkdirat", [slot("$root"), "dev", 0o755]), ["EEXIST"]), openDev],
  }),
  step(dev, "fsopen", ["tmpfs", c.FSOPEN_CLOEXEC], "$fs"),
  barrier("ready", "the runtime looks"),
  attempt(step(dev, "fchdir", [slot("$target")]), ["ENOTDIR", "EACCES"], {
    then: [step({ label: "become root", pointer: "runtime" }, "setsid", [])],
    otherwise: [step(dev, "chdir", ["/"])],
  }),
  attempt(step(dev, "close", [slot("$fs")]), ["EBADF", "EIO"], { then: [step(dev, "setsid", [])] }),
];

Deno.test("formatPlan shows every kind of node", () => {
  assertEquals(
    formatPlan(PLAN),
    `\
fork                                                                            /linux/namespaces
    1  clone(CLONE_PARENT|SIGCHLD) -> $init  (the parent ends here)
mount tmpfs on /dev                                                             /mounts/1
    2  openat2($root, "dev", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}, 24) -> $target
       on ENOENT:
    3      mkdirat($root, "dev", 0755)  (EEXIST is fine)
    4      openat2($root, "dev", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}, 24) -> $target
    5  fsopen("tmpfs", FSOPEN_CLOEXEC) -> $fs
    6  -- barrier ready: the runtime looks --
mount tmpfs on /dev                                                             /mounts/1
    7  fchdir($target)
       on success:
           become root                                                          runtime
    8      setsid()
       on ENOTDIR, EACCES:
           mount tmpfs on /dev                                                  /mounts/1
    9      chdir("/")
   10  close($fs)  (EBADF, EIO are fine)
       on success:
   11      setsid()
`,
  );
});

Deno.test("formatPlan leaves room for a long label", () => {
  const label = "x".repeat(100);
  assertEquals(formatPlan([step({ label, pointer: "/a" }, "setsid", [])]), `${label}  /a\n    1  setsid()\n`);
});

Deno.test("walk numbers each node once, an attempt before its branches", () => {
  assertEquals(
    [...walk(PLAN)].map(({ node, number, depth, begins }) => [node.kind, number, depth, begins?.branch]),
    [
      ["fork", 1, 0, undefined],
      ["attempt", 2, 0, undefined],
      ["attempt", 3, 1, "otherwise"],
      ["step", 4, 1, undefined],
      ["step", 5, 0, undefined],
      ["barrier", 6, 0, undefined],
      ["attempt", 7, 0, undefined],
      ["step", 8, 1, "then"],
      ["step", 9, 1, "otherwise"],
      ["attempt", 10, 0, undefined],
      ["step", 11, 1, "then"],
    ],
  );
});

const CALLS: readonly (readonly [call: SyscallName, args: readonly Arg[], text: string])[] = [
  ["openat", [c.AT_FDCWD, "/a", c.O_RDONLY, 0], '(AT_FDCWD, "/a", O_RDONLY)'],
  ["openat", [c.AT_FDCWD, "/a", c.O_CLOEXEC, 0], '(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC)'],
  ["openat", [c.AT_FDCWD, "a", c.O_RDWR | c.O_CREAT, 0o600], '(AT_FDCWD, "a", O_RDWR|O_CREAT, 0600)'],
  ["openat", [slot("$d"), 'a"\n', c.O_TMPFILE | c.O_WRONLY, 0], '($d, "a\\"\\n", O_TMPFILE|O_WRONLY)'],
  ["mknodat", [slot("$d"), "n", c.S_IFCHR | 0o666, 0x103], '($d, "n", S_IFCHR|0666, makedev(1, 3))'],
  [
    "mknodat",
    [slot("$d"), "n", c.S_IFBLK | 0o600, 0xabc_12_3_45],
    '($d, "n", S_IFBLK|0600, makedev(291, 703557))',
  ],
  ["mknodat", [slot("$d"), "n", c.S_IFREG | 0o644, 0], '($d, "n", S_IFREG|0644)'],
  ["mount", [null, "/", null, c.MS_REC | c.MS_SLAVE, null], '(NULL, "/", NULL, MS_REC|MS_SLAVE, NULL)'],
  ["umount2", [".", c.MNT_DETACH], '(".", MNT_DETACH)'],
  ["unshare", [c.CLONE_NEWNS | c.CLONE_NEWPID], "(CLONE_NEWNS|CLONE_NEWPID)"],
  ["setns", [slot("$ns"), c.CLONE_NEWNET], "($ns, CLONE_NEWNET)"],
  ["kill", [1, c.SIGKILL], "(1, SIGKILL)"],
  ["close_range", [3, 0xffffffff, c.CLOSE_RANGE_CLOEXEC], "(3, ~0U, CLOSE_RANGE_CLOEXEC)"],
  ["close_range", [3, 0xffffffff, 0], "(3, ~0U, 0)"],
  ["prctl", [c.PR_SET_PDEATHSIG, c.SIGTERM, 0, 0, 0], "(PR_SET_PDEATHSIG, SIGTERM)"],
  ["prctl", [c.PR_SET_DUMPABLE, 0, 0, 0, 0], "(PR_SET_DUMPABLE, 0)"],
  ["prctl", [c.PR_CAPBSET_DROP, 63, 0, 0, 0], "(PR_CAPBSET_DROP, 63)"],
  ["ioctl", [slot("$m"), c.TIOCGPTPEER, c.O_RDWR | c.O_NOCTTY], "($m, TIOCGPTPEER, O_RDWR|O_NOCTTY)"],
  ["ioctl", [0, c.TIOCSCTTY, 0], "(0, TIOCSCTTY, 0)"],
  [
    "ioctl",
    [slot("$m"), c.TIOCSPTLCK, { struct: "int", members: { value: 0 } }],
    "($m, TIOCSPTLCK, {value=0})",
  ],
  [
    "ioctl",
    [0, c.TIOCSWINSZ, { struct: "winsize", members: { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 } }],
    "(0, TIOCSWINSZ, {ws_row=24, ws_col=80})",
  ],
  [
    "mount_setattr",
    [slot("$m"), "", c.AT_EMPTY_PATH | c.AT_RECURSIVE, {
      struct: "mount_attr",
      members: {
        attr_set: c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOATIME,
        attr_clr: c.MOUNT_ATTR__ATIME,
        propagation: c.MS_PRIVATE,
        userns_fd: 0,
      },
    }, 32],
    '($m, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOATIME, ' +
    "attr_clr=MOUNT_ATTR__ATIME, propagation=MS_PRIVATE}, 32)",
  ],
  [
    "mmap",
    [0x500000, 4096, c.PROT_READ, c.MAP_SHARED | c.MAP_FIXED, slot("$s"), 0],
    "(0x500000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, $s, 0)",
  ],
  ["socket", [c.AF_INET, c.SOCK_DGRAM | c.SOCK_CLOEXEC, 0], "(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0)"],
  ["fsconfig", [slot("$f"), c.FSCONFIG_SET_FLAG, "ro", null, 0], '($f, FSCONFIG_SET_FLAG, "ro", NULL, 0)'],
  ["fchown", [0, 1000, -1], "(0, 1000, -1)"],
  ["read", [slot("$b"), { buffer: 4 }, 4], "($b, <4 bytes>, 4)"],
  ["umask", [0o22], "(022)"],
  ["setsid", [], "()"],
  [
    "seccomp",
    [c.SECCOMP_SET_MODE_FILTER, c.SECCOMP_FILTER_FLAG_LOG, {
      struct: "sock_fprog",
      members: { len: 2, _: 0, filter: new Uint8Array(16) },
    }],
    "(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, {len=2, filter=<16 bytes>})",
  ],
  ["unshare", [c.CLONE_NEWNS | 1], "(CLONE_NEWNS|0x1)"],
  ["write", [1, new Uint8Array([0, 255]), 2], "(1, 0x00ff, 2)"],
];

Deno.test("formatCall names what numbers mean", () => {
  for (const [call, args, text] of CALLS) assertEquals(formatCall({ call, args }), call + text);
});

Deno.test("formatCall has no room for all capabilities", () => {
  const words = (name: string, mask: bigint) => ({
    [`${name}0`]: Number(mask & 0xffffffffn),
    [`${name}1`]: Number(mask >> 32n),
  });
  const all = (1n << 41n) - 1n;
  const members = {
    ...words("effective", all),
    ...words("permitted", all & ~1n),
    ...words("inheritable", 1n << 63n),
  };
  const text = formatCall({ call: "capset", args: [null, { struct: "__user_cap_data_struct", members }] });
  assertEquals(
    text.startsWith("capset(NULL, {effective=CAP_CHOWN..CAP_CHECKPOINT_RESTORE, permitted=CAP_DAC"),
    true,
  );
  assertEquals(text.endsWith("inheritable=0x8000000000000000})"), true);
});

Deno.test("formatCall does not tell secrets of the environment", () => {
  const args = [{ late: "executable" }, { strings: ["sh", "-c"] }, {
    strings: ["TOKEN=x=y", { late: "HOME" }],
  }] as const;
  assertEquals(
    formatCall({ call: "execve", args }),
    'execve(<executable>, ["sh", "-c"], [TOKEN=..., <HOME>])',
  );
});

Deno.test("formatCall takes any call with any arguments", () => {
  const args: Arg[] = [-1, 2n ** 64n - 1n, "text", null, slot("$x"), new Uint8Array(9)];
  for (const call of Object.keys(SYSCALLS.x86_64) as SyscallName[]) {
    for (let shift = 0; shift < args.length; shift++) {
      formatCall({ call, args: [...args.slice(shift), ...args.slice(0, shift)] });
      formatCall({ call, args: args.slice(shift) });
    }
  }
});

Deno.test("planToJson is JSON", () => {
  const plan: Plan = [
    step(dev, "prlimit64", [
      0,
      7,
      { struct: "rlimit64", members: { rlim_cur: 5n, rlim_max: 2n ** 64n - 1n } },
      null,
    ]),
    tolerate(step(dev, "setgroups", [1, new Uint8Array([10, 0, 0, 0])]), ["EPERM"]),
    barrier("start", "go"),
    step(dev, "execve", [{ late: "executable" }, { strings: ["sh"] }, { strings: [{ late: "HOME" }] }]),
  ];
  const json = planToJson(plan);
  assertEquals(JSON.parse(JSON.stringify(json)), json);
  assertEquals(json, [
    {
      kind: "step",
      call: "prlimit64",
      args: [0, 7, { struct: "rlimit64", members: { rlim_cur: 5, rlim_max: "18446744073709551615" } }, null],
      ...dev,
    },
    {
      kind: "attempt",
      step: { kind: "step", call: "setgroups", args: [1, { bytes: "0a000000" }], ...dev },
      on: ["EPERM"],
      then: [],
      otherwise: [],
    },
    { kind: "barrier", name: "start", label: "go", pointer: "runtime" },
    {
      kind: "step",
      call: "execve",
      args: [{ late: "executable" }, { strings: ["sh"] }, { strings: [{ late: "HOME" }] }],
      ...dev,
    },
  ]);
});
