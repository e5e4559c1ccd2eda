/** `process.terminal` in the foreground. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { capabilities } from "../support/bundle.ts";
import { type Box, containerTest, type RunOptions } from "../support/fixture.ts";
import { run } from "../support/hako.ts";
import { type Person, Pty } from "../support/pty.ts";

function onTerminal(options: RunOptions): RunOptions {
  const { config } = options;
  return { ...options, config: { ...config, process: { terminal: true, ...config?.process } } };
}

/** Runs a container on a terminal. */
async function runOn(
  box: Box,
  pty: Pty,
  options: RunOptions,
  use?: Person,
): Promise<{ readonly status: number; readonly output: string }> {
  const command = box.command(box.bundle(onTerminal(options)).path, options);
  const status = await pty.run(command, use);
  return { status, output: pty.output.replaceAll("\r\n", "\n") };
}

containerTest("it is the controlling terminal, all three streams, and /dev/console", async (box) => {
  using pty = new Pty({ rows: 33, columns: 77 });
  const result = await runOn(box, pty, {
    script: `tty; tty < /dev/console > /dev/null && for fd in 0 1 2; do readlink /proc/self/fd/$fd; done
      stty size; echo by name > /dev/tty; stat -c '%t:%T' /dev/console; cut -d ' ' -f 7 /proc/$$/stat; exit 7`,
  });
  assertEquals(result, {
    status: 7,
    output: "/dev/pts/0\n/dev/pts/0\n/dev/pts/0\n/dev/pts/0\n33 77\nby name\n88:0\n34816\n",
  });
});

containerTest("a user who is not root owns it", async (box) => {
  using pty = new Pty();
  const result = await runOn(box, pty, {
    config: { process: { user: { uid: 1000, gid: 1000 } } },
    script: "stat -c '%u:%g %a' /dev/pts/0; echo again > /dev/stdout",
  });
  assertEquals(result, { status: 0, output: "1000:5 620\nagain\n" });
});

containerTest("raw while the container runs, and as it was afterwards", async (box) => {
  using pty = new Pty();
  const before = pty.modes();
  let meanwhile = "";
  const { status } = await runOn(box, pty, { script: "echo ready; read line; exit 3" }, async () => {
    await pty.shows(/ready/);
    meanwhile = pty.modes();
    await pty.type("\n");
  });
  assertEquals([status, pty.modes()], [3, before]);
  assert(meanwhile !== before);
});

containerTest("as it was after a container that could not be created", async (box) => {
  using pty = new Pty();
  const before = pty.modes();
  const result = await runOn(box, pty, { args: ["/nowhere"] });
  assertEquals([result.status, pty.modes()], [1, before]);
  assertMatch(result.output, /^hako: .*"\/nowhere": no such file or directory/);
});

containerTest("control characters are the container's", async (box) => {
  using pty = new Pty();
  // A signal ends the read that it comes in, and none if it comes between two.
  const script = `trap "echo interrupted" INT; trap "echo quit" QUIT
    echo ready; until [ "$line" ]; do read line; done; echo "got $line"; read end || echo end`;
  const { status, output } = await runOn(box, pty, { script }, async () => {
    await pty.shows(/ready/);
    await pty.type("\x03");
    await pty.shows(/interrupted/);
    await pty.type("\x1c");
    await pty.shows(/quit/);
    await pty.type("ab\x7fc\n");
    await pty.shows(/got ac/);
    await pty.type("\x04");
  });
  assertEquals([status, output.includes("end")], [0, true]);
});

containerTest("the size follows that of the terminal", async (box) => {
  using pty = new Pty();
  const script = `trap "stty size" WINCH; echo ready; until [ "$line" = end ]; do read line; done`;
  const { status } = await runOn(box, pty, { script }, async () => {
    await pty.shows(/ready/);
    for (const [rows, columns] of [[10, 20], [300, 500], [5, 7]] as const) {
      pty.resize(rows, columns);
      await pty.shows(new RegExp(`^${rows} ${columns}\r\n`, "m"));
    }
    await pty.type("end\n");
  });
  assertEquals(status, 0);
});

containerTest("a terminal without a size gives none, and has the last word", async (box) => {
  using pty = new Pty({ rows: 0, columns: 0 });
  const { output } = await runOn(box, pty, {
    config: { process: { consoleSize: { height: 40, width: 100 } } },
    script: "stty size",
  });
  // As busybox has it.
  assertMatch(output, /^stty: standard input/);
});

containerTest("consoleSize counts where there is no terminal around", async (box) => {
  const options = onTerminal({
    config: { process: { consoleSize: { height: 40, width: 100 } } },
    script: "stty size",
  });
  assertEquals(await box.run(options), { status: 0, stdout: "40 100\r\n", stderr: "" });
});

containerTest("nothing is lost at the end: a megabyte and its last line", async (box) => {
  using pty = new Pty();
  for (let round = 0; round < 5; round++) {
    pty.output = "";
    const { status, output } = await runOn(box, pty, {
      script: "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last",
    });
    assertEquals([status, output.length, output.slice(-6)], [0, 1_000_006, "\nlast\n"]);
  }
});

