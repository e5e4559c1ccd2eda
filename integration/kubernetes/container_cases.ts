/** What a container's part of a pod's manifest asks for, as it is seen from inside. @module */
import { assertEquals } from "@std/assert";
import { BOX } from "../engines/machine.ts";
import type { Cases } from "../engines/suite.ts";
import { run } from "../support/hako.ts";
import { eachRun, made, withContainer } from "./pods.ts";

const VOLUME = `${BOX}/volume`;
Deno.mkdirSync(VOLUME);
Deno.writeTextFileSync(`${VOLUME}/greeting`, "hello\n");

const mounts = (containerPath: string, readonly = false) => [{
  containerPath,
  hostPath: VOLUME,
  readonly,
}];

export const containerCases: Cases = {
  ...eachRun({
    "runs a program: its log": { script: "echo hello; echo oops >&2", stdout: "hello", stderr: "oops" },
    "environment and working directory: of the image, and given": {
      envs: [{ key: "A", value: "b c" }],
      script: "echo $FROM $A; pwd",
      stdout: "image b c\n/root",
    },
    "a working directory that is missing is made": {
      workingDir: "/made/here",
      command: ["pwd"],
      stdout: "/made/here",
    },
    "args without a command": { args: ["echo", "args"], stdout: "args" },
    "the exit code of the program": { script: "exit 42", status: 42, reason: "Error" },
    "the exit code of a success": { command: ["true"], status: 0, reason: "Completed" },
    "the signal that killed the program": { script: "sh -c 'kill -SEGV $$'; exit $?", status: 139 },
    "the hostname of the pod, and its name servers": {
      pod: {
        security: { namespaceOptions: { network: "POD" } },
        hostname: "the-pod",
        dnsConfig: { servers: ["10.0.0.1"], searches: ["a.test", "b.test"], options: ["ndots:5"] },
      },
      script: "hostname; cat /etc/hostname; echo $HOSTNAME; cat /etc/resolv.conf",
      stdout: "the-pod\nthe-pod\nthe-pod\nsearch a.test b.test\nnameserver 10.0.0.1\noptions ndots:5",
    },
    "a volume, read-write": {
      mounts: mounts("/rw"),
      script: "cat /rw/greeting; echo x >/rw/written && rm /rw/written",
      stdout: "hello",
    },
    "a volume, read-only": {
      mounts: mounts("/ro", true),
      script: "cat /ro/greeting; touch /ro/x",
      status: 1,
      stdout: "hello",
      stderr: /Read-only file system/,
    },
    "a file of the host's, as the kubelet's /etc/hosts and /dev/termination-log": {
      mounts: [
        { containerPath: "/etc/hosts", hostPath: `${VOLUME}/greeting` },
        { containerPath: "/dev/termination-log", hostPath: `${VOLUME}/greeting` },
      ],
      script: "cat /etc/hosts /dev/termination-log",
      stdout: "hello\nhello",
    },
    "a device, and no other": {
      devices: [{ containerPath: "/dev/control", hostPath: "/dev/loop-control", permissions: "rw" }],
      script: "ls /dev/control; mknod /dev/f c 10 229 && : </dev/f",
      status: 1,
      stdout: "/dev/control",
      stderr: /Operation not permitted/,
    },
    "a terminal": {
      tty: true,
      script: "tty; test -t 0 -a -t 1 -a -t 2 && echo $TERM",
      stdout: "/dev/pts/0\nxterm",
    },
    "the cgroup, read-only": {
      script: "cd /sys/fs/cgroup/memory 2>/dev/null || cd /sys/fs/cgroup; mkdir x",
      status: 1,
      stderr: /Read-only file system$/,
    },
  }),
  // A mount that appears later: of the host in the container, and with Bidirectional the other way too.
  "mount propagation: private, from the host, and to it": async () => {
    const shared = `${BOX}/shared`;
    Deno.mkdirSync(shared);
    const mount = async (...words: string[]) => assertEquals((await run(["mount", ...words])).stderr, "");
    await mount("--bind", shared, shared);
    await mount("--make-shared", shared);
    const volume = (
      name: string,
      propagation: "PROPAGATION_PRIVATE" | "PROPAGATION_HOST_TO_CONTAINER" | "PROPAGATION_BIDIRECTIONAL",
    ) => ({ containerPath: `/${name}`, hostPath: shared, propagation });
    const script =
      "until [ -e /slave/later/file ]; do sleep 0.05; done; ls /private /slave/later /shared/later; " +
      "mkdir /shared/back && mount -t tmpfs none /shared/back && touch /shared/back/x /ready; exec sleep 1000";
    await withContainer({
      script,
      mounts: [
        volume("private", "PROPAGATION_PRIVATE"),
        volume("slave", "PROPAGATION_HOST_TO_CONTAINER"),
        volume("shared", "PROPAGATION_BIDIRECTIONAL"),
      ],
      security: { capabilities: { addCapabilities: ["SYS_ADMIN"] } },
    }, async (container, pod) => {
      Deno.mkdirSync(`${shared}/later`);
      await mount("-t", "tmpfs", "later", `${shared}/later`);
      Deno.writeTextFileSync(`${shared}/later/file`, "");
      await made(container, "/ready");
      assertEquals(
        pod.output(container).stdout,
        "/private:\nlater\n\n/shared/later:\nfile\n\n/slave/later:\nfile\n",
      );
      assertEquals([...Deno.readDirSync(`${shared}/back`)].map(({ name }) => name), ["x"]);
    });
    for (const path of [`${shared}/back`, `${shared}/later`, shared]) {
      assertEquals((await run(["umount", path])).stderr, "");
    }
  },
};
