/** Namespaces: new, joined and absent. */

import { assert, assertEquals } from "@std/assert";
import type { Config, NamespaceType } from "../../runtime/spec/config.ts";
import { capabilities } from "../support/bundle.ts";
import { afterMounting, type Box, containerCases, containerTest } from "../support/fixture.ts";
import { spawn } from "../support/hako.ts";
import { parseMounts } from "../support/mountinfo.ts";

/** Names in /proc/PID/ns. */
const FILES: Readonly<Record<NamespaceType, string>> = {
  cgroup: "cgroup",
  ipc: "ipc",
  mount: "mnt",
  network: "net",
  pid: "pid",
  time: "time",
  user: "user",
  uts: "uts",
};
const TYPES = Object.keys(FILES) as NamespaceType[];

/** What of the default config needs a namespace that a container does not have. */
const BARE = { hostname: null, mounts: [{ destination: "/proc", type: "proc" }] } as const;
const MAPS = {
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
};

function linux(types: readonly NamespaceType[], rest: Config["linux"] = {}): Config["linux"] {
  return { namespaces: types.map((type) => ({ type })), maskedPaths: [], readonlyPaths: [], ...rest };
}

function links(directory: string): string[] {
  return TYPES.map((type) => Deno.readLinkSync(`${directory}/${FILES[type]}`));
}

const READ_LINKS = `for type in ${
  TYPES.map((type) => FILES[type]).join(" ")
}; do readlink /proc/self/ns/$type; done`;

for (
  const types of [
    ["mount"],
    ["mount", "pid"],
    ["mount", "cgroup"],
    ["mount", "time"],
    ["mount", "ipc", "uts", "network"],
    ["mount", "pid", "user"],
    TYPES,
  ] as const
) {
  containerTest(`new: ${types.join(", ")}, and no other`, async (box) => {
    const { stdout, stderr } = await box.run({
      config: { ...BARE, linux: linux(types, types.some((type) => type === "user") ? MAPS : {}) },
      image: own,
      script: READ_LINKS,
    });
    assertEquals(stderr, "");
    const ours = links("/proc/self/ns");
    const fresh = TYPES.filter((_, index) => stdout.trim().split("\n")[index] !== ours[index]);
    assertEquals(fresh, [...types].sort());
  });
}

/** A process in new namespaces, by the options of unshare(1). */
async function withHolder(options: readonly string[], use: (pid: number) => Promise<void>): Promise<void> {
  const holder = spawn(["unshare", ...options, "sh", "-c", "echo ready; exec sleep 60"]);
  try {
    const reader = holder.stdout.getReader();
    assert((await reader.read()).value, "the holder does not start");
    await reader.cancel();
    await use(holder.pid);
  } finally {
    holder.kill("SIGKILL");
    await holder.stderr.cancel();
    await holder.status;
  }
}

for (const type of TYPES.filter((type) => type !== "pid" && type !== "time" && type !== "user")) {
  containerTest(
    `joined by path: ${type}`,
    (box) =>
      withHolder(["--mount", "--uts", "--ipc", "--net", "--cgroup"], async (pid) => {
        const path = `/proc/${pid}/ns/${FILES[type]}`;
        const others = TYPES.filter((other) => other !== type && other !== "user" && other !== "time");
        const { stdout, stderr } = await box.run({
          config: {
            ...BARE,
            linux: {
              ...linux([]),
              namespaces: [{ type, path }, ...others.map((type) => ({ type }))],
            },
          },
          script: `readlink /proc/self/ns/${FILES[type]}`,
        });
        assertEquals(stderr, "");
        assertEquals(stdout.trim(), Deno.readLinkSync(path));
      }),
  );
}

containerTest(
  "joined by path: pid",
  (box) =>
    withHolder(["--pid", "--fork", "--kill-child"], async (parent) => {
      const [pid] = Deno.readTextFileSync(`/proc/${parent}/task/${parent}/children`).trim().split(" ");
      const { stdout, stderr } = await box.run({
        config: {
          ...BARE,
          linux: {
            ...linux([]),
            namespaces: [{ type: "mount" }, { type: "pid", path: `/proc/${pid}/ns/pid` }],
          },
        },
        script: "echo $$; cat /proc/1/comm",
      });
      assertEquals([stdout, stderr], ["2\nsleep\n", ""]);
    }),
);

