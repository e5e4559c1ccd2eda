/** What the options of `ctr run` ask for, as it is seen from inside. @module */
import { BOX, UNPRIVILEGED } from "../engines/machine.ts";
import { type Cases, unless } from "../engines/suite.ts";
import { eachRun } from "./containerd.ts";

const STATUS = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '";
const OUR_NETWORK = /\d+/.exec(Deno.readLinkSync("/proc/self/ns/net"))![0];

Deno.mkdirSync(`${BOX}/volume`);
Deno.writeTextFileSync(`${BOX}/volume/greeting`, "hello\n");

const profile = `${BOX}/seccomp.json`;
Deno.writeTextFileSync(
  profile,
  JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
  }),
);

export const runCases: Cases = {
  ...eachRun({
    "runs a program": { script: "echo hello; echo oops >&2", stdout: "hello", stderr: "oops" },
    "environment and working directory: of the image, and given": {
      options: ["--env", "A=b c"],
      script: "echo $FROM $A; pwd",
      stdout: "image b c\n/root",
    },
    "a working directory that is missing is made": {
      options: ["--cwd", "/made"],
      words: ["pwd"],
      stdout: "/made",
    },
    "capabilities: the default ones, and no new privileges": {
      script: STATUS,
      stdout: "CapEff: 00000000a80425fb NoNewPrivs: 1 Seccomp: 0",
    },
    "capabilities: dropped and added": {
      options: ["--cap-drop", "CAP_CHOWN", "--cap-add", "CAP_NET_ADMIN", "--allow-new-privs"],
      script: STATUS,
      stdout: "CapEff: 00000000a80435fa NoNewPrivs: 0 Seccomp: 0",
    },
    "seccomp: the default profile": {
      options: ["--seccomp"],
      script: `${STATUS}; unshare -U true`,
      status: 1,
      stdout: /Seccomp: 2/,
      stderr: /Operation not permitted/,
    },
    "seccomp: a profile": {
      options: ["--seccomp", "--seccomp-profile", profile],
      script: "mkdir /x",
      status: 1,
      stderr: /Operation not supported/,
    },
    "mounts: read-write and read-only": {
      options: [
        ...["--mount", `type=bind,src=${BOX}/volume,dst=/rw,options=rbind:rw`],
        ...["--mount", `type=bind,src=${BOX}/volume,dst=/ro,options=rbind:ro`],
      ],
      script: "echo bye >/rw/farewell; cat /ro/greeting /ro/farewell; touch /ro/x",
      status: 1,
      stdout: "hello\nbye",
      stderr: /Read-only file system/,
    },
    "a root filesystem that is read-only": {
      options: ["--read-only"],
      script: "touch /x",
      status: 1,
      stderr: /Read-only file system/,
    },
    "a root filesystem that is shared": {
      options: ["--rootfs-propagation", "rshared"],
      script: "grep -c ' / / .* shared:' /proc/self/mountinfo",
      stdout: "1",
    },
    "a device, and no other": {
      options: ["--device", "/dev/loop-control"],
      script: "ls /dev/loop-control; mknod /dev/f c 10 229 && : </dev/f",
      status: 1,
      stdout: "/dev/loop-control",
      stderr: /Operation not permitted/,
    },
    "a network of its own": {
      words: ["readlink", "/proc/self/ns/net"],
      stdout: new RegExp(`^net:(?!\\[${OUR_NETWORK}\\])`),
    },
    "the host's network": { options: ["--net-host"], words: ["hostname"], stdout: Deno.hostname() },
    "a namespace that is there already": {
      options: ["--with-ns", "uts:/proc/1/ns/uts"],
      words: ["hostname"],
      stdout: Deno.hostname(),
    },
    "paths that are masked": { script: "cat /proc/keys /proc/timer_list; ls /sys/firmware", stdout: "" },
    "the host's user ids mapped": {
      options: ["--uidmap", "0:0:1000", "--gidmap", "0:0:1000"],
      script: "tr -s ' ' </proc/self/uid_map; id -u",
      stdout: "0 0 1000\n0",
    },
    "state in a place of its own": { options: ["--runc-root", `${BOX}/state`], script: "exit 3", status: 3 },
    "no pivot_root": { options: ["--no-pivot"], words: ["cat", "/etc/notes"], stdout: "not a program" },
  }),
  ...unless(
    UNPRIVILEGED,
    eachRun({
      privileged: {
        options: ["--privileged"],
        script: "mount -t tmpfs none /mnt && echo yes",
        stdout: "yes",
      },
    }),
  ),
};
