/** `hako bpf`: the tool by its command line, and on live processes. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Box, containerTest } from "../support/fixture.ts";
import { HAKO, type Result, run } from "../support/hako.ts";

const GOLDEN = new URL("../../tests/golden/", import.meta.url).pathname;
const DOCKER = `${GOLDEN}docker-default/config.json`;
const PODMAN = `${GOLDEN}podman-default/config.json`;

function bpf(args: readonly string[], stdin?: string): Promise<Result> {
  return run([...HAKO, "bpf", ...args], { stdin });
}

Deno.test("bpf reads files and stdin, and writes stdout", async () => {
  const text = Deno.readTextFileSync(DOCKER);
  const [fromFile, fromStdin] = [await bpf(["stats", DOCKER]), await bpf(["stats"], text)];
  assertMatch(fromFile.stdout, /^\d+ instructions\nallowed: /);
  assertEquals(fromStdin, fromFile);
  assertMatch((await bpf(["compile", "--format=c"], text)).stdout, /^(\{ 0x\w\w, \d+, \d+, 0x\w{8} \},\n)+$/);
  assertMatch((await bpf(["trace", "mount", "0", "--program", DOCKER])).stdout, /ERRNO\(1\) after \d+/);
});

Deno.test("bpf compile writes what disasm reads", async () => {
  const [compiler, ...words] = HAKO;
  const pipe = `"$@" bpf compile ${DOCKER} | "$@" bpf disasm`;
  const { stdout } = await run(["sh", "-c", pipe, "sh", compiler!, ...words]);
  assertEquals(stdout, (await bpf(["compile", "--format", "asm", DOCKER])).stdout);
});

Deno.test("bpf exits with 1 for an answer, and with 2 for what it cannot do", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "hako-bpf-" });
  const bytes = (length: number) => {
    const path = `${directory}/${length}`;
    Deno.writeFileSync(path, new Uint8Array(length).fill(0xff));
    return path;
  };
  assertEquals(await bpf(["diff", DOCKER, DOCKER]), { status: 0, stdout: "equivalent\n", stderr: "" });
  const different = await bpf(["diff", DOCKER, PODMAN]);
  assertEquals(different.status, 1);
  assertMatch(different.stdout, /^different\n\w+\(0x/);
  for (
    const [args, message] of [
      [["paint"], /^hako: unknown command paint\n$/],
      [["stats", "/nothing"], /read \/nothing: no such file or directory/],
      [["stats", bytes(9)], /is no BPF program: 9 bytes/],
      [["stats", bytes(8)], /instruction 0 is unknown: 0xffff/],
      [["stats", bytes(8 * 4097)], /has 4097 instructions, and the kernel takes 4096/],
      [["dump", `${2 ** 22 + 1}`], /^hako: ptrace \/proc\/\d+: no such process \(ESRCH\)\n$/],
      [["dump", `${Deno.pid}`], /^hako: process \d+ has no filter 0\n$/],
    ] as const
  ) {
    const { status, stdout, stderr } = await bpf(args);
    assertEquals([status, stdout], [2, ""], stderr);
    assertMatch(stderr, message);
  }
  assertMatch((await bpf(["stats"], "{ nothing")).stderr, /is not JSON: .*position 2 \(line 1 column 3\)/);
  Deno.removeSync(directory, { recursive: true });
});

/** A container of `runtime` that waits, with the config of an engine. @returns its first process */
async function started(box: Box, runtime: readonly string[], golden: string): Promise<number> {
  const pidFile = `${box.directory}/pid`;
  const { path } = box.bundle({
    golden,
    args: ["/bin/sleep", "60"],
    config: { ociVersion: "1.0.2", hooks: null, process: { rlimits: null }, linux: { resources: null } },
  });
  // Without pipes, which the container would keep open.
  const detached = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1', "sh"];
  const options = ["--detach", "--pid-file", pidFile];
  const { status } = await run(box.command(path, { id: box.id, runtime, options, under: detached }));
  assertEquals(status, 0);
  return Number(Deno.readTextFileSync(pidFile));
}

/** Writes the filter of a process to a file. @returns its path */
async function dumped(box: Box, pid: number): Promise<string> {
  const path = `${box.directory}/filter`;
  const { stderr } = await run(["sh", "-c", `exec "$@" > ${path}`, "sh", ...HAKO, "bpf", "dump", `${pid}`]);
  assertEquals(stderr, "");
  return path;
}

for (const [name, config] of Object.entries({ "docker-default": DOCKER, "podman-default": PODMAN })) {
  containerTest(`bpf dump: a container has the filter that was compiled: ${name}`, async (box) => {
    const filter = await dumped(box, await started(box, HAKO, name));
    const asm = async (...args: string[]) => (await bpf(args)).stdout;
    assertEquals(await asm("disasm", filter), await asm("compile", "--format=asm", config));
    await run([...HAKO, "--root", box.state, "delete", "--force", box.id]);
  });

  containerTest(`the filter that runc loads does the same as ours, for every call: ${name}`, async (box) => {
    const filter = await dumped(box, await started(box, ["runc"], name));
    const { stdout } = await bpf(["diff", filter, config]);
    await run(["runc", "--root", box.state, "delete", "--force", box.id]);
    assertEquals(stdout, "equivalent\n");
  }, { needs: ["runc"] });
}
