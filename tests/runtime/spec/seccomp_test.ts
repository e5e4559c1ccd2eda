import { type Change, testAccepted, testRefused } from "./cases.ts";

const S = "/linux/seccomp";
const seccomp = (members: Record<string, unknown>): Change => ({
  [S]: { defaultAction: "SCMP_ACT_ALLOW", ...members },
});
const rule = (members: Record<string, unknown>): Change =>
  seccomp({ syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", ...members }] });
const arg = (members: Record<string, unknown>): Change =>
  rule({ args: [{ index: 0, value: 0, op: "SCMP_CMP_EQ", ...members }] });

testRefused("seccomp", [
  [{ [S]: [] }, S, "must be an object"],
  [{ [S]: {} }, `${S}/defaultAction`, "is missing"],
  [
    seccomp({ defaultAction: "ALLOW" }),
    `${S}/defaultAction`,
    'must be one of "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS"',
  ],
  [
    seccomp({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 65536 }),
    `${S}/defaultErrnoRet`,
    "from 0 to 65535",
  ],
  ...["ALLOW", "LOG", "KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "NOTIFY"].flatMap((name) =>
    [
      [
        seccomp({ defaultAction: `SCMP_ACT_${name}`, defaultErrnoRet: 1 }),
        `${S}/defaultErrnoRet`,
        `must be absent with SCMP_ACT_${name}, not 1`,
      ],
      [
        rule({ action: `SCMP_ACT_${name}`, errnoRet: 0 }),
        `${S}/syscalls/0/errnoRet`,
        `must be absent with SCMP_ACT_${name}, not 0`,
      ],
    ] as const
  ),
  [seccomp({ architectures: ["SCMP_ARCH_Z80"] }), `${S}/architectures/0`, 'must be one of "SCMP_ARCH_X86"'],
  [seccomp({ flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] }), `${S}/flags/0`, "must be one of"],
  [
    seccomp({ syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }),
    `${S}/listenerPath`,
    "must be set for SCMP_ACT_NOTIFY",
  ],
  [seccomp({ listenerPath: 1 }), `${S}/listenerPath`, "must be a string"],
  [seccomp({ listenerMetadata: "a" }), `${S}/listenerMetadata`, "must be absent without listenerPath"],
  [seccomp({ listenerPath: "", listenerMetadata: "a" }), `${S}/listenerMetadata`, "must be absent without"],
  [rule({ names: undefined }), `${S}/syscalls/0/names`, "is missing"],
  [rule({ names: [] }), `${S}/syscalls/0/names`, "must not be empty"],
  [rule({ names: [1] }), `${S}/syscalls/0/names/0`, "must be a string"],
  [rule({ action: undefined }), `${S}/syscalls/0/action`, "is missing"],
  [rule({ action: "SCMP_ACT_DENY" }), `${S}/syscalls/0/action`, "must be one of"],
  [rule({ errnoRet: -1 }), `${S}/syscalls/0/errnoRet`, "from 0 to 65535"],
  [arg({ index: 6 }), `${S}/syscalls/0/args/0/index`, "from 0 to 5, not 6"],
  [arg({ index: undefined }), `${S}/syscalls/0/args/0/index`, "is missing"],
  [arg({ value: undefined }), `${S}/syscalls/0/args/0/value`, "is missing"],
  [arg({ value: -1 }), `${S}/syscalls/0/args/0/value`, "from 0 to 18446744073709551615"],
  [arg({ valueTwo: 2n ** 64n }), `${S}/syscalls/0/args/0/valueTwo`, "from 0 to 18446744073709551615"],
  [arg({ op: undefined }), `${S}/syscalls/0/args/0/op`, "is missing"],
  [arg({ op: "==" }), `${S}/syscalls/0/args/0/op`, 'must be one of "SCMP_CMP_NE"'],
]);

testAccepted("seccomp", [
  { [S]: null },
  seccomp({ flags: [], architectures: null, syscalls: null }),
  seccomp({ flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }),
  seccomp({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
  }),
  seccomp({ listenerPath: "/run/agent.sock", listenerMetadata: "a" }),
  rule({ action: "SCMP_ACT_TRACE", errnoRet: 65535, args: [] }),
  rule({ names: ["no_such_call"] }),
  arg({ index: 5, value: 2n ** 64n - 1n, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }),
]);
