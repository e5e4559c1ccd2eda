import { assertEquals } from "@std/assert";
import {
  restoredMounts,
  savedMounts,
  sharedNamespaces,
} from "../../../../runtime/container/criu/external.ts";
import { parseMountinfo } from "../../../../runtime/host/mountinfo.ts";
import type { Config } from "../../../../runtime/spec/config.ts";
import { testConfig, testHost } from "../../plan/fixture.ts";

const same = (path: string) => path;

const MOUNTINFO = `1 0 254:0 /rootfs / rw - ext4 /dev/vda rw
2 1 0:2 / /proc rw - proc proc rw
3 1 0:3 / /dev rw - tmpfs tmpfs rw
4 1 254:0 /data /data ro - ext4 /dev/vda rw
5 4 0:5 / /data/deeper rw - tmpfs tmpfs rw
6 4 0:6 / /data/own rw - tmpfs tmpfs rw
7 1 0:7 / /sys/fs/cgroup ro - tmpfs tmpfs rw
8 7 0:8 /c /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
9 2 0:9 /null /proc/keys ro - devtmpfs devtmpfs rw
10 2 0:10 / /proc/scsi ro - tmpfs tmpfs ro
11 2 0:2 /sys /proc/sys ro - proc proc rw
12 3 0:9 /null /dev/null rw - devtmpfs devtmpfs rw
13 1 254:0 /file /run/file rw - ext4 /dev/vda rw
`;

const CONFIG: Config = {
  ...testConfig({
    maskedPaths: ["/proc/keys", "/proc/scsi"],
    namespaces: [{ type: "mount" }],
  }),
  mounts: [
    { destination: "/proc", type: "proc" },
    { destination: "/dev", type: "tmpfs" },
    { destination: "/data", type: "bind", source: "/host/data", options: ["rbind", "ro"] },
    { destination: "/data/own", type: "tmpfs" },
    { destination: "/sys/fs/cgroup", type: "cgroup" },
    { destination: "/var/run/file", type: "bind", source: "file", options: ["bind"] },
  ],
};

Deno.test("what is mounted from the host is not saved, with what is mounted in it", () => {
  const saved = savedMounts(
    CONFIG,
    parseMountinfo(MOUNTINFO),
    (path) => path.replace(/^\/var\/run\//, "/run/"),
  );
  const names = ["/data", "/data/deeper", "/sys/fs/cgroup/pids", "/proc/keys", "/dev/null", "/run/file"];
  assertEquals(saved, names.map((name) => ({ key: name, val: name })));
});

Deno.test("cgroups that the container has mounted itself are saved", () => {
  const own = { ...CONFIG, linux: { ...CONFIG.linux, namespaces: [{ type: "cgroup" as const }] } };
  const names = savedMounts(own, parseMountinfo(MOUNTINFO), same).map(({ key }) => key);
  assertEquals(names.includes("/sys/fs/cgroup/pids"), false);
});

Deno.test("what is restored in its place is the prepared mount, and what of the host is mounted in it", () => {
  const mounts = parseMountinfo(
    "1 0 0:1 / /host/data/deeper rw - tmpfs t rw\n2 0 0:1 / /host/database rw - tmpfs t rw\n",
  );
  const hierarchies = [
    { controllers: "pids", mountPoint: "/sys/fs/cgroup/pids", cgroup: "/c" },
    { controllers: "", mountPoint: "/sys/fs/cgroup/unified", cgroup: "/" },
  ];
  const restored = restoredMounts(CONFIG, testHost({ hierarchies }), {
    sources: "/s",
    mounts,
    resolve: same,
  });
  const wanted = {
    "/data": "/s/2",
    "/data/deeper": "/s/2/deeper",
    "/var/run/file": "/s/5",
    "/sys/fs/cgroup/pids": "/sys/fs/cgroup/pids/c",
    "/sys/fs/cgroup/unified": "/sys/fs/cgroup/unified",
    "/dev/null": "/dev/null",
    "/proc/keys": "/s/null",
    "/proc/scsi": "/s/null",
    "/dev/zero": "/dev/zero",
  };
  const found = Object.fromEntries(restored.map(({ key, val }) => [key, val]));
  assertEquals({ ...found, ...wanted }, found);
  assertEquals(restored.some(({ val }) => val!.includes("database")), false);
});

Deno.test("namespaces given by path are left to who gives them", () => {
  const shared = testConfig({
    namespaces: [
      { type: "network", path: "/n" },
      { type: "pid", path: "/p" },
      { type: "ipc", path: "/i" },
      { type: "uts" },
    ],
  });
  assertEquals(sharedNamespaces(shared), {
    external: [{ type: "net", key: "extRootNetNS", path: "/n" }, {
      type: "pid",
      key: "extRootPidNS",
      path: "/p",
    }],
    joined: [{ ns: "ipc", ns_file: "/i" }],
  });
});
