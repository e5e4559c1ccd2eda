/** What the options of `docker run` ask for, as it is seen from inside. @module */
import { run } from "../support/hako.ts";
import { BOX, printLimit } from "../engines/machine.ts";
import { exists } from "../support/files.ts";
import type { Cases } from "../engines/suite.ts";
import { runCases } from "./docker.ts";

const STATUS = "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '";

Deno.mkdirSync(`${BOX}/volume`);
Deno.writeTextFileSync(`${BOX}/volume/greeting`, "hello\n");
// A shared mount, and the node of a device that containers may not use unless they are told: /dev/fuse.
await run([
  ...[
    "sh",
    "-ec",
    'mkdir "$0/shared"; mount --bind --make-shared "$0/volume" "$0/shared"; mknod "$0/fuse" c 10 229',
  ],
  BOX,
]);

/** Docker's default profile is an allow list: this one is a deny list. */
const profile = `${BOX}/seccomp.json`;
Deno.writeTextFileSync(
  profile,
  JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
  }),
);

export const configCases: Cases = {
  ...runCases({
    "runs a program": { script: "echo hello; echo oops >&2", stdout: "hello", stderr: "oops" },
    "environment, working directory, host name and domain name": {
      options: ["-e", "A=b c", "-w", "/made", "--hostname", "me", "--domainname", "example"],
      script: "echo $A; pwd; hostname; cat /proc/sys/kernel/domainname",
      stdout: "b c\n/made\nme\nexample",
    },
    "user and groups by name, and groups by number": {
      options: ["--user", "user", "--group-add", "4711"],
      script: "id -u; id -g; id -G | grep -o 4711; echo $HOME",
      stdout: "1000\n1000\n4711\n/home/user",
    },
    "a user by number": { options: ["--user", "7:8"], script: "id -u; id -g", stdout: "7\n8" },
    "capabilities: the default ones": {
      script: STATUS,
      stdout: "CapEff: 00000000a80425fb CapBnd: 00000000a80425fb NoNewPrivs: 0 Seccomp: 2",
    },
    "capabilities: dropped and added": {
      options: ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "CHOWN"],
      script: STATUS,
      stdout: "CapEff: 0000000000001001 CapBnd: 0000000000001001 NoNewPrivs: 0 Seccomp: 2",
    },
    "no-new-privileges": {
      options: ["--security-opt", "no-new-privileges"],
      script: STATUS,
      stdout: / NoNewPrivs: 1 /,
    },
    "seccomp: off": {
      options: ["--security-opt", "seccomp=unconfined"],
      script: STATUS,
      stdout: /Seccomp: 0$/,
    },
    "seccomp: a profile": {
      options: ["--security-opt", `seccomp=${profile}`],
      script: "mkdir /x",
      status: 1,
      stderr: /Operation not supported/,
    },
    "seccomp: the default profile forbids to unshare": {
      script: "unshare -U true",
      status: 1,
      stderr: /Operation not permitted/,
    },
    "volumes: read-write and read-only": {
      options: ["-v", `${BOX}/volume:/rw`, "-v", `${BOX}/volume:/ro:ro`],
      script: "echo bye >/rw/farewell; cat /ro/greeting /ro/farewell; touch /ro/x",
      status: 1,
      stdout: "hello\nbye",
      stderr: /Read-only file system/,
    },
    "volumes: a file, and propagation": {
      options: [
        "-v",
        `${BOX}/volume/greeting:/a/file:ro`,
        "--mount",
        `type=bind,src=${BOX}/shared,dst=/v,bind-propagation=rslave`,
      ],
      script: "cat /a/file; grep -c ' /v .*master:' /proc/self/mountinfo",
      stdout: "hello\n1",
    },
    "tmpfs with options": {
      options: ["--tmpfs", "/t:size=1m,mode=1770,noexec"],
      script: "grep ' /t ' /proc/mounts | cut -d' ' -f3,4; stat -c %a /t",
      stdout: /^tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=1770.*\n1770$/,
    },
    "read-only": {
      options: ["--read-only", "--tmpfs", "/tmp"],
      script: "touch /tmp/x && touch /x",
      status: 1,
      stderr: /\/x: Read-only file system/,
    },
    "a device, with a mode that forbids": {
      options: ["--device", `${BOX}/fuse:/dev/f:r`],
      script: ": </dev/f && echo reads; : >/dev/f",
      status: 1,
      stdout: "reads",
      stderr: /can't create \/dev\/f: Operation not permitted/,
    },
    "no other devices": {
      script: "mknod /dev/f c 10 229 && : </dev/f",
      status: 1,
      stderr: /Operation not permitted/,
    },
    sysctl: {
      options: ["--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.shmmax=4096"],
      script: "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax",
      stdout: "1\n4096",
    },
    ulimit: {
      options: ["--ulimit", "nofile=100:200", "--ulimit", "core=0"],
      script: "ulimit -Sn; ulimit -Hn; ulimit -c",
      stdout: "100\n200\n0",
    },
    "memory, reservation, swap and swappiness": {
      options: [
        ...["--memory", "64m", "--memory-reservation", "32m", "--memory-swap", "96m"],
        // cgroup v2 has no such limit.
        ...exists("/sys/fs/cgroup/memory") ? ["--memory-swappiness", "33"] : [],
      ],
      script: `${printLimit("memory/memory.limit_in_bytes", "memory.max")}
        ${printLimit("memory/memory.soft_limit_in_bytes", "memory.low")}
        ${printLimit("memory/memory.memsw.limit_in_bytes", "memory.swap.max")}
        cat /sys/fs/cgroup/memory/memory.swappiness 2>/dev/null || echo 33`,
      stdout: /^67108864\n33554432\n(100663296|33554432)\n33$/,
    },
    "processor time and shares": {
      options: ["--cpus", "0.5", "--cpu-shares", "512"],
      script: `${printLimit("cpu/cpu.cfs_quota_us", "cpu.max")}; ${
        printLimit("cpu/cpu.shares", "cpu.weight")
      }`,
      stdout: /^50000( 100000)?\n(512|20|59)$/,
    },
    cpuset: {
      options: ["--cpuset-cpus", "0", "--cpuset-mems", "0"],
      script: "grep -E '^Cpus_allowed_list' /proc/self/status | tr -s '\\t' ' '",
      stdout: "Cpus_allowed_list: 0",
    },
    "block devices": {
      options: ["--device-read-bps", "/dev/vda:1mb"],
      script: printLimit("blkio/blkio.throttle.read_bps_device", "io.max"),
      stdout: /1048576/,
    },
    "a rule for devices": {
      options: ["--device-cgroup-rule", "c 1:* rmw", "--device-cgroup-rule", "c 10:229 r"],
      script: "mknod /dev/f c 10 229 && : </dev/f && echo reads; : >/dev/f",
      status: 1,
      stdout: "reads",
      stderr: /can't (open|create) \/dev\/f/,
    },
    "block devices: writes and operations": {
      options: ["--device-write-bps", "/dev/vda:2mb", "--device-read-iops", "/dev/vda:300"],
      script: `${printLimit("blkio/blkio.throttle.write_bps_device", "io.max")}
        ${printLimit("blkio/blkio.throttle.read_iops_device", "io.max")}`,
      stdout: /2097152[^]*300/,
    },
    "a processor's period and quota": {
      options: ["--cpu-period", "50000", "--cpu-quota", "10000"],
      script: `${printLimit("cpu/cpu.cfs_quota_us", "cpu.max")}; ${
        printLimit("cpu/cpu.cfs_period_us", "cpu.max")
      }`,
      stdout: /^10000( 50000\n10000)?[ \n]50000$/,
    },
    "a volume with a name": {
      options: ["-v", "named:/etc"],
      script: "grep -c ' /etc ' /proc/self/mountinfo; cat /etc/notes",
      stdout: "1\nnot a program",
    },
    "number of processes": {
      options: ["--pids-limit", "7"],
      script: `${printLimit("pids/pids.max", "pids.max")}; for i in 1 2 3 4 5 6 7 8; do sleep 1 & done`,
      status: 2,
      stdout: "7",
      stderr: /Resource temporarily unavailable|can't fork/,
    },
    "an out-of-memory score": {
      options: ["--oom-score-adj", "500"],
      script: "cat /proc/self/oom_score_adj",
      stdout: "500",
    },
    "an init that reaps": {
      options: ["--init"],
      script: "cat /proc/1/comm; exit 4",
      status: 4,
      stdout: "docker-init",
    },
    "shared memory, and its size": {
      options: ["--shm-size", "1m", "--ipc", "private"],
      script: "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2",
      stdout: "1024",
    },
    "namespaces of the host": {
      options: ["--pid", "host", "--network", "host", "--uts", "host", "--ipc", "host"],
      script: "cat /proc/1/comm; hostname",
      stdout: new RegExp(`^bash\n${Deno.hostname()}$`),
    },
    "a network of its own": {
      script:
        "ip -o addr show eth0 | grep -c 'inet 172'; ping -c 1 -W 2 172.17.0.1 | grep -c ' 0% packet loss'",
      stdout: "1\n1",
    },
    "no network": {
      options: ["--network", "none"],
      script: "ls /sys/class/net; ping -c 1 -W 2 127.0.0.1 >/dev/null && echo lo",
      stdout: /^(.*\n)*lo\n(.*\n)*lo$/,
    },
    "paths that are masked or read-only": {
      script:
        "cat /proc/keys /proc/timer_list; ls /proc/acpi /sys/firmware; touch /proc/sys/kernel/hostname /sys/x",
      status: 1,
      stderr: /\/proc\/sys\/kernel\/hostname: Read-only file system\n.*\/sys\/x: Read-only file system/,
    },
    "nearly privileged": {
      options: [
        ...["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"],
        ...["--security-opt", "systempaths=unconfined"],
      ],
      script: "mkdir /m && mount -t tmpfs none /m && touch /proc/sys/kernel/hostname && head -c 0 /proc/keys",
    },
    "standard input": { options: ["-i"], script: "cat; echo end", stdout: "end" },
    "a cgroup namespace": {
      options: ["--cgroupns", "private"],
      script: "grep -vc ':/$' /proc/self/cgroup",
      status: 1,
      stdout: "0",
    },
  }),
  ...runCases({
    privileged: {
      options: ["--privileged"],
      script: "mkdir /m && mount -t tmpfs none /m && ls /dev/vda && touch /proc/sys/kernel/hostname",
      stdout: "/dev/vda",
    },
  }),
};
