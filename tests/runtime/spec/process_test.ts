import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { parseProcess, validateConfig, validateProcess } from "../../../runtime/spec/parse.ts";
import { type Change, changedConfig, testAccepted, testRefused } from "./cases.ts";

testRefused("process", [
  [{ "/process": [] }, "/process", "must be an object"],
  [{ "/process/cwd": undefined }, "/process/cwd", "Cwd property must not be empty"],
  [{ "/process/cwd": "" }, "/process/cwd", "Cwd property must not be empty"],
  [{ "/process/cwd": "tmp" }, "/process/cwd", 'Cwd must be an absolute path, not "tmp"'],
  [{ "/process/cwd": "/\0" }, "/process/cwd", "NUL"],
  [{ "/process/args": undefined }, "/process/args", "args must not be empty"],
  [{ "/process/args": null }, "/process/args", "args must not be empty"],
  [{ "/process/args": [] }, "/process/args", "args must not be empty"],
  [{ "/process/args": "sh" }, "/process/args", "must be an array"],
  [{ "/process/args": ["a", null] }, "/process/args/1", "must be a string, not null"],
  [{ "/process/args": ["a\0"] }, "/process/args/0", "NUL"],
  [{ "/process/env": ["A=b", "C"] }, "/process/env/1", 'must be "NAME=value" with a name, not "C"'],
  [{ "/process/env": ["=b"] }, "/process/env/0", 'must be "NAME=value" with a name'],
  [{ "/process/env": ["A=\0"] }, "/process/env/0", "NUL"],
  [{ "/process/terminal": 1 }, "/process/terminal", "must be true or false, not 1"],
  [{ "/process/consoleSize": {} }, "/process/consoleSize/height", "is missing"],
  [{ "/process/consoleSize": { height: 1, width: -1 } }, "/process/consoleSize/width", "from 0 to 65535"],
  [{ "/process/noNewPrivileges": "" }, "/process/noNewPrivileges", "must be true or false"],
  [{ "/process/apparmorProfile": {} }, "/process/apparmorProfile", "must be a string"],
  [{ "/process/selinuxLabel": 1 }, "/process/selinuxLabel", "must be a string"],
  [{ "/process/oomScoreAdj": -1001 }, "/process/oomScoreAdj", "from -1000 to 1000, not -1001"],
  [{ "/process/oomScoreAdj": "0" }, "/process/oomScoreAdj", "must be an integer"],
]);

testAccepted("process", [
  { "/process": undefined },
  { "/process": null },
  { "/process/env": ["A=", "B==", "C=d e"] },
  { "/process/args": ["a", ""] },
  { "/process/oomScoreAdj": 1000 },
  { "/process/consoleSize": { height: 0, width: 0 } },
]);

testRefused("user", [
  [{ "/process/user": 0 }, "/process/user", "must be an object"],
  [{ "/process/user/uid": "x" }, "/process/user/uid", 'must be an integer from 0 to 4294967294, not "x"'],
  [{ "/process/user/uid": -1 }, "/process/user/uid", "not -1"],
  [{ "/process/user/uid": 1.5 }, "/process/user/uid", "not 1.5"],
  [{ "/process/user/uid": 4294967295 }, "/process/user/uid", "from 0 to 4294967294"],
  [{ "/process/user/uid": 0n }, "/process/user/uid", "not 0"],
  [{ "/process/user/gid": 4294967296 }, "/process/user/gid", "from 0 to 4294967294"],
  [{ "/process/user/umask": 0o1000 }, "/process/user/umask", "from 0 to 511"],
  [{ "/process/user/additionalGids": [0, -1] }, "/process/user/additionalGids/1", "from 0 to 4294967294"],
]);

Deno.test("a process without user is root's", () => {
  const root = { uid: 0, gid: 0 };
  assertEquals(validateConfig(changedConfig({ "/process/user": undefined })).process?.user, root);
  assertEquals(validateConfig(changedConfig({ "/process/user": {} })).process?.user, root);
  assertEquals(validateConfig(changedConfig({ "/process/user": { gid: 5 } })).process?.user, {
    uid: 0,
    gid: 5,
  });
});

testRefused("capabilities", [
  [{ "/process/capabilities": [] }, "/process/capabilities", "must be an object"],
  ...["bounding", "effective", "inheritable", "permitted", "ambient"].map((set) =>
    [{ [`/process/capabilities/${set}`]: [1] }, `/process/capabilities/${set}/0`, "must be a string"] as const
  ),
]);

// config.md#linux-process: names that cannot be mapped are logged, not refused.
testAccepted("capabilities", [{ "/process/capabilities/bounding": ["CAP_CHOWN", "CAP_FUTURE"] }]);

const rlimits = (...limits: unknown[]): Change => ({ "/process/rlimits": limits });