containerTest(
  "joined by path: time, with its offsets",
  (box) =>
    withHolder(["--time", "--boottime", "1000000", "--fork", "--kill-child"], async (parent) => {
      const [pid] = Deno.readTextFileSync(`/proc/${parent}/task/${parent}/children`).trim().split(" ");
      const { stdout, stderr } = await box.run({
        config: {
          ...BARE,
          linux: {
            ...linux([]),
            namespaces: [{ type: "mount" }, { type: "time", path: `/proc/${pid}/ns/time` }],
          },
        },
        script: "cut -d . -f 1 /proc/uptime",
      });
      assertEquals(stderr, "");
      assert(Number(stdout) > 1_000_000, stdout);
    }),
);

for (const rest of [[], ["--net", "--uts", "--ipc"]]) {
  containerTest(
    ["joined by path: user", ...rest].join(" "),
    (box) =>
      withHolder(["--user", ...rest], async (pid) => {
        for (const map of ["uid_map", "gid_map"]) {
          Deno.writeTextFileSync(`/proc/${pid}/${map}`, "0 100000 65536\n");
        }
        const joined = (["user", ...rest.length > 0 ? ["network", "uts", "ipc"] : []] as NamespaceType[])
          .map((type) => ({ type, path: `/proc/${pid}/ns/${FILES[type]}` }));
        const fresh = (["mount", "pid"] as const).map((type) => ({ type }));
        const { stdout, stderr } = await box.run({
          config: { ...BARE, linux: { ...linux([]), namespaces: [...fresh, ...joined] } },
          image: own,
          script:
            "readlink /proc/self/ns/user; id; tr -s ' ' < /proc/self/uid_map; stat -c %u /bin/sh; touch /new",
        });
        const user = Deno.readLinkSync(`/proc/${pid}/ns/user`);
        assertEquals([stdout, stderr], [`${user}\nuid=0(root) gid=0(root)\n 0 100000 65536\n0\n`, ""]);
      }),
  );
}

/** Gives the image to the root of {@linkcode MAPS}. */
function own(rootfs: string): void {
  const { success } = new Deno.Command("chown", { args: ["-hR", "100000:100000", rootfs] }).outputSync();
  if (!success) throw new Error("cannot chown the image");
}

/** A directory of root alone, with a file for everybody. */
function closed(box: Box): string {
  const path = `${box.directory}/closed`;
  Deno.mkdirSync(path, { mode: 0o700 });
  Deno.writeTextFileSync(`${path}/file`, "file\n", { mode: 0o644 });
  Deno.mkdirSync(`${path}/directory`, { mode: 0o755 });
  Deno.writeTextFileSync(`${path}/directory/inside`, "inside\n", { mode: 0o644 });
  return path;
}

const USER_AND_ALL = linux(["mount", "pid", "network", "ipc", "uts", "user"], MAPS);

