/** Members of `linux` that are not about namespaces, devices or the root. */

import { assert, assertEquals } from "@std/assert";
import { capabilities } from "../support/bundle.ts";
import { containerCases, containerTest } from "../support/fixture.ts";

/** What numactl(8) shows: the second field of each line of numa_maps. */
const POLICY = "head -n 1 /proc/self/numa_maps | cut -d ' ' -f 2";

containerCases({
  "sysctl: of the network, IPC and UTS namespaces, with dots and slashes": {
    config: {
      linux: {
        sysctl: {
          "net.ipv4.ip_forward": "1",
          "net/ipv4/ip_unprivileged_port_start": "80",
          "net.ipv4.conf.lo.forwarding": "0",
          "net.ipv4.ping_group_range": "0 2147483647",
          "kernel.msgmax": "4242",
          "kernel.sem": "32000\t1024000000 500 32000",
          "kernel.domainname": "nis.example",
          "fs.mqueue.msg_max": "11",
        },
      },
    },
    script:
      `cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ip_unprivileged_port_start net/ipv4/conf/lo/forwarding \
      net/ipv4/ping_group_range kernel/msgmax kernel/sem kernel/domainname fs/mqueue/msg_max`,
    stdout: "1\n80\n0\n0\t2147483647\n4242\n32000\t1024000000\t500\t32000\nnis.example\n11",
  },
  "sysctl: one that the kernel does not have": {
    config: { linux: { sysctl: { "net.ipv4.nothing": "1" } } },
    stderr:
      /^hako: set sysctl net.ipv4.nothing to "1": openat\(.*no such file.*\/linux\/sysctl\/net.ipv4.nothing\n$/,
    status: 1,
  },
  "sysctl: a value that the kernel refuses": {
    config: { linux: { sysctl: { "net.ipv4.ip_forward": "many" } } },
    stderr:
      /^hako: set sysctl .*write\(.*: invalid argument \(EINVAL\), .*\/linux\/sysctl\/net.ipv4.ip_forward\n$/,
    status: 1,
  },
  "sysctl: works with a read-only /proc/sys and without any /proc": {
    config: {
      mounts: [],
      linux: { sysctl: { "kernel.msgmax": "4242" }, maskedPaths: [], readonlyPaths: [] },
    },
    mounts: [{ destination: "/p", type: "proc" }],
    script: "cat /p/sys/kernel/msgmax",
    stdout: "4242",
  },

  "personality: LINUX32": {
    config: { linux: { personality: { domain: "LINUX32" } } },
    script: "uname -m",
    stdout: Deno.build.arch === "x86_64" ? "i686" : "armv8l",
  },
  "personality: LINUX": {
    under: ["setarch", "linux32"],
    config: { linux: { personality: { domain: "LINUX" } } },
    script: "uname -m",
    stdout: Deno.build.arch,
  },
  "memoryPolicy: MPOL_INTERLEAVE": {
    config: { linux: { memoryPolicy: { mode: "MPOL_INTERLEAVE", nodes: "0" } } },
    script: POLICY,
    stdout: "interleave:0",
  },
  "memoryPolicy: MPOL_BIND with a flag": {
    config: { linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] } } },
    script: POLICY,
    stdout: "bind=static:0",
  },
  "memoryPolicy: MPOL_LOCAL": {
    config: { linux: { memoryPolicy: { mode: "MPOL_LOCAL" } } },
    script: POLICY,
    stdout: "local",
  },
  "memoryPolicy: a node that is not there": {
    config: { linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "63" } } },
    stderr: /^hako: set memory policy MPOL_BIND for nodes 63: .*\(EINVAL\), .*\/linux\/memoryPolicy\n$/,
    status: 1,
  },

  "maskedPaths: files, directories, links and what is missing": {
    image: (rootfs) => {
      Deno.writeTextFileSync(`${rootfs}/etc/secret`, "secret");
      Deno.symlinkSync("/etc/secret", `${rootfs}/link`);
      Deno.mkdirSync(`${rootfs}/directory`);
      Deno.writeTextFileSync(`${rootfs}/directory/secret`, "secret");
      Deno.mkdirSync(`${rootfs}/parent/child`, { recursive: true });
    },
    config: {
      linux: {
        maskedPaths: [
          "/proc/keys",
          "/link",
          "/directory",
          "/nothing",
          "/nothing/more",
          "/parent/child",
          "/parent",
        ],
      },
    },
    script:
      `stat -c %t:%T /proc/keys /etc/secret; cat /etc/secret; echo x > /etc/secret; ls -A /directory /parent
      touch /directory/x; ls /nothing 2> /dev/null; awk '$5 ~ "^/(dir|par)" { print $5, $6 }' /proc/self/mountinfo`,
    stdout: "1:3\n1:3\n/directory:\n\n/parent:\n/directory ro,nosuid,nodev,noexec,relatime\n" +
      "/parent/child ro,nosuid,nodev,noexec,relatime\n/parent ro,nosuid,nodev,noexec,relatime",
    stderr: "touch: /directory/x: Read-only file system",
  },
  "maskedPaths: the host's /dev/null, which covers files, cannot be changed": {
    config: { process: { capabilities: capabilities("CAP_CHOWN", "CAP_FOWNER") } },
    script: "chmod 600 /proc/keys; chown 5 /proc/keys; echo x > /proc/keys && echo written",
    stdout: "written",
    stderr: "chmod: /proc/keys: Read-only file system\nchown: /proc/keys: Read-only file system",
  },
  "maskedPaths: without any": {
    config: { linux: { maskedPaths: null } },
    script: "test $(cat /proc/keys | wc -c) -gt 0 && echo readable",
    stdout: "readable",
  },
  "readonlyPaths: files, directories with their mounts, links and what is missing": {
    image: (rootfs) => {
      Deno.mkdirSync(`${rootfs}/a/sub`, { recursive: true });
      Deno.symlinkSync("/a", `${rootfs}/link`);
    },
    mounts: [{ destination: "/a/sub", type: "tmpfs", options: ["nosuid", "noexec"] }],
    config: { linux: { readonlyPaths: ["/link", "/etc/passwd", "/nothing", "/proc/sys"] } },
    script:
      `touch /a/x; echo >> /etc/passwd; echo 1 > /proc/sys/kernel/msgmax; touch /etc/x /a/sub/x && echo writable
      awk '$5 == "/a" || $5 == "/a/sub" { print $5, $6 }' /proc/self/mountinfo`,
    // Only the mount itself, as in runc: what is mounted below keeps its flags.
    stdout: "writable\n/a/sub rw,nosuid,noexec,relatime\n/a ro,relatime\n/a/sub rw,nosuid,noexec,relatime",
    stderr: `touch: /a/x: Read-only file system
/bin/sh: can't create /etc/passwd: Read-only file system
/bin/sh: can't create /proc/sys/kernel/msgmax: Read-only file system`,
  },
});

/** The description of the session keyring, as the container sees it. */
const KEYRINGS = { linux: { maskedPaths: [] } };

containerTest("keyring: a session keyring of its own, named for the container", async (box) => {
  const { stdout } = await box.run({ config: KEYRINGS, script: "cat /proc/keys" });
  const [line] = stdout.split("\n").filter((line) => line.includes(`_ses.${box.id}`));
  // Possessor: all. User: view, read, search, link.
  assert(line?.includes(" 3f1b0000 "), stdout);
});

containerTest("keyring: --no-new-keyring leaves the caller's", async (box) => {
  const { stdout } = await box.run({
    config: KEYRINGS,
    script: "cat /proc/keys",
    options: ["--no-new-keyring"],
  });
  assertEquals(stdout.includes(`_ses.${box.id}`), false, stdout);
});
