/** Device nodes and the links of /dev. */

import type { Config } from "../../runtime/spec/config.ts";
import { defaultConfig } from "../../runtime/spec/default.ts";
import { capabilities } from "../support/bundle.ts";
import { type Case, containerCases } from "../support/fixture.ts";

type Device = NonNullable<NonNullable<Config["linux"]>["devices"]>[number];

/** Type, permissions, owner and number of some files, a line each. */
const STAT = "stat -c '%F %a %u:%g %t:%T %n'";

/** A container with these devices, and what {@linkcode STAT} says of some paths. */
function devices(devices: readonly Device[], paths: string, stdout: string, rest: Case = {}): Case {
  return { ...rest, config: { ...rest.config, linux: { devices } }, script: `${STAT} ${paths}`, stdout };
}

const NO_DEV = {
  mounts: [{ destination: "/proc", type: "proc" }],
  linux: { maskedPaths: [], readonlyPaths: [] },
};

/** For an image that has a node already. */
function node(path: string, ...words: string[]) {
  return (rootfs: string) => {
    const { success } = new Deno.Command("mknod", { args: [`${rootfs}${path}`, ...words] }).outputSync();
    if (!success) throw new Error(`cannot make ${path}`);
  };
}

containerCases({
  "the default devices and links": {
    script: `${STAT} /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
      for link in fd stdin stdout stderr core ptmx; do echo $link $(readlink /dev/$link); done
      ls /dev; echo lost > /dev/null; head -c 5 /dev/zero | wc -c`,
    stdout: `character special file 666 0:0 1:3 /dev/null
character special file 666 0:0 1:5 /dev/zero
character special file 666 0:0 1:7 /dev/full
character special file 666 0:0 1:8 /dev/random
character special file 666 0:0 1:9 /dev/urandom
character special file 666 0:0 5:0 /dev/tty
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
core /proc/kcore
ptmx pts/ptmx
core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n5`,
  },
  "types, modes, owners, numbers and directories": devices(
    [
      { path: "/dev/b", type: "b", major: 7, minor: 300, fileMode: 0o640, uid: 5, gid: 6 },
      { path: "/dev/sub/dir/c", type: "c", major: 10, minor: 229 },
      { path: "/dev/u", type: "u", major: 4095, minor: 1048575, fileMode: 0o4777 },
      { path: "/dev/p", type: "p", fileMode: 0o600, uid: 1000 },
      { path: "/elsewhere/c", type: "c", major: 1, minor: 3, fileMode: 0o20666 },
      { path: "/top", type: "c", major: 1, minor: 5, fileMode: 0 },
    ],
    "/dev/b /dev/sub/dir /dev/sub/dir/c /dev/u /dev/p /elsewhere/c /top",
    `block special file 640 5:6 7:12c /dev/b
directory 755 0:0 0:0 /dev/sub/dir
character special file 666 0:0 a:e5 /dev/sub/dir/c
character special file 4777 0:0 fff:fffff /dev/u
fifo 600 1000:0 0:0 /dev/p
character special file 666 0:0 1:3 /elsewhere/c
character special file 0 0:0 1:5 /top`,
  ),
  "an entry takes the place of a default one; of two the last; /dev/ptmx stays a link": devices(
    [
      { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o600 },
      { path: "/dev/twice", type: "c", major: 1, minor: 5, fileMode: 0o600 },
      { path: "/dev/twice", type: "c", major: 1, minor: 5, fileMode: 0o644 },
      { path: "/dev/ptmx", type: "c", major: 5, minor: 2 },
    ],
    "/dev/null /dev/twice /dev/ptmx",
    `character special file 600 0:0 1:3 /dev/null
character special file 644 0:0 1:5 /dev/twice
symbolic link 777 0:0 0:0 /dev/ptmx`,
  ),
  "/dev of the image: nodes that are missing are made": {
    config: NO_DEV,
    script: `${STAT} /dev/null; readlink /dev/fd; readlink /dev/ptmx`,
    stdout: "character special file 666 0:0 1:3 /dev/null\n/proc/self/fd\npts/ptmx",
  },
  "/dev of the image: a node that matches stays as it is": {
    config: NO_DEV,
    image: node("/dev/null", "-m", "600", "c", "1", "3"),
    script: `${STAT} /dev/null`,
    stdout: "character special file 600 0:0 1:3 /dev/null",
  },
  "/dev of the image: another file is an error": {
    config: NO_DEV,
    image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/dev/null`, ""),
    stderr: /^hako: .*"\/dev\/null"/,
    status: 1,
  },
  "/dev of the image: another device is an error": {
    config: {
      ...NO_DEV,
      linux: { ...NO_DEV.linux, devices: [{ path: "/x", type: "c", major: 1, minor: 5 }] },
    },
    image: node("/x", "c", "1", "3"),
    stderr: /^hako: .*\/linux\/devices\/0.*"\/x"/,
    status: 1,
  },
  "/dev of the image: a link in the place of a node is an error, and its end stays as it was": {
    config: {
      ...NO_DEV,
      linux: { ...NO_DEV.linux, devices: [{ path: "/x", type: "c", major: 1, minor: 5 }] },
    },
    image: (rootfs) => Deno.symlinkSync("/etc/passwd", `${rootfs}/x`),
    stderr: /^hako: .*\/linux\/devices\/0.*"\/x"/,
    status: 1,
  },
  "/dev of the image: its ptmx gives way to a link": {
    config: NO_DEV,
    image: node("/dev/ptmx", "c", "5", "2"),
    script: "readlink /dev/ptmx",
    stdout: "pts/ptmx",
  },
  "/dev that is bound from elsewhere is taken as it is": (box) => {
    Deno.mkdirSync(`${box.directory}/dev`);
    return {
      config: NO_DEV,
      mounts: [{ destination: "/dev", type: "bind", source: `${box.directory}/dev`, options: ["rbind"] }],
      script: "ls -A /dev",
    };
  },
  "a file of a volume in the place of a node is an error": (box) => {
    Deno.mkdirSync(`${box.directory}/volume`);
    Deno.writeTextFileSync(`${box.directory}/volume/x`, "");
    return {
      mounts: [{
        destination: "/volume",
        type: "bind",
        source: `${box.directory}/volume`,
        options: ["bind"],
      }],
      config: { linux: { devices: [{ path: "/volume/x", type: "c", major: 1, minor: 5 }] } },
      stderr: /^hako: .*\/linux\/devices\/0.*"\/volume\/x"/,
      status: 1,
    };
  },
  "in a user namespace a node of the host that is another device is an error": {
    config: {
      linux: {
        namespaces: [...defaultConfig().linux!.namespaces!, { type: "user" }],
        uidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
        gidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
        devices: [{ path: "/dev/full", type: "c", major: 1, minor: 5 }],
      },
    },
    stderr: /^hako: .*\/linux\/devices\/0.*"\/dev\/full"/,
    status: 1,
  },
  "a device in a directory that is a link": {
    image: (rootfs) => Deno.symlinkSync("/tmp", `${rootfs}/link`),
    ...devices(
      [{ path: "/link/c", type: "c", major: 1, minor: 5 }],
      "/tmp/c",
      "character special file 666 0:0 1:5 /tmp/c",
    ),
  },
  "a node that may not be made is bound from the host": {
    under: ["setpriv", "--bounding-set", "-mknod", "--inh-caps", "-mknod"],
    config: {
      linux: { devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }] },
      process: { capabilities: capabilities("CAP_CHOWN", "CAP_FOWNER") },
    },
    script: `${STAT} /dev/null /dev/fuse; chmod 600 /dev/null; echo x > /dev/null && echo written`,
    stdout:
      "character special file 666 0:0 1:3 /dev/null\ncharacter special file 600 0:0 a:e5 /dev/fuse\nwritten",
    stderr: "chmod: /dev/null: Read-only file system",
  },
});
