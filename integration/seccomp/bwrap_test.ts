/** A filter of the command line in bubblewrap: what it denies fails, what it allows works. */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url).pathname;
const POLICY = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
};

function hasBubblewrap(): boolean {
  try {
    return new Deno.Command("bwrap", { args: ["--ro-bind", "/", "/", "/bin/true"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const ignore = !hasBubblewrap();
const reason = ignore ? " (skipped: no bwrap, or none that may make namespaces)" : "";

Deno.test({ name: `bwrap --seccomp takes the output of compile${reason}`, ignore }, () => {
  const [policy, filter] = [Deno.makeTempFileSync(), Deno.makeTempFileSync()];
  try {
    Deno.writeTextFileSync(policy, JSON.stringify(POLICY));
    const run = (shell: string) => {
      const { code, stdout, stderr } = new Deno.Command("bash", { args: ["-c", shell], cwd: ROOT })
        .outputSync();
      return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    };
    const deno = Deno.execPath();
    assertEquals(run(`${deno} run -A bpf-compiler/main.ts compile < ${policy} > ${filter}`), {
      code: 0,
      output: "",
    });
    const inside = (command: string) =>
      run(`bwrap --ro-bind / / --tmpfs /tmp --seccomp 9 sh -c '${command}' 9< ${filter}`);
    assertEquals(inside("touch /tmp/file && echo works"), { code: 0, output: "works\n" });
    const { code, output } = inside("LC_ALL=C mkdir /tmp/folder");
    assertEquals([code, /Operation not supported/.test(output)], [1, true]);
  } finally {
    Deno.removeSync(policy);
    Deno.removeSync(filter);
  }
});
