/** Mounts by type, and the places where they are made. */

import { capabilities } from "../support/bundle.ts";
import { afterMounting, type Box, type Case, containerCases } from "../support/fixture.ts";

/** Prints `options` and `superOptions` of the last mount on a path. */
const MOUNT =
  'mnt() { awk -v p=$1 \'$5 == p { m = $4 " " $6; sub(/.* - /, ""); m = m " " $1 " " $2 " " $3 } END { print m }\' /proc/self/mountinfo; }\n';

const bind = (source: string, destination: string, ...options: string[]) => ({
  destination,
  source,
  type: "bind",
  options: options.length === 0 ? ["bind"] : options,
});
const tmpfs = (destination: string, ...options: string[]) => ({
  destination,
  type: "tmpfs",
  source: "tmpfs",
  options,
});

/** Files of the host's: a directory with a file, a link to each, and a socket-like special file. */
function source(box: Box): string {
  const path = `${box.directory}/source`;
  Deno.mkdirSync(`${path}/directory`, { recursive: true });
  Deno.writeTextFileSync(`${path}/directory/inside`, "inside\n");
  Deno.writeTextFileSync(`${path}/file`, "file\n");
  Deno.symlinkSync("file", `${path}/link`);
  Deno.symlinkSync("directory", `${path}/directory-link`);
  return path;
}

