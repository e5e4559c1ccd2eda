import { assertEquals } from "@std/assert";

const MODULE = import.meta.resolve("../../../runtime/container/foreground.ts");

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
