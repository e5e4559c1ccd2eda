/** Executables for aarch64, compiled here and run by a kernel for that CPU. */

import { assertEquals } from "@std/assert";
import { afterMounting, type Box, containerTest, type RunOptions } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";
import { guestBusybox, type GuestResult, runInGuest } from "./aarch64.ts";
import { withoutWarnings } from "./compiled.ts";

/** What is compiled, how it is run there, and what is expected. Its executable is the variable `tool`. */
interface Case {
  readonly container: RunOptions;
  readonly options?: readonly string[];
  readonly run?: string;
  readonly result: { readonly status: number; readonly stdout?: RegExp; readonly stderr?: RegExp };
}

const DOCKER: RunOptions = {
  golden: "docker-default",
  config: { hooks: null, linux: { cgroupsPath: null } },
  script: "id -u; grep Seccomp: /proc/self/status; cat /proc/self/cgroup; exit 3",
};
const DOCKERS = { status: 3, stdout: /^0\nSeccomp:\t2\n0::\/\S+$/ };
const ROOT = [{ containerID: 0, hostID: 12345, size: 1 }];

const CASES: Readonly<Record<string, Case>> = {
  "Docker's config": { container: DOCKER, result: DOCKERS },
  "with an image of erofs, on a kernel that needs a loop device for it or not": {
    container: DOCKER,
    options: ["--embed", "erofs"],
    result: DOCKERS,
  },
  "with an image of squashfs": { container: DOCKER, options: ["--embed", "squashfs"], result: DOCKERS },
  "arguments and variables": {
    container: { args: ["/bin/sh", "-c", 'echo "$0 $1 $A"', "one"] },
    options: ["-e", "A"],
    run: 'A=theirs "$tool" two',
    result: { status: 0, stdout: /^one two theirs$/ },
  },
  "signals": {
    container: { script: "trap 'echo term; exit 4' TERM; echo ready; while :; do sleep 0.05; done" },
    run: 'out=$(mktemp); "$tool" > $out & until [ -s $out ]; do sleep 0.05; done; ' +
      "kill -TERM $!; wait $!; code=$?; cat $out; exit $code",
    result: { status: 4, stdout: /^ready\nterm$/ },
  },
  "a limit of processes": {
    container: {
      config: { linux: { resources: { pids: { limit: 2 } } } },
      script: "sleep 1 & /bin/true; echo no",
    },
    result: { status: 2, stderr: /can't fork/ },
  },
  "a device that is denied": {
    container: {
      config: {
        process: {
          capabilities: { bounding: ["CAP_MKNOD"], effective: ["CAP_MKNOD"], permitted: ["CAP_MKNOD"] },
        },
      },
      mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }],
      script: "mknod /tmp/disk b 7 0; cat /tmp/disk",
    },
    result: { status: 1, stderr: /Operation not permitted$/ },
  },
  "a step that fails": {
    container: { mounts: [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=zzz"] }] },
    result: {
      status: 125,
      stderr: /\/options\/0: mount tmpfs on \/x: size=zzz: fsconfig: invalid argument \(EINVAL\)$/,
    },
  },
  "without root's rights": {
    container: {
      config: {
        linux: {
          uidMappings: ROOT,
          gidMappings: ROOT,
          namespaces: [{ type: "user" }, { type: "pid" }, { type: "mount" }, { type: "uts" }],
        },
        mounts: [
          { destination: "/proc", type: "proc", source: "proc" },
          { destination: "/dev", type: "tmpfs", source: "tmpfs" },
        ],
      },
      script: "id -u; tr -s ' ' < /proc/self/uid_map",
    },
    options: ["--rootless"],
    run: 'su user -c "$tool"',
    result: { status: 0, stdout: /^0\n 0 12345 1$/ },
  },
};

/** With cgroups as they are there. @returns the executable's path */
async function compile(box: Box, index: number, { container, options = [] }: Case): Promise<string> {
  const { path } = box.bundle(container);
  const tool = `${box.directory}/tool${index}`;
  const only = afterMounting("umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup");
  const words = ["compile", "--arch", "aarch64", "--bundle", path, "--output", tool, ...options];
  // An image has all of its root filesystem: a shell of its own CPU's.
  await run(["cp", await guestBusybox(), `${path}/rootfs/bin/busybox`]);
  const { status, stderr } = await run([...only, ...HAKO, ...words]);
  assertEquals([status, withoutWarnings(stderr)], [0, ""]);
  return tool;
}

containerTest("compile: executables for aarch64 run on its kernel", async (box) => {
  const cases = Object.values(CASES);
  const tools: string[] = [];
  for (const [index, one] of cases.entries()) tools.push(await compile(box, index, one));
  const left = "ls -d /sys/fs/cgroup/tool* 2> /dev/null; losetup -a";
  const results = await runInGuest(box, [
    ...cases.map(({ run = '"$tool"' }, index) => `tool=${tools[index]}; ${run}`),
    left,
  ]);
  const found = Object.keys(CASES).map((name, index) => [name, describe(results[index]!, cases[index]!)]);
  assertEquals(
    Object.fromEntries(found),
    Object.fromEntries(Object.keys(CASES).map((name) => [name, "as expected"])),
  );
  assertEquals(results.at(-1)!.stdout, "");
}, { needs: ["qemu-system-aarch64", "mkfs.erofs", "mksquashfs", "apt-get"] });

function describe(found: GuestResult, { result: { status, stdout = /^$/, stderr = /^$/ } }: Case): string {
  const good = found.status === status && stdout.test(found.stdout) && stderr.test(found.stderr);
  return good ? "as expected" : JSON.stringify(found);
}
