/** What the program opens and connects to, where Deno's permissions cannot keep it from more. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { build } from "../../build.ts";
import { without } from "./clean_root.ts";
import { type Box, containerTest } from "../support/fixture.ts";
import { run } from "../support/hako.ts";

Deno.test("Deno's permissions could not be narrower: only --allow-all reaches /proc and /sys", async () => {
  for (const denied of ["--deny-net", "--deny-run", "--deny-import"]) {
    const code = "Deno.readTextFileSync('/proc/self/uid_map')";
    const file = Deno.makeTempFileSync({ suffix: ".js" });
    try {
      Deno.writeTextFileSync(file, code);
      const command = [Deno.execPath(), "run", "--quiet", "--no-config"];
      assertEquals((await run([...command, "--allow-all", file])).status, 0);
      assertStringIncludes(
        (await run([...command, "--allow-all", denied, file])).stderr,
        'NotCapable: Requires all access to "/proc/self/uid_map"',
      );
    } finally {
      Deno.removeSync(file);
    }
  }
});

const reason = without("strace");
const name = "a run opens no code but its own, executes nothing else, and connects to nobody";
if (reason) Deno.test({ name: `${name} (skipped: ${reason})`, ignore: true, fn() {} });
else {
  containerTest(name, async (box) => {
    const dist = `${box.directory}/dist`;
    const hako = build(dist);
    await trace(box, hako, { executed: [hako], opened: "" });
    const deno = "hako\\.js|seccomp\\.js|deno|cache/[a-z0-9_]+_v2(-wal|-shm)?";
    const executed = [`${dist}/hako.js`, `${dist}/deno`];
    await trace(box, `${dist}/hako.js`, { executed, opened: `${dist}/(${deno})$|/etc/ld\\.so\\.cache$|` });
  });
}

/** What a run executes and opens, up to what the container itself does. */
async function trace(
  box: Box,
  program: string,
  own: { readonly executed: readonly string[]; readonly opened: string },
): Promise<void> {
  const trace = `${box.directory}/trace`;
  const { status, stdout, stderr } = await box.run({
    runtime: [program],
    under: ["strace", "--follow-forks", "--trace=execve,connect,open,openat", "--output", trace],
    script: "echo hello",
    env: { HOME: box.directory },
  });
  assertEquals([status, stdout, stderr], [0, "hello\n", ""]);
  // Up to what the container itself does.
  const lines = Deno.readTextFileSync(trace).split("\n").filter((line) => !line.includes(" = -1 E"));
  const container = lines.findIndex((line) => line.includes('execve("/bin/sh"'));
  assert(container > 0, "no program of the container's");
  const ours = lines.slice(0, container);

  const executed = ours.flatMap((line) => /execve\("([^"]*)"/.exec(line)?.[1] ?? []);
  assertEquals(executed.map((path) => path.replace(/\d+$/, "N")), [
    ...own.executed,
    "/proc/self/fd/N",
  ]);
  const connected = ours.filter((line) =>
    line.includes("connect(") && !line.includes(`sun_path="${box.directory}/`)
  );
  assertEquals(connected, []);

  const expected = new RegExp(
    `^(${own.opened}${box.directory}/(state|bundle)|` +
      `/(proc|sys|dev|lib|lib64|usr/lib|run/hako-cache)/|/etc/localtime$|/(proc)?$|[^/]|$)`,
  );
  // Whether it could be opened, the line of another call tells.
  const opened = ours.filter((line) => !line.includes("<unfinished")).flatMap((line) =>
    /open(?:at)?\((?:[^,]*, )?"([^"]*)"/.exec(line)?.[1] ?? []
  );
  assert(opened.length > 20);
  assertEquals([...new Set(opened)].filter((path) => !expected.test(path)), []);
}