containerTest("nothing is lost on the way in: 200 kB", async (box) => {
  using pty = new Pty();
  const { status, output } = await runOn(box, pty, {
    script: "stty raw -echo; echo ready; head -c 200000 | md5sum; stty sane",
  }, async () => {
    await pty.shows(/ready/);
    for (let sent = 0; sent < 200_000; sent += 2000) await pty.type("0123456789".repeat(200));
  });
  const { stdout } = await run(["sh", "-c", "yes 0123456789 | tr -d '\\n' | head -c 200000 | md5sum"]);
  assertEquals([status, output.trim()], [0, stdout.trim()]);
});

containerTest("streams that are no terminal are passed as well", async (box) => {
  const options = onTerminal({ script: "stty -echo; read line; echo got $line >&2", stdin: "hello\n" });
  const { status, stdout, stderr } = await box.run(options);
  assertEquals([status, stderr], [0, ""]);
  // The first where it was typed before the echo was off.
  assertMatch(stdout, /^(hello\r\n)?got hello\r\n$/);
});

containerTest("what the program leaves in the background does not hold the runtime", async (box) => {
  using pty = new Pty();
  const started = Date.now();
  const result = await runOn(box, pty, {
    // With neither a namespace nor a cgroup that would end it.
    config: { linux: { namespaces: [{ type: "mount" }] }, hostname: null },
    global: ["--cgroup-manager", "disabled"],
    script: "trap '' HUP; sleep 2 & echo done",
  });
  const milliseconds = Date.now() - started;
  assertEquals(result, { status: 0, output: "done\n" });
  assert(milliseconds < 2000, `${milliseconds} ms: it waits for the background`);
  await new Promise((resolve) => setTimeout(resolve, 2000 - milliseconds));
});

containerTest("input that the program does not read does not keep its output", async (box) => {
  using pty = new Pty();
  const script =
    "stty raw -echo; echo ready; sleep 0.5; head -c 300000 /dev/zero | tr '\\0' x; head -c 200000 | wc -c";
  const { status, output } = await runOn(box, pty, { script }, async () => {
    await pty.shows(/ready/);
    for (let sent = 0; sent < 200_000; sent += 2000) await pty.type("y".repeat(2000));
  });
  assertEquals([status, output.replaceAll("x", "").trim()], [0, "200000"]);
});

containerTest("signals in a row, whichever threads take them, do not stop it", async (box) => {
  using pty = new Pty();
  const script = `trap : HUP USR1 USR2 ALRM; echo ready
    for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; echo x > /dev/null; done; echo end`;
  const { status, output } = await runOn(box, pty, { script }, async (pid) => {
    await pty.shows(/ready/);
    for (let round = 0; round < 20; round++) {
      for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCONT"] as const) {
        Deno.kill(pid, signal);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  assertEquals([status, output], [0, "end\n"]);
});

containerTest("a window that is closed ends the container by SIGHUP", async (box) => {
  using pty = new Pty();
  const { status } = await runOn(box, pty, {
    script: "trap 'exit 9' HUP; echo ready; while :; do sleep 0.05; done",
  }, async () => {
    await pty.shows(/ready/);
    pty.hangUp();
  });
  assertEquals(status, 9);
});

containerTest("Ctrl-C where the container has no terminal of its own is forwarded", async (box) => {
  using pty = new Pty();
  const { status } = await runOn(box, pty, {
    config: { process: { terminal: false } },
    script: "trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done",
  }, async () => {
    await pty.shows(/ready/);
    await pty.type("\x03");
  });
  assertEquals(status, 5);
});

containerTest("in a user namespace", async (box) => {
  using pty = new Pty();
  const maps = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const result = await runOn(box, pty, {
    config: {
      linux: {
        namespaces: (["mount", "pid", "user", "ipc", "network", "uts"] as const).map((type) => ({ type })),
        uidMappings: maps,
        gidMappings: maps,
      },
    },
    script: "tty; stat -c %u /dev/pts/0; echo again > /dev/tty",
  });
  assertEquals(result, { status: 0, output: "/dev/pts/0\n0\nagain\n" });
});

containerTest("without devpts there is none to be had", async (box) => {
  const options = onTerminal({
    config: {
      mounts: [{ destination: "/dev", type: "tmpfs" }],
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
  });
  const { status, stderr } = await box.run(options);
  assertEquals(status, 1);
  assertMatch(
    stderr,
    /^hako: open a terminal: .*no such file or directory \(ENOENT\), .*\/process\/terminal\n$/,
  );
});

containerTest("an image's ptmx that is no terminal is refused", async (box) => {
  const options = onTerminal({
    config: {
      mounts: [{ destination: "/proc", type: "proc" }],
      process: { capabilities: capabilities("CAP_SYS_ADMIN") },
      linux: { maskedPaths: [], readonlyPaths: [] },
    },
    image: (rootfs) => {
      Deno.mkdirSync(`${rootfs}/dev/pts`);
      Deno.writeTextFileSync(`${rootfs}/dev/pts/ptmx`, "");
    },
  });
  const { status, stderr } = await box.run(options);
  assertEquals(status, 1);
  assertMatch(stderr, /^hako: .*\/process\/terminal\n$/);
});
