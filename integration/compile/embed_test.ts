/** `hako compile --embed`: one file is the whole container. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterMounting, type Box, containerTest } from "../support/fixture.ts";
import { finish, HAKO, run, spawn } from "../support/hako.ts";
import { compile, type CompileOptions, groupsOf } from "./compiled.ts";

type ImageType = "erofs" | "squashfs";
const MAKERS: Readonly<Record<ImageType, string>> = { erofs: "mkfs.erofs", squashfs: "mksquashfs" };

const FILESYSTEMS = Deno.readTextFileSync("/proc/filesystems").split(/\s+/);

/** Why the kernel cannot mount such an image, if so. */
function missing(type: string): string | undefined {
  return [type, "overlay"].filter((name) => !FILESYSTEMS.includes(name)).map((name) =>
    `the kernel has no ${name}`
  )[0];
}

function withoutLoop(): string | undefined {
  try {
    Deno.statSync("/dev/loop0");
  } catch {
    return "no /dev/loop0";
  }
}

/** Compiles it, and removes the root filesystem. */
async function compileEmbedded(box: Box, type: ImageType, options: CompileOptions): Promise<string> {
  const tool = await compile(box, { ...options, compile: ["--embed", type] });
  Deno.removeSync(`${box.directory}/bundle0/rootfs`, { recursive: true });
  return tool;
}

/** Loop devices that a file of the box is behind. The kernel lets go of them in a moment. */
async function loopDevices(box: Box): Promise<string[]> {
  for (let tries = 0;; tries++) {
    const { stdout } = await run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"]);
    const ours = stdout.split("\n").filter((line) => line.includes(box.id));
    if (ours.length === 0 || tries === 50) return ours;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const type of ["erofs", "squashfs"] as const) {
  // Erofs does without a loop device since Linux 6.12.
  const skip = missing(type) ?? withoutLoop();
  const options = { needs: [MAKERS[type], "losetup"], ...(skip && { skip }) };

  for (const readonly of [false, true]) {
    const name = `an embedded image of ${type} ${readonly ? "is read-only if asked" : "can be written to"}`;
    containerTest(`compile: ${name}`, async (box) => {
      const tool = await compileEmbedded(box, type, {
        config: { root: { readonly } },
        image: (rootfs) => Deno.writeTextFileSync(`${rootfs}/text`, "of the image\n"),
        script: "cat /text; echo new > /text; cat /text; ls /proc/self/exe > /dev/null",
      });
      // Nothing of one run is there in the next.
      for (let runs = 0; runs < 2; runs++) {
        const { status, stdout } = await run([tool]);
        assertEquals([status, stdout], [
          0,
          readonly ? "of the image\nof the image\n" : "of the image\nnew\n",
        ]);
      }
      const explained = (await run([...HAKO, "explain", tool])).stdout;
      assertMatch(explained, new RegExp(`with \\d+ bytes of root filesystem as ${type}\\n`));
      assertEquals([await loopDevices(box), groupsOf(box)], [[], []]);
    }, options);
  }

  containerTest(
    `compile: an image of ${type} with a config of Docker's: many run at once, and leave no loop device`,
    async (box) => {
      const tool = await compileEmbedded(box, type, {
        golden: "docker-default",
        config: { hooks: null, linux: { cgroupsPath: null } },
        args: ["/bin/sh", "-c", "echo $0; sleep 0.2", "ran"],
      });
      const results = await Promise.all(Array.from({ length: 12 }, () => finish(spawn([tool]))));
      assertEquals(
        results.map(({ status, stdout, stderr }) => [status, stdout, stderr]),
        Array(12).fill([0, "ran\n", ""]),
      );
      assertEquals([await loopDevices(box), groupsOf(box)], [[], []]);
    },
    options,
  );
}

const loops = missing("erofs") ?? missing("squashfs") ?? withoutLoop();
const needs = ["mkfs.erofs", "mksquashfs", "losetup", "strace"];

containerTest(
  "compile: what erofs cannot mount from the file, for it lies on a tmpfs, gets a loop device",
  async (box) => {
    const tool = await compileEmbedded(box, "erofs", { script: "head -n 1 /proc/mounts" });
    const mount = `${box.directory}/mount`;
    Deno.mkdirSync(mount);
    const under = afterMounting(`mount -t tmpfs tmpfs ${mount}; cp ${tool} ${mount}/${box.id}`);
    const trace = `${box.directory}/trace`;
    const strace = ["strace", "-f", "-o", trace, "-e", "trace=fsconfig,ioctl"];
    const { status, stdout, stderr } = await run([...under, ...strace, `${mount}/${box.id}`]);
    assertEquals([status, stderr], [0, ""]);
    assertMatch(stdout, /^overlay \/ overlay /);
    const calls = Deno.readTextFileSync(trace);
    assertMatch(calls, /FSCONFIG_CMD_CREATE, .* = -1 ENOTBLK/);
    assertMatch(calls, /LOOP_CONFIGURE, .*\) = 0\n/);
    assertEquals(await loopDevices(box), []);
  },
  { needs, ...(loops && { skip: loops }) },
);

containerTest(
  "compile: without a loop device that is free an image says so, and nothing is left",
  async (box) => {
    const tool = await compileEmbedded(box, "squashfs", { script: "echo no" });
    const cases = {
      // Nothing but what a small container has.
      "mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3": /fcntl: bad file descriptor \(EBADF\)/,
      // A node that is not for us.
      "mount -t tmpfs -o nodev tmpfs /dev; mknod -m 666 /dev/null c 1 3; mknod /dev/loop0 b 7 0":
        /openat: permission denied \(EACCES\)/,
    };
    for (const [script, error] of Object.entries(cases)) {
      const { status, stdout, stderr } = await run([...afterMounting(script), tool]);
      assertEquals([status, stdout, stderr.split("\n").length], [125, "", 2], stderr);
      assertStringIncludes(
        stderr,
        `${box.id}: config.json /root/path: find a loop device that is free, of /dev/loop0 to /dev/loop31: `,
      );
      assertMatch(stderr, error);
      assertEquals([await loopDevices(box), groupsOf(box)], [[], []]);
    }
  },
  { needs, ...(loops && { skip: loops }) },
);

containerTest("compile: without the program that makes an image, its package is named", async (box) => {
  const bundle = box.bundle().path;
  for (const [type, name] of [["erofs", "erofs-utils"], ["squashfs", "squashfs-tools"]] as const) {
    const words = ["compile", "--embed", type, "--bundle", bundle, "--output", `${box.directory}/tool`];
    const { status, stderr } = await run([...HAKO, ...words], { env: { PATH: "/nonexistent" } });
    assertEquals([status, stderr], [
      1,
      `hako: to embed a root filesystem takes ${MAKERS[type]}, of the package ${name}\n`,
    ]);
  }
  assertEquals([...Deno.readDirSync(box.directory)].map(({ name }) => name), ["bundle0"]);
});