containerCases({
  "user: root of the container, and the image is its own": {
    config: { linux: USER_AND_ALL },
    image: own,
    script: `id; tr -s ' ' < /proc/self/uid_map; cat /proc/self/setgroups; stat -c '%u:%g' /bin/sh
      touch /new && stat -c '%u:%g' /new; hostname`,
    stdout: "uid=0(root) gid=0(root)\n 0 100000 65536\nallow\n0:0\n0:0\nhako",
  },
  "user: an image of the host's root belongs to nobody and stays closed": {
    config: { linux: USER_AND_ALL },
    script: "stat -c '%u:%g' /bin/sh; touch /new",
    stdout: "65534:65534",
    stderr: "touch: /new: Permission denied",
    status: 1,
  },
  "user: another user than root, groups and capabilities": {
    config: {
      linux: USER_AND_ALL,
      process: {
        user: { uid: 1000, gid: 1001, additionalGids: [5, 6] },
        capabilities: { ...capabilities("CAP_CHOWN"), inheritable: ["CAP_CHOWN"], ambient: ["CAP_CHOWN"] },
      },
    },
    image: own,
    script: "id -u; id -g; id -G; grep -E 'CapEff|CapBnd' /proc/self/status",
    stdout: "1000\n1001\n1001 5 6\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000001",
  },
  "user: several ranges": {
    config: {
      ...BARE,
      linux: linux(["mount", "pid", "user"], {
        uidMappings: [
          { containerID: 0, hostID: 100000, size: 1000 },
          { containerID: 1000, hostID: 0, size: 1 },
          { containerID: 1001, hostID: 200000, size: 10 },
        ],
        gidMappings: [{ containerID: 0, hostID: 100000, size: 1000 }],
      }),
    },
    image: own,
    script: "tr -s ' ' < /proc/self/uid_map; stat -c %u:%g /etc /proc/1",
    stdout: " 0 100000 1000\n 1000 0 1\n 1001 200000 10\n0:0\n0:0",
  },
  "user: an image and mount sources below directories that it could not pass": (box) => ({
    config: { root: { path: `${closed(box)}/rootfs` }, linux: USER_AND_ALL },
    image: (rootfs) => {
      own(rootfs);
      Deno.renameSync(rootfs, `${box.directory}/closed/rootfs`);
    },
    mounts: [
      { destination: "/a", type: "bind", source: `${box.directory}/closed/directory`, options: ["rbind"] },
      { destination: "/b", type: "bind", source: `${box.directory}/closed/file`, options: ["bind", "ro"] },
    ],
    script: "cat /a/inside /b",
    stdout: "inside\nfile",
  }),
  "user: flags of a source that the kernel has locked stay": (box) => ({
    config: { linux: USER_AND_ALL },
    under: afterMounting(`mkdir ${box.directory}/source
      mount -t tmpfs -o mode=777,ro,nosuid,nodev,noexec,noatime tmpfs ${box.directory}/source`),
    mounts: [
      { destination: "/tmp", type: "bind", source: `${box.directory}/source`, options: ["rbind", "ro"] },
      { destination: "/root", type: "bind", source: `${box.directory}/source`, options: ["rbind"] },
    ],
    script: "awk '$5 ~ \"^/(tmp|root)\" { print $6 }' /proc/self/mountinfo",
    stdout: "ro,nosuid,nodev,noexec,noatime\nro,nosuid,nodev,noexec,noatime",
  }),
  "user: taking a locked flag away is an error": (box) => ({
    config: { linux: USER_AND_ALL },
    under: afterMounting(`mkdir ${box.directory}/source
      mount -t tmpfs -o ro tmpfs ${box.directory}/source`),
    mounts: [{
      destination: "/tmp",
      type: "bind",
      source: `${box.directory}/source`,
      options: ["rbind", "rw"],
    }],
    stderr: /^hako: bind .*mount_setattr\(.*operation not permitted \(EPERM\), .*\/mounts\/7\n$/,
    status: 1,
  }),
  "user: devices are bound from the host": {
    config: {
      linux: { ...USER_AND_ALL, devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }] },
    },
    image: own,
    script: "stat -c '%t:%T %u' /dev/null /dev/zero /dev/fuse; echo x > /dev/null && ls /dev",
    stdout: "1:3 65534\n1:5 65534\na:e5 65534\n" +
      "core\nfd\nfull\nfuse\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero",
  },
  "user: without a network namespace /sys is the host's, read-only": {
    config: { linux: linux(["mount", "pid", "user", "ipc"], MAPS), hostname: null },
    image: own,
    script: "awk '$5 == \"/sys\" { print $6 }' /proc/self/mountinfo; touch /sys/x",
    stdout: "ro,nosuid,nodev,noexec,relatime",
    stderr: "touch: /sys/x: Read-only file system",
    status: 1,
  },
  "user: a read-only root, masked and read-only paths": {
    config: {
      root: { readonly: true },
      linux: {
        ...USER_AND_ALL,
        maskedPaths: ["/proc/keys", "/sys/firmware", "/etc/passwd"],
        readonlyPaths: ["/proc/sys"],
      },
    },
    image: own,
    script:
      "touch /x; wc -c < /proc/keys; ls /sys/firmware; wc -c < /etc/passwd; echo 1 > /proc/sys/kernel/msgmax",
    stdout: "0\n0",
    stderr:
      "touch: /x: Read-only file system\n/bin/sh: can't create /proc/sys/kernel/msgmax: Read-only file system",
    status: 1,
  },
  "user: sysctl, rlimits and oom_score_adj": {
    config: {
      linux: { ...USER_AND_ALL, sysctl: { "kernel.msgmax": "4242", "net.ipv4.ip_forward": "1" } },
      process: { rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }], oomScoreAdj: 100 },
    },
    image: own,
    script: "cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; ulimit -Hn",
    stdout: "4242\n1\n100\n200",
  },

  "pid: the first process of its own, none other to be seen": {
    script: "echo $$; echo /proc/[0-9]*",
    stdout: "1\n/proc/1",
  },
  "pid: without one the host's processes are to be seen": {
    config: { ...BARE, linux: linux(["mount"]) },
    script: `test -d /proc/${Deno.pid} && test $$ != 1 && echo host`,
    stdout: "host",
  },
  "uts: names are those of the config": {
    config: { hostname: "name.example", domainname: "nis.example" },
    script: "hostname; cat /proc/sys/kernel/domainname",
    stdout: "name.example\nnis.example",
  },
  "uts: without names they are the host's": {
    config: { hostname: null },
    script: "hostname",
    stdout: Deno.hostname(),
  },
  "network: loopback is up": {
    script:
      "cat /sys/class/net/lo/operstate; ip addr show lo | grep -c 127.0.0.1; ping -c 1 -W 1 127.0.0.1 | grep -c '1 packets received'",
    config: { process: { capabilities: capabilities("CAP_NET_RAW") } },
    stdout: "unknown\n1\n1",
  },
  "time: offsets of both clocks": {
    config: {
      ...BARE,
      linux: linux(["mount", "pid", "time"], {
        timeOffsets: { monotonic: { secs: 2000, nanosecs: 5 }, boottime: { secs: -10 } },
      }),
    },
    script: "tr -s ' ' < /proc/self/timens_offsets",
    stdout: "monotonic 2000 5\nboottime -10 0",
  },
  "time: offsets in a user namespace": {
    config: {
      ...BARE,
      linux: linux(["user", "mount", "pid", "time"], {
        ...MAPS,
        timeOffsets: { boottime: { secs: 1000000 } },
      }),
    },
    image: own,
    script: "test $(cut -d . -f 1 /proc/uptime) -gt 1000000 && echo later",
    stdout: "later",
  },
  "cgroup: the container's cgroup is the root of its view": {
    config: { linux: { namespaces: TYPES.filter((type) => type !== "user").map((type) => ({ type })) } },
    script:
      "cut -d : -f 3 /proc/self/cgroup | sort -u; awk '$9 ~ \"cgroup\" { print $4 }' /proc/self/mountinfo | sort -u",
    stdout: "/\n/",
  },
  "cgroup: without a namespace only the container's part is to be seen": {
    script:
      "ls -d /sys/fs/cgroup/*/cgroup.procs | wc -l; touch /sys/fs/cgroup/x; mkdir /sys/fs/cgroup/unified/x",
    stdout: `${hierarchies()}`,
    stderr: "touch: /sys/fs/cgroup/x: Read-only file system\n" +
      "mkdir: can't create directory '/sys/fs/cgroup/unified/x': Read-only file system",
    status: 1,
  },
});

function hierarchies(): number {
  return parseMounts(Deno.readTextFileSync("/proc/self/mountinfo")).filter(({ type }) =>
    type.startsWith("cgroup")
  ).length;
}
