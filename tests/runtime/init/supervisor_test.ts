/**
 * What the supervisor of every CPU must do, in small executables whose container is a few steps without privilege.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { assembled, canAssemble, tableOf } from "../../../runtime/init/assemble.ts";
import { executableImage } from "../../../runtime/init/executable.ts";
import { retarget } from "../../../runtime/init/retarget.ts";
import * as c from "../../../runtime/linux/generated/constants.ts";
import type { Cpu } from "../../../runtime/linux/generated/syscalls.ts";
import { type Arg, attempt, type Node, type Plan, slot, step } from "../../../runtime/plan/node.ts";
import type { Standalone } from "../../../runtime/plan/standalone.ts";
import { CPUS, runnerOf, testOrSkip } from "./cpus.ts";

const CODE_LIMIT_BYTES = 1200;
const TIMEOUT_MILLISECONDS = 20_000;
const own = Deno.build.arch;

const call = (name: Parameters<typeof step>[1], args: readonly Arg[] = [], save?: `$${string}`): Node =>
  step({ label: `test ${name}`, pointer: "/test" }, name, args, save);
const print = (text: string) => call("write", [1, text, text.length]);
const exit = (status: number) => call("exit_group", [status]);
const CLEANUP: Plan = [print("cleaned\n"), call("exit_group", [slot("$exit")])];
const fork = (): Node => ({
  kind: "fork",
  flags: c.CLONE_PARENT | c.SIGCHLD,
  save: "$init",
  label: "fork",
  pointer: "/test",
});
const unblock = call("rt_sigprocmask", [2, new Uint8Array(8), null, 8]);

/** Runs the shell of the machine, which an emulator runs natively. */
const shell: Plan = [unblock, call("execve", ["/bin/sh", slot("$argv"), slot("$envp")])];

interface Case {
  readonly name: string;
  readonly container: Plan;
  readonly args?: readonly string[];
  readonly kept?: number;
  readonly passed?: readonly string[];
  /** Of the caller. */
  readonly given?: readonly string[];
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status: number;
}

const script = (text: string) => ["sh", "-c", text, "sh"];
const WORDS = 'for w; do echo "<$w>"; done';

const CASES: readonly Case[] = [
  {
    name: "the exit status is that of the container",
    container: [exit(42)],
    stdout: "cleaned\n",
    status: 42,
  },
  { name: "of a second process too", container: [fork(), exit(7)], stdout: "cleaned\n", status: 7 },
  {
    name: "death by a signal is 128 and the signal",
    container: shell,
    args: script("kill -9 $$"),
    stdout: "cleaned\n",
    status: 137,
  },
  {
    name: "a failed step is named with its member and errno, and what follows is cleaned up",
    container: [call("openat", [c.AT_FDCWD, "/nonexistent", c.O_RDONLY, 0])],
    stdout: "cleaned\n",
    stderr: "tool: config.json /test: test openat: openat: no such file or directory (ENOENT)\n",
    status: 125,
  },
  {
    name: "a failed step of the second process is named",
    container: [fork(), call("chdir", ["/proc/self/status"])],
    stdout: "cleaned\n",
    stderr: "tool: config.json /test: test chdir: chdir: not a directory (ENOTDIR)\n",
    status: 125,
  },
  {
    name: "of a helper's failure and its consequence the first is named",
    container: [
      {
        kind: "fork",
        flags: c.SIGCHLD,
        save: "$helper",
        label: "help",
        pointer: "/test",
        child: [call("fchdir", [0])],
      },
      call("wait4", [slot("$helper"), null, 0, null]),
      call("chdir", ["/nonexistent"]),
    ],
    stdout: "cleaned\n",
    stderr: "tool: config.json /test: test fchdir: fchdir: not a directory (ENOTDIR)\n",
    status: 125,
  },
  {
    name: "a program that is not there is 127",
    container: [call("execve", ["/nonexistent", slot("$argv"), slot("$envp")])],
    stdout: "cleaned\n",
    stderr: "tool: config.json /test: test execve: execve: no such file or directory (ENOENT)\n",
    status: 127,
  },
  {
    name: "a program that may not be run is 126",
    container: [call("execve", ["/proc/self/status", slot("$argv"), slot("$envp")])],
    stdout: "cleaned\n",
    stderr: "tool: config.json /test: test execve: execve: permission denied (EACCES)\n",
    status: 126,
  },
  {
    name: "arguments follow those of the config",
    container: shell,
    args: [...script(WORDS), "a"],
    given: ["b", "c d"],
    stdout: "<a>\n<b>\n<c d>\ncleaned\n",
    status: 0,
  },
  {
    name: "arguments replace those that are not kept, and none replace nothing",
    container: shell,
    args: [...script(WORDS), "a", "b"],
    kept: 4,
    given: ["x"],
    stdout: "<x>\ncleaned\n",
    status: 0,
  },
  {
    name: "without arguments all of the config's stay",
    container: shell,
    args: [...script(WORDS), "a", "b"],
    kept: 4,
    stdout: "<a>\n<b>\ncleaned\n",
    status: 0,
  },
  {
    name: "a first -- is no argument, a later one and what only begins so are",
    container: shell,
    args: script(WORDS),
    given: ["--", "--", "--x"],
    stdout: "<-->\n<--x>\ncleaned\n",
    status: 0,
  },
  {
    name: "the environment is the config's, and what is let through",
    container: shell,
    args: script('echo "$OWN,$GIVEN,$GIVENX,$ABSENT"'),
    passed: ["ABSENT", "GIVEN"],
    stdout: "mine,theirs,,\ncleaned\n",
    status: 0,
  },
  {
    name: "signals that the caller ignores are not ignored, and none is blocked",
    container: shell,
    args: script("grep -E 'Sig(Ign|Blk)' /proc/self/status"),
    stdout: "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\ncleaned\n",
    status: 0,
  },
  {
    name: "a stream that is the host's /dev/null is told from others",
    container: [
      // Standard input is, standard output is not.
      call("dup3", [slot("$null0"), 50, 0]),
      attempt(step({ label: "dup", pointer: "/test" }, "dup3", [slot("$null1"), 51, 0]), ["EBADF"], {
        then: [exit(1)],
      }),
      exit(0),
    ],
    stdout: "cleaned\n",
    status: 0,
  },
  {
    name: "a name has the pid of the process that waits",
    container: [
      call("symlinkat", ["x", c.AT_FDCWD, "/tmp/tool.pppppppp"]),
      ...shell,
    ],
    args: script('rm "/tmp/tool.$(printf %08x $PPID)" && echo removed'),
    stdout: "removed\ncleaned\n",
    status: 0,
  },
];

