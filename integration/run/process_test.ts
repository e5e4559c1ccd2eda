/** `process` of config.json, seen from inside. */

import { assertEquals } from "@std/assert";
import type { Scheduler } from "../../runtime/spec/config.ts";
import { type Case, containerCases, containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

/** The lines of /proc/self/status of a process that is the container's own: no shell in between. */
function status(fields: string, config: Case["config"], stdout: string, rest: Case = {}): Case {
  return { args: ["grep", "-E", `^(${fields}):`, "/proc/self/status"], config, stdout, ...rest };
}

containerCases({
  "args: found in PATH, the first that may be executed": {
    config: { process: { env: ["PATH=/nowhere:/data:/tmp:/bin"] } },
    image: (rootfs) => {
      Deno.writeTextFileSync(`${rootfs}/tmp/probe`, "#!/bin/sh\necho found $0", { mode: 0o755 });
      Deno.mkdirSync(`${rootfs}/data/probe`, { recursive: true });
    },
    args: ["probe"],
    stdout: "found /tmp/probe",
  },
  "args: a file that may not be executed is passed over": {
    config: { process: { env: ["PATH=/tmp:/bin"] } },
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/tmp/echo`, "no program", { mode: 0o644 }),
    args: ["echo", "passed"],
    stdout: "passed",
  },
  "args: an empty entry of PATH is the working directory": {
    config: { process: { env: ["PATH=/nowhere:"], cwd: "/bin" } },
    args: ["echo", "here"],
    stdout: "here",
  },
  "args: an empty PATH is the working directory": {
    config: { process: { env: ["PATH="], cwd: "/bin" } },
    args: ["echo", "here"],
    stdout: "here",
  },
  "args: without PATH nothing is searched": {
    config: { process: { env: [] } },
    args: ["echo", "here"],
    status: 1,
    stderr: /^hako: .*"echo": executable file not found in \$PATH/,
  },
  "args: a relative path begins at the working directory": {
    config: { process: { cwd: "/bin" } },
    args: ["./busybox", "echo", "relative"],
    stdout: "relative",
  },
  "args: argv[0] is as it was given, and empty and odd words pass": {
    args: ["sh", "-c", 'cat /proc/$$/cmdline | tr "\\0" "|"', "", "a b", "ü\n'\""],
    stdout: 'sh|-c|cat /proc/$$/cmdline | tr "\\0" "|"||a b|ü\n\'"|',
  },
  "args: the path goes through an absolute link of the image": {
    image: (rootfs) => Deno.symlinkSync("/bin", `${rootfs}/programs`),
    args: ["/programs/echo", "linked"],
    stdout: "linked",
  },

  "env: as given and in order; of two the last; HOME from /etc/passwd; nothing of ours": {
    config: { process: { env: ["B=1", "PATH=/bin", "A=x=y", "B=2", "EMPTY="] } },
    args: ["env"],
    env: { HAKO_TEST_SECRET: "1" },
    stdout: "PATH=/bin\nA=x=y\nB=2\nEMPTY=\nHOME=/root",
  },
  "env: HOME of the user": {
    config: { process: { env: ["PATH=/bin"], user: { uid: 1000, gid: 1000 } } },
    args: ["env"],
    stdout: "PATH=/bin\nHOME=/home/user",
  },
  "env: HOME is / for a user that /etc/passwd does not know": {
    config: { process: { env: ["PATH=/bin", "HOME="], user: { uid: 4711 } } },
    args: ["env"],
    stdout: "PATH=/bin\nHOME=/",
  },
  "env: HOME that is given stays": {
    config: { process: { env: ["HOME=/given", "PATH=/bin"] } },
    args: ["env"],
    stdout: "HOME=/given\nPATH=/bin",
  },
  "env: 100 kB pass": {
    config: { process: { env: ["PATH=/bin", `BIG=${"x".repeat(100_000)}`] } },
    script: "echo ${#BIG}",
    stdout: "100000",
  },

  "cwd: made if it is missing": {
    config: { process: { cwd: "/a/b/c" } },
    script: "pwd; stat -c '%a %u:%g' /a /a/b/c",
    stdout: "/a/b/c\n755 0:0\n755 0:0",
  },
  "cwd: a link of the image, absolute and with ..": {
    image: (rootfs) => Deno.symlinkSync("/../../tmp", `${rootfs}/link`),
    config: { process: { cwd: "/link" } },
    script: "readlink /proc/self/cwd",
    stdout: "/tmp",
  },
  "cwd: .. does not lead out": {
    config: { process: { cwd: "/tmp/../../../bin" } },
    script: "readlink /proc/self/cwd",
    stdout: "/bin",
  },
  "cwd: a directory that the user may not enter": {
    image: (rootfs) => Deno.mkdirSync(`${rootfs}/private`, { mode: 0o700 }),
    config: { process: { cwd: "/private", user: { uid: 1000, gid: 1000 } } },
    script: "readlink /proc/self/cwd; ls",
    stdout: "/private",
    stderr: "ls: .: Permission denied",
    status: 1,
  },
  "cwd: on a mount of the container": {
    config: { process: { cwd: "/dev/shm/new" } },
    script: "readlink /proc/self/cwd",
    stdout: "/dev/shm/new",
  },

  "user: ids, groups and umask": status(
    "Uid|Gid|Groups|Umask",
    { process: { user: { uid: 1000, gid: 1001, additionalGids: [5, 1002], umask: 0o027 } } },
    "Umask:\t0027\nUid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\nGroups:\t5 1002",
  ),
  "user: no groups of the caller, umask 0022": status(
    "Uid|Gid|Groups|Umask",
    {},
    "Umask:\t0022\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:",
    { under: ["setpriv", "--groups", "7,8"] },
  ),
  "user: umask 0": {
    config: { process: { user: { umask: 0 } } },
    script: "umask; touch /new; stat -c %a /new",
    stdout: "0000\n666",
  },

  "capabilities: none without the member": status(
    "Cap...",
    { process: { capabilities: null } },
    ["Inh", "Prm", "Eff", "Bnd", "Amb"].map((set) => `Cap${set}:\t0000000000000000`).join("\n"),
  ),
  "capabilities: each set by itself": status(
    "Cap...",
    {
      process: {
        capabilities: {
          bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN"],
          permitted: ["CAP_CHOWN", "CAP_KILL"],
          effective: ["CAP_KILL"],
          inheritable: ["CAP_CHOWN", "CAP_KILL"],
          ambient: ["CAP_KILL"],
        },
        user: { uid: 1000, gid: 1000 },
      },
    },
    [
      // execve(2) of a user who is not root leaves the ambient set in P and E: capabilities(7).
      "CapInh:\t0000000000000021",
      "CapPrm:\t0000000000000020",
      "CapEff:\t0000000000000020",
      "CapBnd:\t0000000000200021",
      "CapAmb:\t0000000000000020",
    ].join("\n"),
  ),
  "capabilities: unknown ones are left out": status(
    "CapBnd",
    {
      process: {
        capabilities: {
          bounding: ["CAP_NEW", "CAP_CHOWN"],
          permitted: null,
          effective: null,
          inheritable: null,
        },
      },
    },
    "CapBnd:\t0000000000000001",
    { stderr: /^hako: warning: .*unknown to this kernel: CAP_NEW\n$/ },
  ),
  "noNewPrivileges: set": status("NoNewPrivs", { process: { noNewPrivileges: true } }, "NoNewPrivs:\t1"),
  "noNewPrivileges: not set": status("NoNewPrivs", { process: { noNewPrivileges: false } }, "NoNewPrivs:\t0"),
  "noNewPrivileges: a set-user-ID program has no effect": {
    image: (rootfs) => Deno.chmodSync(`${rootfs}/bin/busybox`, 0o4755),
    config: { process: { user: { uid: 1000, gid: 1000 } } },
    script: "id -u",
    stdout: "1000",
  },
  "without noNewPrivileges a set-user-ID program has effect, up to the bounding set": {
    image: (rootfs) => {
      Deno.copyFileSync(`${rootfs}/bin/busybox`, `${rootfs}/su`);
      Deno.chmodSync(`${rootfs}/su`, 0o4755);
      Deno.writeTextFileSync(`${rootfs}/etc/passwd`, "root::0:0::/:/bin/sh\n");
    },
    config: {
      process: {
        user: { uid: 1000, gid: 1000 },
        noNewPrivileges: false,
        capabilities: { bounding: ["CAP_CHOWN", "CAP_SETGID", "CAP_SETUID"], permitted: [], effective: [] },
      },
    },
    // busybox gives the right away again, except in the applets that need it: `su`.
    args: ["/su", "root", "-c", "grep -E '^(Uid|CapPrm):' /proc/self/status"],
    stdout: "Uid:\t0\t0\t0\t0\nCapPrm:\t00000000000000c1",
  },

  "signals: no disposition and no mask of the caller's": status(
    "Sig(Blk|Ign|Cgt)",
    {},
    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000",
    { under: ["sh", "-c", 'trap "" HUP PIPE USR1; exec "$@"', "sh"] },
  ),
  "rlimits: set, and those not named stay the caller's": {
    config: {
      process: {
        rlimits: [
          { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
          { type: "RLIMIT_CORE", soft: 0, hard: 2n ** 64n - 1n },
          { type: "RLIMIT_NPROC", soft: 1000, hard: 1000 },
        ],
      },
    },
    under: ["sh", "-c", 'ulimit -s 4096; exec "$@"', "sh"],
    script: "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc; ulimit -Su; ulimit -s",
    stdout: "100\n200\n0\nunlimited\n1000\n4096",
  },
  "rlimits: RLIMIT_NOFILE of the caller, and not what Deno makes of it": {
    config: { process: { rlimits: null } },
    under: ["sh", "-c", 'ulimit -Sn 777; "$@"', "sh"],
    script: "ulimit -Sn",
    stdout: "777",
  },
  "oomScoreAdj: set": {
    config: { process: { oomScoreAdj: 321 } },
    script: "cat /proc/self/oom_score_adj",
    stdout: "321",
  },
  "oomScoreAdj: the caller's without it": {
    under: ["sh", "-c", 'echo 77 > /proc/self/oom_score_adj; exec "$@"', "sh"],
    script: "cat /proc/self/oom_score_adj",
    stdout: "77",
  },
  "ioPriority": {
    config: { process: { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 6 } } },
    script: "ionice",
    stdout: "best-effort: prio 6",
  },
  "ioPriority idle": {
    config: { process: { ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 } } },
    script: "ionice",
    stdout: "idle",
  },
});

/** Fields 18, 19, 40 and 41 of proc_pid_stat(5): priority, nice, rt_priority, policy. */
const SCHEDULING = ["cut", "-d", " ", "-f", "18,19,40,41", "/proc/self/stat"];

const SCHEDULERS: readonly [scheduler: Scheduler, stdout: string][] = [
  [{ policy: "SCHED_OTHER", nice: 5 }, "25 5 0 0"],
  [{ policy: "SCHED_OTHER", nice: -5 }, "15 -5 0 0"],
  [{ policy: "SCHED_FIFO", priority: 10 }, "-11 0 10 1"],
  [{ policy: "SCHED_RR", priority: 3 }, "-4 0 3 2"],
  [{ policy: "SCHED_BATCH", nice: 7 }, "27 7 0 3"],
  [{ policy: "SCHED_IDLE" }, "20 0 0 5"],
  [{ policy: "SCHED_DEADLINE", runtime: 1e6, deadline: 1e7, period: 1e7 }, "-101 0 0 6"],
];

/** A new cgroup has no time for real-time processes unless it is asked for, where the kernel has RT_GROUP_SCHED. */
const CALLERS_CGROUP = { global: ["--cgroup-manager", "disabled"] };

containerCases({
  ...Object.fromEntries(SCHEDULERS.map(([scheduler, stdout]) => [
    `scheduler: ${scheduler.policy} ${scheduler.nice ?? scheduler.priority ?? ""}`,
    { config: { process: { scheduler } }, ...CALLERS_CGROUP, args: SCHEDULING, stdout },
  ])),
  "scheduler: SCHED_FLAG_RESET_ON_FORK": {
    ...CALLERS_CGROUP,
    config: {
      process: { scheduler: { policy: "SCHED_FIFO", priority: 10, flags: ["SCHED_FLAG_RESET_ON_FORK"] } },
    },
    script: `cat /proc/$$/stat | cut -d " " -f 41; cut -d " " -f 41 /proc/self/stat; true`,
    stdout: "1\n0",
  },
});

containerTest("preserve-fds: these and no others", async (box) => {
  const { path } = box.bundle({ args: ["ls", "/proc/self/fd"] });
  const sh = 'exec 3</dev/zero 4</dev/zero 5</dev/zero 9</dev/zero; exec "$@"';
  const open = async (count: number) => {
    const command = box.command(path, {
      under: ["sh", "-c", sh, "sh"],
      options: [`--preserve-fds=${count}`],
    });
    const { stdout, stderr } = await run(command);
    return (stdout || stderr).trim().split("\n");
  };
  // The last one is the directory that ls reads.
  assertEquals(await open(0), ["0", "1", "2", "3"]);
  assertEquals(await open(2), ["0", "1", "2", "3", "4", "5"]);
  assertEquals(await open(3), ["0", "1", "2", "3", "4", "5", "6"]);
  const missing = "hako: unable to stat preserved-fd 3 (of 7): file descriptor 6 is not open";
  assertEquals(await open(7), [missing]);
});
