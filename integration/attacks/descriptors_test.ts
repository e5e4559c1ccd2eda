/**
 * What of the host a container could get hold of by a descriptor, by the executable that enters it, or by its working
 * directory.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createContainer } from "../../runtime/container/create.ts";
import {
  AT_FDCWD,
  F_DUPFD,
  F_GET_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  O_CLOEXEC,
  O_RDONLY,
  O_RDWR,
} from "../../runtime/linux/generated/constants.ts";
import { close, fcntl, openat2 } from "../../runtime/linux/files.ts";
import type { Plan } from "../../runtime/plan/node.ts";
import type { Container } from "../../runtime/container/container.ts";
import { type Box, type Case, containerCases, containerTest } from "../support/fixture.ts";
import { HAKO, run } from "../support/hako.ts";

/** A container that waits to be started. */
async function withCreated(
  box: Box,
  use: (container: Container) => void | Promise<void>,
  transform = (plan: Plan) => plan,
): Promise<void> {
  const { path, config } = box.bundle({ args: ["/bin/sleep", "60"], config: { process: { cwd: "/tmp" } } });
  const container = await createContainer(config, { id: box.id, bundle: path, root: box.state, transform });
  try {
    await use(container);
  } finally {
    container.delete(true);
  }
}

containerTest(
  "a waiting init is a sealed file that nobody can write to, its container included",
  (box) =>
    withCreated(box, ({ pid }) => {
      const exe = `/proc/${pid}/exe`;
      assertEquals(Deno.readLinkSync(exe), "/memfd:hako-init (deleted)");
      const fd = openat2(AT_FDCWD, exe, { flags: O_RDONLY | O_CLOEXEC });
      const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
      assertEquals(fcntl(fd, F_GET_SEALS) & seals, seals);
      assertThrows(() => Deno.truncateSync(`/proc/self/fd/${fd}`));
      close(fd);
      assertThrows(() => openat2(AT_FDCWD, exe, { flags: O_RDWR | O_CLOEXEC }), Error, "(ETXTBSY)");
    }),
);

containerTest(
  "a waiting init has the standard streams and what it meets the runtime with, and nothing else",
  (box) =>
    withCreated(box, ({ pid, directory }) => {
      const links = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name).sort()
        .map((name) => [name, Deno.readLinkSync(`/proc/${pid}/fd/${name}`)]).slice(3);
      assertEquals(links.map(([name]) => name), ["3", "4", "5"]);
      assertEquals(links[0]![1], `${directory}/status`);
      for (const [, target] of links.slice(1)) assertMatch(target!, /^socket:/);
      // Nothing of the host by its directories: both are the container's.
      for (const [name, path] of Object.entries({ root: "/", cwd: "/tmp" })) {
        assertEquals(Deno.readLinkSync(`/proc/${pid}/${name}`), path);
        const { dev, ino } = Deno.statSync(`/proc/${pid}/${name}`);
        assert(dev !== Deno.statSync(path).dev || ino !== Deno.statSync(path).ino, name);
      }
    }),
);

function descriptors(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name).sort();
}

containerTest(
  "the program has none of the init's descriptors, and is its own executable",
  (box) =>
    withCreated(box, (container) => {
      container.start();
      assertEquals(descriptors(container.pid), ["0", "1", "2"]);
      assertEquals(Deno.readLinkSync(`/proc/${container.pid}/exe`), "/bin/busybox");
    }),
);

containerTest("a plan without close_range would leave a descriptor of the caller's open", async (box) => {
  // Without O_CLOEXEC, as a caller leaves it to us.
  const leaked = fcntl(0, F_DUPFD, 50);
  const weaken = (plan: Plan) => plan.filter((node) => node.kind !== "step" || node.call !== "close_range");
  try {
    for (const transform of [(plan: Plan) => plan, weaken]) {
      await withCreated(box, (container) => {
        container.start();
        assertEquals(descriptors(container.pid).includes(`${leaked}`), transform === weaken);
      }, transform);
    }
  } finally {
    close(leaked);
  }
});

/** A caller that has opened directories and files of the host, and forgets to close them. */
const CARELESS = ["sh", "-c", 'exec 3</ 4</etc/passwd 5</root 7</proc 9<>/dev/null; "$@"', "sh"];

// The last one is that of ls itself. No pipe, which the shell would have open meanwhile.
const LIST = "ls /proc/1/fd; ls /proc/self/fd";

containerCases({
  "descriptors that the caller left open are not passed on": {
    under: CARELESS,
    script: LIST,
    stdout: "0\n1\n2\n0\n1\n2\n3",
  },
  "--preserve-fds passes those that it counts": {
    under: CARELESS,
    options: ["--preserve-fds", "2"],
    script: `${LIST}; head -n 1 <&4`,
    stdout: /^0\n1\n2\n3\n4\n0\n1\n2\n3\n4\n5\nroot:x:0:0:/,
  },
  "a program may be one of those": {
    under: ["sh", "-c", 'exec 3</bin/busybox; "$@"', "sh"],
    options: ["--preserve-fds", "1"],
    args: ["/proc/self/fd/3"],
    // It runs, and goes by the name that it has been called by.
    stderr: "3: applet not found",
    status: 127,
  },
  "the init as the program, by its own /proc/self/exe, is nothing that runs": {
    args: ["/proc/self/exe"],
    stderr: /^/,
    status: 1,
  },
});

/** Working directories that lie outside of the container, if a runtime is not careful (CVE-2024-21626). */
function trick(cwd: string, image?: (rootfs: string) => void): Case {
  return {
    under: CARELESS,
    config: { process: { cwd } },
    script: "pwd; ls",
    ...image && { image },
    stderr: /^hako: enter .*asked for by config.json \/process\/cwd\n$/,
    status: 1,
  };
}

containerCases({
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, fd) => `/proc/self/fd/${fd}`).flatMap((path) => [
      [`cwd is ${path}`, trick(path)],
      [`cwd is ${path}/../..`, trick(`${path}/../..`)],
      [`cwd is a link to ${path}`, trick("/dir", (rootfs) => Deno.symlinkSync(path, `${rootfs}/dir`))],
    ]),
  ),
  "cwd is /proc/self/cwd": trick("/proc/self/cwd"),
  "cwd is /proc/self/root": trick("/proc/self/root"),
  "cwd is /proc/1/root": trick("/proc/1/root"),
  "cwd leads above the root, which is the root": {
    config: { process: { cwd: "/../../../.." } },
    script: "pwd",
    stdout: "/",
  },
});

containerTest(
  "exec: no descriptor of the caller, and no working directory outside",
  (box) =>
    withCreated(box, async (container) => {
      container.start();
      const exec = (...words: string[]) => run([...CARELESS, ...HAKO, "--root", box.state, "exec", ...words]);
      assertEquals(await exec(box.id, "ls", "/proc/self/fd"), {
        status: 0,
        stdout: "0\n1\n2\n3\n",
        stderr: "",
      });
      for (let fd = 0; fd < 12; fd++) {
        const { status, stderr } = await exec("--cwd", `/proc/self/fd/${fd}`, box.id, "ls");
        assertEquals(status, 255);
        assertMatch(stderr, /^hako: enter .*\/process\/cwd\n$/);
      }
    }),
);