/** What the emulator itself does otherwise. */
const NOT_UNDER_QEMU = /^(signals that|of a helper|a name has|.*second process)/;

function toolOf(one: Pick<Case, "container" | "args" | "kept" | "passed">, cpu: Cpu): Uint8Array {
  const { container, args = ["x"], kept = args.length, passed = [] } = one;
  const source: Standalone = {
    name: "tool",
    container: retarget(container, own, cpu),
    cleanup: CLEANUP,
    args,
    kept,
    env: ["OWN=mine", "PATH=/usr/bin:/bin"],
    passed,
  };
  const signals = [c.SIGCHLD, c.SIGTERM, c.SIGUSR1].reduce(
    (mask, signal) => mask | 1n << BigInt(signal - 1),
    0n,
  );
  return executableImage(source, cpu, { signals });
}

for (const cpu of CPUS) {
  const reason = await canAssemble(cpu) ? undefined : `no GNU as for ${cpu}`;
  for (const part of ["supervisor", "loader"] as const) {
    testOrSkip(`${part} ${cpu}: the table is what the source gives`, reason, async () => {
      assertEquals(await Deno.readTextFile(tableOf(part, cpu)), await assembled(part, cpu));
    });
  }

  Deno.test(`supervisor ${cpu}: a small container takes a few kB`, () => {
    const empty = toolOf({ container: [exit(0)] }, cpu).length;
    assert(empty < CODE_LIMIT_BYTES + 4096, `${empty} bytes`);
  });

  const { emulator, missing } = runnerOf(cpu);
  for (const one of CASES) {
    const reason = missing ??
      (cpu !== own && NOT_UNDER_QEMU.test(one.name)
        ? "qemu-user has signals, children and no CLONE_PARENT"
        : undefined);
    testOrSkip(
      `supervisor ${cpu}: ${one.name}`,
      reason,
      () =>
        withTool(toolOf(one, cpu), emulator, async (program, first) => {
          const { code, stdout, stderr } = await new Deno.Command(program, {
            args: [...first, ...one.given ?? []],
            env: { GIVEN: "theirs", GIVENX: "no" },
            stdin: "null",
            signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
          }).output();
          const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
          assertEquals(
            { stdout: text(stdout), stderr: text(stderr), status: code },
            { stdout: one.stdout ?? "", stderr: one.stderr ?? "", status: one.status },
          );
        }),
    );
  }

  testOrSkip(`supervisor ${cpu}: signals are passed on until the container ends`, missing, () =>
    withTool(
      toolOf({
        // Without CLONE_PARENT, which the emulator does not know.
        container: cpu === own ? [fork(), ...shell] : shell,
        args: script(
          'trap "echo usr" USR1; trap "echo term; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
        ),
      }, cpu),
      emulator,
      async (program, args) => {
        const child = new Deno.Command(program, {
          args: [...args],
          stdin: "null",
          stdout: "piped",
          signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
        }).spawn();
        let heard = "";
        for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
          heard += chunk;
          if (chunk.includes("ready")) child.kill("SIGUSR1");
          if (chunk.includes("usr")) child.kill("SIGTERM");
        }
        assertEquals([heard, (await child.status).code], ["ready\nusr\nterm\ncleaned\n", 3]);
      },
    ));
}

async function withTool(
  bytes: Uint8Array,
  emulator: string | undefined,
  use: (program: string, args: readonly string[]) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const tool = `${directory}/tool`;
    await Deno.writeFile(tool, bytes, { mode: 0o755 });
    await (emulator === undefined ? use(tool, []) : use(emulator, [tool]));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