testRefused("rlimits", [
  [rlimits({ soft: 1, hard: 1 }), "/process/rlimits/0/type", "is missing"],
  [rlimits({ type: "RLIMIT_CPU", hard: 1 }), "/process/rlimits/0/soft", "is missing"],
  [rlimits({ type: "RLIMIT_CPU", soft: 1 }), "/process/rlimits/0/hard", "is missing"],
  [
    rlimits({ type: "RLIMIT_X", soft: 1, hard: 1 }),
    "/process/rlimits/0/type",
    "wrong rlimit value: RLIMIT_X, must be",
  ],
  [rlimits({ type: "A\nB", soft: 1, hard: 1 }), "/process/rlimits/0/type", "wrong rlimit value: A\\nB"],
  [rlimits({ type: "NOFILE", soft: 1, hard: 1 }), "/process/rlimits/0/type", "wrong rlimit value: NOFILE"],
  [
    rlimits({ type: "RLIMIT_CPU", soft: 2, hard: 1 }),
    "/process/rlimits/0/soft",
    "must be at most the hard limit, 1, not 2",
  ],
  [
    rlimits({ type: "RLIMIT_CPU", soft: 2n ** 64n - 1n, hard: 1 }),
    "/process/rlimits/0/soft",
    "must be at most the hard limit, 1, not 18446744073709551615",
  ],
  [
    rlimits({ type: "RLIMIT_CPU", soft: 2n ** 64n, hard: 2n ** 64n }),
    "/process/rlimits/0/soft",
    "from 0 to 1844",
  ],
  [rlimits({ type: "RLIMIT_CPU", soft: -1, hard: 0 }), "/process/rlimits/0/soft", "not -1"],
  [
    rlimits(
      { type: "RLIMIT_CPU", soft: 1, hard: 1 },
      { type: "RLIMIT_AS", soft: 1, hard: 1 },
      { type: "RLIMIT_CPU", soft: 1, hard: 1 },
    ),
    "/process/rlimits/2/type",
    'must not be listed twice: "RLIMIT_CPU"',
  ],
]);

testAccepted("rlimits", [
  rlimits({ type: "RLIMIT_NICE", soft: 1, hard: 2n ** 64n - 1n }, {
    type: "RLIMIT_RTTIME",
    soft: 1,
    hard: 1,
  }),
]);

testRefused("scheduler", [
  [{ "/process/scheduler": {} }, "/process/scheduler/policy", "is missing"],
  [
    { "/process/scheduler": { policy: "SCHED_X" } },
    "/process/scheduler/policy",
    'must be one of "SCHED_OTHER", "SCHED_F',
  ],
  [
    { "/process/scheduler": { policy: "SCHED_OTHER", nice: 20 } },
    "/process/scheduler/nice",
    "from -20 to 19",
  ],
  [
    { "/process/scheduler": { policy: "SCHED_BATCH", nice: -21 } },
    "/process/scheduler/nice",
    "from -20 to 19",
  ],
  [
    { "/process/scheduler": { policy: "SCHED_FIFO" } },
    "/process/scheduler/priority",
    "from 1 to 99 with SCHED_FIFO",
  ],
  [
    { "/process/scheduler": { policy: "SCHED_RR", priority: 100 } },
    "/process/scheduler/priority",
    "from 0 to 99",
  ],
  [
    { "/process/scheduler": { policy: "SCHED_OTHER", priority: 1 } },
    "/process/scheduler/priority",
    "must be 0 or absent with SCHED_OTHER, not 1",
  ],
  ...["runtime", "deadline", "period"].map((name) =>
    [
      { "/process/scheduler": { policy: "SCHED_BATCH", [name]: 1 } },
      `/process/scheduler/${name}`,
      "must be 0 or absent with SCHED_BATCH",
    ] as const
  ),
  [
    { "/process/scheduler": { policy: "SCHED_IDLE", flags: ["A"] } },
    "/process/scheduler/flags/0",
    "must be one of",
  ],
]);

testAccepted("scheduler", [
  { "/process/scheduler": { policy: "SCHED_OTHER", nice: -20, priority: 0, runtime: 0 } },
  { "/process/scheduler": { policy: "SCHED_RR", priority: 99, flags: ["SCHED_FLAG_RESET_ON_FORK"] } },
  { "/process/scheduler": { policy: "SCHED_DEADLINE", runtime: 1, deadline: 2, period: 2n ** 60n } },
]);

testRefused("ioPriority", [
  [{ "/process/ioPriority": { priority: 0 } }, "/process/ioPriority/class", "is missing"],
  [{ "/process/ioPriority": { class: "IOPRIO_CLASS_RT" } }, "/process/ioPriority/priority", "is missing"],
  [
    { "/process/ioPriority": { class: "RT", priority: 0 } },
    "/process/ioPriority/class",
    '"IOPRIO_CLASS_RT", ',
  ],
  [
    { "/process/ioPriority": { class: "IOPRIO_CLASS_BE", priority: 8 } },
    "/process/ioPriority/priority",
    "from 0 to 7",
  ],
]);

testAccepted("ioPriority", [{ "/process/ioPriority": { class: "IOPRIO_CLASS_IDLE", priority: 0 } }]);

testRefused("execCPUAffinity", [
  [
    { "/process/execCPUAffinity/initial": "0-" },
    "/process/execCPUAffinity/initial",
    'must be a list of CPUs as "0-3,7"',
  ],
  [{ "/process/execCPUAffinity/final": "3-1" }, "/process/execCPUAffinity/final", "must be a list of CPUs"],
  [{ "/process/execCPUAffinity/final": "all" }, "/process/execCPUAffinity/final", "must be a list of CPUs"],
]);

testAccepted("execCPUAffinity", [
  { "/process/execCPUAffinity": { initial: "0-3,7", final: "" } },
  { "/process/execCPUAffinity": { final: " 1 , 2-4,," } },
]);

Deno.test("a process of its own is shown as that of config.json", () => {
  const error = assertThrows(() => validateProcess({ cwd: "/", args: ["a"], env: ["A"] }), ConfigError);
  assertEquals(error.pointer, "/process/env/0");
  assertEquals(assertThrows(() => parseProcess("{"), ConfigError, "must be JSON").pointer, "/process");
  assertEquals(parseProcess('{"cwd":"/","args":["a"]}').user, { uid: 0, gid: 0 });
});