containerCases({
  "bind: a directory and a file, where nothing was": (box) => ({
    mounts: [bind(`${source(box)}/directory`, "/new/a/b"), bind(`${box.directory}/source/file`, "/new/c/d")],
    script: "cat /new/a/b/inside /new/c/d; stat -c '%F %a' /new /new/c",
    stdout: "inside\nfile\ndirectory 755\ndirectory 755",
  }),
  "bind: on what is there, without changing it": (box) => ({
    mounts: [bind(`${source(box)}/directory`, "/root"), bind(`${box.directory}/source/file`, "/etc/passwd")],
    script: "cat /root/inside /etc/passwd; umount /etc/passwd; wc -l < /etc/passwd",
    config: { process: { capabilities: capabilities("CAP_SYS_ADMIN") } },
    stdout: "inside\nfile\n2",
  }),
  "bind: a link is followed at the source": (box) => ({
    mounts: [bind(`${source(box)}/directory-link`, "/a"), bind(`${box.directory}/source/link`, "/b")],
    script: "cat /a/inside /b",
    stdout: "inside\nfile",
  }),
  "bind: a relative source begins at the bundle": {
    mounts: [bind("rootfs/etc", "/a")],
    script: "ls /a",
    stdout: "group\npasswd",
  },
  "bind: by type or by options": (box) => ({
    mounts: [
      { destination: "/a", source: `${source(box)}/file`, options: ["bind"] },
      { destination: "/b", source: `${box.directory}/source/file`, type: "none", options: ["rbind"] },
      { destination: "/c", source: `${box.directory}/source/file`, type: "bind" },
    ],
    script: "cat /a /b /c",
    stdout: "file\nfile\nfile",
  }),
  "bind: a device, a FIFO and a socket": (box) => ({
    mounts: [
      bind("/dev/zero", "/z"),
      bind(`${box.directory}/fifo`, "/f"),
      bind(`${box.directory}/socket`, "/s"),
    ],
    under: ["sh", "-ec", `mkfifo ${box.directory}/fifo; mknod ${box.directory}/socket p; exec "$@"`, "sh"],
    script: "stat -c %F /z /f /s; head -c 3 /z | wc -c",
    stdout: "character special file\nfifo\nfifo\n3",
  }),
  "bind: ro is of the container's mount alone": (box) => ({
    mounts: [bind(`${source(box)}/directory`, "/a", "bind", "ro")],
    script: "echo x > /a/new",
    under: ["sh", "-ec", `"$@"; echo written > ${box.directory}/source/directory/new`, "sh"],
    stderr: "/bin/sh: can't create /a/new: Read-only file system",
    status: 1,
  }),
  "bind: rbind takes what is mounted below, bind does not": (box) => ({
    under: afterMounting(`
      mkdir -p ${box.directory}/tree
      mount -t tmpfs tmpfs ${box.directory}/tree; mkdir ${box.directory}/tree/sub
      mount -t tmpfs tmpfs ${box.directory}/tree/sub; touch ${box.directory}/tree/sub/file`),
    mounts: [bind(`${box.directory}/tree`, "/a", "rbind"), bind(`${box.directory}/tree`, "/b", "bind")],
    script: "ls /a/sub; ls /b/sub | wc -l",
    stdout: "file\n0",
  }),
  "bind: a file below another bind mount": (box) => ({
    mounts: [bind(`${source(box)}/directory`, "/a"), bind(`${box.directory}/source/file`, "/a/inside")],
    script: "cat /a/inside",
    stdout: "file",
  }),
  "bind: the container's own /etc on /etc again": {
    mounts: [bind("rootfs/etc", "/etc")],
    script: "ls /etc",
    stdout: "group\npasswd",
  },
  "bind: a source that is missing is an error": {
    mounts: [bind("/nonexistent/source", "/a")],
    stderr:
      /^hako: bind \/nonexistent\/source on \/a: open_tree\(.*\): no such file or directory \(ENOENT\), .*\/mounts\/7\n$/,
    status: 1,
  },
  "bind: a file on a directory is an error": {
    mounts: [bind("/etc/hostname", "/etc")],
    stderr: /\/mounts\/7.*not a directory\n$/,
    status: 1,
  },
  "bind: a directory on a file is an error": {
    mounts: [bind("/usr", "/etc/passwd")],
    stderr: /\/mounts\/7.*not a directory\n$/,
    status: 1,
  },

  "target: a dangling link, as systemd's /etc/resolv.conf": {
    image: (rootfs) =>
      Deno.symlinkSync("../run/systemd/resolve/stub-resolv.conf", `${rootfs}/etc/resolv.conf`),
    mounts: [bind("/etc/hostname", "/etc/resolv.conf")],
    script: "cmp /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf && readlink /etc/resolv.conf",
    stdout: "../run/systemd/resolve/stub-resolv.conf",
  },
  "target: a link whose end is on a mount of the container": {
    image: (rootfs) => Deno.symlinkSync("/run/resolv.conf", `${rootfs}/etc/resolv.conf`),
    mounts: [tmpfs("/run"), bind("/etc/hostname", "/etc/resolv.conf")],
    script: "cmp /etc/resolv.conf /run/resolv.conf && grep -c ' /run/resolv.conf ' /proc/self/mountinfo",
    stdout: "1",
  },
  "target: a linked directory of the image": {
    image: (rootfs) => {
      Deno.mkdirSync(`${rootfs}/real`);
      Deno.symlinkSync("/real", `${rootfs}/link`);
    },
    mounts: [tmpfs("/link/below", "size=64k"), tmpfs("/link", "size=32k")],
    script: MOUNT + "mnt /real; mnt /real/below; mnt /link",
    stdout: "/ rw,relatime tmpfs tmpfs rw,size=32k,mode=755\n/ rw,relatime tmpfs tmpfs rw,size=64k",
  },
  "target: .. and // and a relative path": {
    mounts: [tmpfs("/tmp//../a/./b/"), tmpfs("c/d")],
    script: "awk '$5 ~ /^.[ac]/ { print $5 }' /proc/self/mountinfo",
    stdout: "/a/b\n/c/d",
  },
  "target: white space and bytes beyond ASCII": {
    mounts: [tmpfs("/a b\tü\\")],
    script: "echo /a*; tail -n 1 /proc/self/mountinfo | cut -d ' ' -f 5",
    config: { linux: { maskedPaths: [], readonlyPaths: [] } },
    stdout: "/a b\tü\\\n/a\\040b\\011ü\\134",
  },

  "tmpfs: has the mode of the directory that it covers, or its own": {
    mounts: [tmpfs("/tmp"), tmpfs("/root", "mode=711")],
    image: (rootfs) => Deno.chmodSync(`${rootfs}/root`, 0o700),
    script: "stat -c %a /tmp /root",
    stdout: "1777\n711",
  },
  "tmpfs: read-only, with a mount and a device made in it before": {
    mounts: [tmpfs("/a", "ro"), bind("/etc/hostname", "/a/b/file"), tmpfs("/a/c", "size=4k")],
    config: { linux: { devices: [{ path: "/a/zero", type: "c", major: 1, minor: 5 }] } },
    script: "ls /a /a/b; touch /a/x; touch /a/c/x && echo ok",
    stdout: "/a:\nb\nc\nzero\n\n/a/b:\nfile\nok",
    stderr: "touch: /a/x: Read-only file system",
  },
  "tmpfs: a read-only /dev has its nodes, and what is mounted in it stays writable": {
    config: {
      mounts: [
        { destination: "/proc", type: "proc" },
        tmpfs("/dev", "ro", "mode=755"),
        { destination: "/dev/pts", type: "devpts", options: ["newinstance", "ptmxmode=0666"] },
        tmpfs("/dev/shm", "mode=1777"),
      ],
    },
    script: "ls /dev; touch /dev/x; touch /dev/shm/x && echo > /dev/null && echo ok",
    stdout: "core\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\nok",
    stderr: "touch: /dev/x: Read-only file system",
  },
  "tmpfs: tmpcopyup fills it with what it covers": {
    image: (rootfs) => {
      Deno.mkdirSync(`${rootfs}/data/deep/er`, { recursive: true });
      Deno.chmodSync(`${rootfs}/data`, 0o1711);
      Deno.writeTextFileSync(`${rootfs}/data/deep/file`, "text\n", { mode: 0o644 });
      Deno.chownSync(`${rootfs}/data/deep/file`, 1000, 1001);
      Deno.writeTextFileSync(`${rootfs}/data/su`, "x");
      Deno.chmodSync(`${rootfs}/data/su`, 0o4755);
      Deno.writeFileSync(`${rootfs}/data/big`, new Uint8Array(300_000));
      Deno.symlinkSync("/nowhere", `${rootfs}/data/link`);
    },
    mounts: [tmpfs("/data", "tmpcopyup"), bind("/etc/hostname", "/data/deep/hostname")],
    script:
      `cd /data; stat -c '%a %u:%g %s %F %n' . deep/file su big link | sed 's/[0-9]* directory/directory/'
      cat deep/file; ls deep; touch new; umount deep/hostname; umount -l /data; ls /data`,
    config: { process: { capabilities: capabilities("CAP_SYS_ADMIN") } },
    stdout: "1711 0:0 directory .\n644 1000:1001 5 regular file deep/file\n4755 0:0 1 regular file su\n" +
      "644 0:0 300000 regular file big\n777 0:0 8 symbolic link link\ntext\ner\nfile\nhostname\nbig\ndeep\nlink\nsu",
  },
  "tmpfs: tmpcopyup and ro": {
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/root/file`, "text\n"),
    mounts: [tmpfs("/root", "tmpcopyup", "ro")],
    script: "cat /root/file; touch /root/x",
    stdout: "text",
    stderr: "touch: /root/x: Read-only file system",
    status: 1,
  },

  "remount: of a tmpfs and of a bind mount": (box) => ({
    mounts: [
      tmpfs("/a", "size=4k"),
      tmpfs("/a", "remount", "nosuid", "size=64k"),
      bind(`${source(box)}/directory`, "/b"),
      bind("", "/b", "remount", "bind", "ro", "noexec"),
    ].map((mount) => ({ ...mount, source: mount.source || "none" })),
    script: MOUNT + "mnt /a; mnt /b | cut -d ' ' -f 2",
    stdout: "/ rw,nosuid,relatime tmpfs tmpfs rw,size=64k\nro,noexec,relatime",
  }),

  "proc: with hidepid and subset": {
    config: {
      mounts: [{ destination: "/proc", type: "proc", options: ["nosuid", "hidepid=2", "subset=pid"] }],
    },
    script: MOUNT + "mnt /proc; ls /proc | grep -c cpuinfo",
    stdout: "/ rw,nosuid,relatime proc proc rw,hidepid=invisible,subset=pid\n0",
    status: 1,
  },
  "proc: only on a directory of its own, not through a link": {
    image: (rootfs) => {
      Deno.removeSync(`${rootfs}/proc`);
      Deno.symlinkSync("tmp", `${rootfs}/proc`);
    },
    stderr: /\/mounts\/0\n$/,
    status: 1,
  },
  "mqueue: of the container's IPC namespace": {
    // A queue would outlive its mount: the namespace is the test's own.
    under: [
      "unshare",
      "--ipc",
      ...afterMounting(
        "mkdir -p /dev/mqueue; mount -t mqueue mqueue /dev/mqueue; touch /dev/mqueue/hako-test",
      ),
    ],
    script: "ls -A /dev/mqueue; touch /dev/mqueue/own; ls /dev/mqueue",
    stdout: "own",
  },
  "sysfs: of the container's network namespace": {
    script: "ls /sys/class/net; touch /sys/x",
    stdout: "lo",
    stderr: "touch: /sys/x: Read-only file system",
    status: 1,
  },
  "sysfs: without a network namespace it is the host's": {
    config: { linux: { namespaces: [{ type: "mount" }, { type: "pid" }] }, hostname: null },
    script: MOUNT + "mnt /sys; cmp /sys/kernel/notes /sys/kernel/notes && ls /sys/class/net | wc -l",
    stdout: /^\/ ro,nosuid,nodev,noexec,relatime sysfs sysfs rw\n[1-9]\d*\n$/,
  },
  "devpts: new, and of its own": {
    script: MOUNT + "mnt /dev/pts; ls /dev/pts; readlink /dev/ptmx",
    stdout: "/ rw,nosuid,noexec,relatime devpts devpts rw,gid=5,mode=620,ptmxmode=666\nptmx\npts/ptmx",
  },
  "overlay: several layers, options with more than 255 bytes": overlay(),
  "overlay: few layers": overlay(["a", "b"]),

  "an unknown filesystem is an error": {
    mounts: [{ destination: "/a", type: "nofs", source: "x" }],
    stderr: /^hako: mount nofs on \/a: fsopen\(.*\): no such device \(ENODEV\), .*\/mounts\/7\n$/,
    status: 1,
  },
  "an option that the filesystem does not know is named": {
    mounts: [tmpfs("/a", "nosuid", "size=zzz")],
    stderr:
      /^hako: mount tmpfs on \/a: size=zzz: .*invalid argument \(EINVAL\), .*\/mounts\/7\/options\/1\n$/,
    status: 1,
  },
  "a data option on a bind mount does nothing, and is named": {
    mounts: [bind("/etc", "/a", "bind", "ro", "size=4k")],
    stderr: /\/mounts\/7\/options\/2 is ignored: a bind mount has no filesystem to tell "size=4k"/,
  },
  "the root itself, and files of /proc, are refused as targets": {
    mounts: [tmpfs("/x/..")],
    stderr: /\/mounts\/7\/destination: must not be the root itself\n$/,
    status: 1,
  },
  "files of /proc that are the kernel's own are refused as targets": {
    mounts: [bind("/etc/hostname", "/proc/self/attr/exec")],
    stderr:
      /\/mounts\/7\/destination: "\/proc\/self\/attr\/exec" cannot be mounted because it is inside \/proc/,
    status: 1,
  },
  "files of /proc that LXCFS replaces may be targets": {
    mounts: [bind("/etc/hostname", "/proc/uptime")],
    script: "grep -c ' /proc/uptime ' /proc/self/mountinfo",
    stdout: "1",
  },
});

/** Layers with a file each, the upper one writable. */
function overlay(names = Array.from({ length: 40 }, (_, index) => `a-layer-with-a-long-name-${index}`)) {
  return (box: Box): Case => {
    const path = (name: string) => `${box.directory}/${name}`;
    for (const name of [...names, "upper", "work"]) Deno.mkdirSync(path(name));
    for (const name of names) Deno.writeTextFileSync(`${path(name)}/${name}`, name);
    return {
      mounts: [{
        destination: "/o",
        type: "overlay",
        source: "overlay",
        options: [
          `lowerdir=${names.map(path).join(":")}`,
          `upperdir=${path("upper")}`,
          `workdir=${path("work")}`,
          "nodev",
        ],
      }],
      script: "ls /o | wc -l; touch /o/new; awk '$5 == \"/o\" { print $6 }' /proc/self/mountinfo",
      stdout: `${names.length}\nrw,nodev,relatime`,
    };
  };
}
