/** `hako mounts`: adding mounts to a running container and removing them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Mount } from "../../runtime/spec/config.ts";
import { fails, type Hako, hakoOf, ok } from "../support/commands.ts";
import { type Box, containerTest, type RunOptions } from "../support/fixture.ts";

const IDS = [{ containerID: 0, hostID: 100000, size: 65536 }];
const USERNS: RunOptions["config"] = {
  linux: {
    namespaces: ["mount", "pid", "network", "ipc", "uts", "user"].map((type) => ({ type })) as never,
    uidMappings: IDS,
    gidMappings: IDS,
  },
};

interface Subject {
  readonly hako: Hako;
  readonly id: string;
  readonly rootfs: string;
  /** `hako mounts VERB` with these. */
  mounts(verb: string, ...list: Mount[]): ReturnType<Hako>;
  /** What a script in the container prints. */
  sh(script: string): Promise<string>;
}

async function start(box: Box, options: RunOptions = {}): Promise<Subject> {
  const hako = hakoOf(box);
  const id = `${box.id}-mounts`;
  const { path, rootfs } = box.bundle({ args: ["sleep", "1000"], ...options });
  await ok(hako("run", "--detach", "--bundle", path, id));
  const file = `${box.directory}/mounts.json`;
  return {
    hako,
    id,
    rootfs,
    mounts(verb, ...list) {
      Deno.writeTextFileSync(file, JSON.stringify(list));
      return hako("mounts", verb, id, file);
    },
    sh: async (script) => (await ok(hako("exec", id, "sh", "-c", script))).trim(),
  };
}

const tmpfs = (destination: string, ...options: string[]): Mount => ({ destination, type: "tmpfs", options });
const bind = (destination: string, source: string, ...options: string[]): Mount => ({
  destination,
  source,
  type: "bind",
  options: ["rbind", ...options],
});

containerTest("a directory and a file of the host are added and removed", async (box) => {
  const { hako, id, rootfs, mounts, sh } = await start(box);
  const source = `${box.directory}/source`;
  Deno.mkdirSync(source);
  Deno.writeTextFileSync(`${source}/file`, "of the host");
  const both = [bind("/a/b", source, "ro"), bind("/c", `${source}/file`)];
  await ok(mounts("add", ...both));
  assertEquals(
    await sh("cat /a/b/file; echo; cat /c; echo; touch /a/b/x 2>&1 || true"),
    "of the host\nof the host\ntouch: /a/b/x: Read-only file system",
  );
  assertEquals([...Deno.readDirSync(`${rootfs}/a/b`)], [], "it is not to be seen on the host");
  await ok(mounts("remove", ...both));
  assertEquals(await sh("ls /a/b; wc -c </c; grep -c ' /a/b \\| /c ' /proc/self/mountinfo || true"), "0\n0");
  await ok(hako("delete", "--force", id));
});

containerTest("filesystems of the container's own namespaces are added, with their options", async (box) => {
  const { hako, id, mounts, sh } = await start(box);
  await ok(mounts("add", tmpfs("/t", "size=64k", "noexec"), { destination: "/p", type: "proc" }));
  assertStringIncludes(await sh("grep ' /t ' /proc/mounts"), "noexec,relatime,size=64k");
  assertEquals(await sh("cat /p/1/cmdline | tr '\\0' ' '"), "sleep 1000");
  await ok(mounts("remove", tmpfs("/t")));
  assertEquals(await sh("grep -c ' /t ' /proc/mounts || true"), "0");
  await ok(hako("delete", "--force", id));
});

containerTest(
  "a container with a user namespace gets a tmpfs that is its root's, and no bind mount",
  async (box) => {
    const { hako, id, mounts, sh } = await start(box, {
      config: USERNS,
      image: (rootfs) =>
        ["", "/t"].forEach((name) => {
          if (name !== "") Deno.mkdirSync(`${rootfs}${name}`);
          Deno.chownSync(`${rootfs}${name}`, 100000, 100000);
        }),
    });
    await ok(mounts("add", tmpfs("/t")));
    assertEquals(await sh("touch /t/x && stat -c %u /t"), "0");
    await fails(
      mounts("add", bind("/t", "/usr")),
      "whose root could take the host's flags from a bind mount",
    );
    await ok(mounts("remove", tmpfs("/t")));
    assertEquals(await sh("ls /t"), "");
    await ok(hako("delete", "--force", id));
  },
);

