import { assertEquals, assertThrows } from "@std/assert";
import { findHierarchies } from "../../cgroups/hierarchies.ts";
import { cgroupPath, locateCgroup } from "../../cgroups/locate.ts";

/** Lines of mountinfo: `mountPoint root type options`. */
function mountinfo(...mounts: string[]): string {
  return mounts.map((mount, index) => {
    const [mountPoint, root, type, options] = mount.split(" ");
    return `${index} 1 0:${index} ${root} ${mountPoint} rw,relatime shared:1 - ${type} ${type} rw,${options}\n`;
  }).join("");
}

function found(mounts: string, own: string): string[] {
  return findHierarchies(mounts, own).map(({ controllers, mountPoint, cgroup }) =>
    `${controllers || "unified"} ${mountPoint} ${cgroup}`
  );
}

const V1 = mountinfo(
  "/sys/fs/cgroup / tmpfs mode=755",
  "/sys/fs/cgroup/cpu,cpuacct / cgroup cpu,cpuacct",
  "/sys/fs/cgroup/systemd / cgroup xattr,name=systemd",
  "/sys/fs/cgroup/memory / cgroup memory",
);
const OWN = "3:memory:/user\n2:name=systemd:/\n1:cpu,cpuacct:/\n0::/user/a:b\n";
const FOUND_V1 = [
  "cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct /",
  "name=systemd /sys/fs/cgroup/systemd /",
  "memory /sys/fs/cgroup/memory /user",
];

Deno.test("v1 has controllers, several of them at one place", () => {
  assertEquals(found(V1, OWN), FOUND_V1);
});

Deno.test("hybrid has the unified hierarchy beside them", () => {
  const hybrid = V1 + mountinfo("/sys/fs/cgroup/unified / cgroup2 nsdelegate");
  assertEquals(found(hybrid, OWN), [...FOUND_V1, "unified /sys/fs/cgroup/unified /user/a:b"]);
});

Deno.test("v2 is alone, even if v1 lies below it, hidden, or has lines in /proc/self/cgroup", () => {
  const v2 = "/sys/fs/cgroup / cgroup2 nsdelegate";
  assertEquals(found(mountinfo(v2), OWN), ["unified /sys/fs/cgroup /user/a:b"]);
  assertEquals(found(V1 + mountinfo(v2), OWN), ["unified /sys/fs/cgroup /user/a:b"]);
  assertEquals(found(mountinfo(v2, "/sys/fs/cgroup/net_cls / cgroup net_cls"), `1:net_cls:/\n${OWN}`), [
    "unified /sys/fs/cgroup /user/a:b",
  ]);
  assertEquals(found(mountinfo("/cgroup2 / cgroup2 x"), OWN), ["unified /cgroup2 /user/a:b"]);
});

Deno.test("of two mounts of one hierarchy the standard one counts", () => {
  const bound = mountinfo("/engine/memory /user cgroup memory", "/sys/fs/cgroup/memory / cgroup memory");
  assertEquals(found(bound, OWN), ["memory /sys/fs/cgroup/memory /user"]);
});

Deno.test("our own cgroup is named below the mount's root, and is the mount point where that lies outside", () => {
  const below = (root: string, own: string) =>
    findHierarchies(mountinfo(`/sys/fs/cgroup/memory ${root} cgroup memory`), `3:memory:${own}\n`)[0]?.cgroup;
  assertEquals(below("/", "/a/b"), "/a/b");
  assertEquals(below("/a", "/a/b"), "/b");
  assertEquals(below("/a", "/a"), "/");
  assertEquals(below("/a", "/ab"), "/");
  // A cgroup namespace with mounts that are older than it: unshare --cgroup.
  assertEquals(below("/../..", "/"), "/");
  assertEquals(below("/../..", "/a"), "/");
  assertEquals(below("/", "/../other"), "/");
});

Deno.test("a path is absolute, or relative to our own, or the id", () => {
  const path = (cgroupsPath: string | undefined, controllers: string, cgroup: string) =>
    cgroupPath({ id: "web", cgroupsPath }, { controllers, mountPoint: "/x", cgroup });
  assertEquals(path("/a/b", "memory", "/user"), "/a/b");
  assertEquals(path("a/b", "memory", "/user"), "/user/a/b");
  assertEquals(path(undefined, "memory", "/user"), "/user/web");
  assertEquals(path("", "memory", "/"), "/web");
  // With v2 it is beside us.
  assertEquals(path("/a", "", "/user/shell"), "/a");
  assertEquals(path("a", "", "/user/shell"), "/user/a");
  assertEquals(path(undefined, "", "/shell"), "/web");
  assertEquals(path(undefined, "", "/"), "/web");
});

Deno.test("no path leads above where it begins", () => {
  const path = (cgroupsPath: string) =>
    cgroupPath({ id: "web", cgroupsPath }, { controllers: "memory", mountPoint: "/x", cgroup: "/user" });
  assertEquals(path("/../../etc"), "/etc");
  assertEquals(path("../../etc"), "/user/etc");
  assertEquals(path("a/../../../b/./c//"), "/user/b/c");
  for (const root of ["/", "/a/..", "."]) {
    assertThrows(() => path(root), Error, "must name a cgroup below the root");
  }
});

Deno.test("paths are kept by controller", () => {
  const hierarchies = findHierarchies(V1, OWN);
  assertEquals(locateCgroup({ id: "web", hierarchies }).paths, {
    cpu: "/sys/fs/cgroup/cpu,cpuacct/web",
    cpuacct: "/sys/fs/cgroup/cpu,cpuacct/web",
    "name=systemd": "/sys/fs/cgroup/systemd/web",
    memory: "/sys/fs/cgroup/memory/user/web",
  });
});
