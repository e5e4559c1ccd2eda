import { assertEquals, assertStringIncludes } from "@std/assert";

const module = (path: string) => import.meta.resolve(`../../../runtime/${path}.ts`);
const MODULE = module("container/foreground");

/** In a process of its own: the signals are taken until it exits. */
const EARLY = `
  import { takeForeground } from "${MODULE}";
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  const foreground = takeForeground();
  Deno.kill(Deno.pid, "SIGTERM");
  Deno.kill(Deno.pid, "SIGHUP");
  await turn();
  await foreground.run({
    terminal: undefined,
    start: () => console.log("start"),
    signal: (signal) => console.log(signal),
    wait: turn,
  });
  Deno.exit();
`;

Deno.test("signals that come before the program starts wait for it", async () => {
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", EARLY], env: { NO_COLOR: "1" } });
  const { code, stdout } = await command.output();
  const [first, ...signals] = new TextDecoder().decode(stdout).trim().split("\n");
  // Of two that are pending the kernel may deliver either first.
  assertEquals([code, first, signals.toSorted()], [0, "start", ["1", "15"]]);
});

/** As a program that has become somebody whom we may not signal. */
const DENIED = `
  import { takeForeground } from "${MODULE}";
  import { SyscallError } from "${module("errors")}";
  import { errnoInfo } from "${module("linux/libc")}";
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  const foreground = takeForeground();
  await foreground.run({
    terminal: undefined,
    start: () => Deno.kill(Deno.pid, "SIGTERM"),
    signal: () => {
      throw new SyscallError("pidfd_send_signal", errnoInfo(1));
    },
    wait: turn,
  });
  Deno.exit(7);
`;

Deno.test("a signal that cannot be passed on is told of, and the program stays in the foreground", async () => {
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", DENIED], env: { NO_COLOR: "1" } });
  const { code, stderr } = await command.output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 7, text);
  assertStringIncludes(
    text,
    "hako: warning: cannot pass on signal 15: pidfd_send_signal: operation not permitted (EPERM)\n",
  );
});