containerTest("links of the image end in its root, and none leads to a mount to remove", async (box) => {
  const { hako, id, rootfs, mounts, sh } = await start(box);
  const outside = `${box.directory}/outside`;
  Deno.mkdirSync(outside);
  await sh(`ln -s ${outside} /absolute; ln -s ../../../..${outside} /relative; ln -s /proc/acpi /mask`);
  for (const link of ["/absolute", "/relative"]) {
    await ok(mounts("add", tmpfs(`${link}/new`)));
    assertEquals([...Deno.readDirSync(outside)], []);
    assertEquals(Deno.statSync(`${rootfs}${outside}/new`).isDirectory, true);
  }
  assertEquals(await sh(`grep -c ' ${outside}/new ' /proc/mounts`), "2");
  const before = await sh("cat /proc/1/mountinfo");
  await fails(mounts("remove", tmpfs("/mask")), "ELOOP");
  await fails(mounts("remove", tmpfs("/proc/acpi")), "inside /proc");
  assertEquals(await sh("cat /proc/1/mountinfo"), before);
  await ok(hako("delete", "--force", id));
});

containerTest("what cannot be added or removed", async (box) => {
  const { hako, id, mounts, sh } = await start(box);
  const before = await sh("cat /proc/1/mountinfo");
  await fails(mounts("set"), 'unknown command "mounts set", allowed: add, remove');
  await fails(mounts("add", tmpfs("/")), "must not be the root itself");
  await fails(mounts("add", bind("/x", "/no/such/source")), "no such file or directory");
  await fails(mounts("add", tmpfs("/x", "nonsense=1")), "/mounts/0/options/0");
  await fails(
    mounts("add", tmpfs("/x", "tmpcopyup")),
    "cannot be added to a running container: it has tmpcopyup",
  );
  await fails(mounts("remove", tmpfs("/bin")), "remove the mount on /bin");
  await fails(hako("mounts", "add", id, "/no/such/file"), "cannot read /no/such/file");
  assertEquals(await sh("cat /proc/1/mountinfo"), before);
  await ok(hako("kill", id, "KILL"));
  for (const verb of ["add", "remove"]) await fails(mounts(verb, tmpfs("/t")), "container not running");
  await ok(hako("delete", "--force", id));
  for (const verb of ["add", "remove"]) {
    await fails(mounts(verb, tmpfs("/t")), `container does not exist: ${id}`);
  }
});

containerTest(
  "a container without a mount namespace of its own gets none, for it would be the host that does",
  async (box) => {
    const { hako, id, mounts } = await start(box, {
      config: {
        hostname: null,
        linux: { namespaces: [{ type: "pid" }], maskedPaths: [], readonlyPaths: [] },
        mounts: [],
      },
    });
    const before = Deno.readTextFileSync("/proc/self/mountinfo");
    for (const verb of ["add", "remove"]) {
      await fails(
        mounts(verb, tmpfs("/t")),
        "the container has no mount namespace: its mounts are the host's",
      );
    }
    assertEquals(Deno.readTextFileSync("/proc/self/mountinfo"), before);
    await ok(hako("delete", "--force", id));
  },
);

containerTest("a container that is created, or paused, gets its mounts as well", async (box) => {
  const { hako, id, mounts, sh } = await start(box);
  await ok(hako("pause", id));
  await ok(mounts("add", tmpfs("/t")));
  await ok(hako("resume", id));
  assertEquals(await sh("grep -c ' /t ' /proc/mounts"), "1");
  await ok(hako("delete", "--force", id));
  const { path } = box.bundle({ script: "grep -c ' /t ' /proc/mounts" });
  await ok(hako("create", "--bundle", path, id));
  await ok(mounts("add", tmpfs("/t")));
  await ok(mounts("remove", tmpfs("/t")));
  await ok(hako("delete", id));
});
