/**
 * Programs that are installed where nothing of Hako is, and then tried.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";

export interface Surroundings {
  readonly cwd?: string;
  /** All that there is of it. Absent: the caller's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command that has to succeed. @returns its stdout */
export function command(words: readonly string[], { cwd, env }: Surroundings = {}): string {
  const [program, ...args] = words;
  const { success, stdout, stderr } = new Deno.Command(program!, {
    args,
    cwd,
    env,
    clearEnv: env !== undefined,
    stdin: "null",
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${words.join(" ")}: ${text(stdout)}${text(stderr)}`);
  return text(stdout);
}

/** The reason why there is no `program`, if so. */
export function without(...programs: readonly string[]): string | undefined {
  const missing = programs.find((program) =>
    !new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync().success
  );
  return missing && `no ${missing}`;
}

/** Defines a test in a directory of its own. */
export function installTest(
  name: string,
  skip: string | undefined,
  fn: (directory: string) => void | Promise<void>,
): void {
  Deno.test({
    name: skip === undefined ? name : `${name} (skipped: ${skip})`,
    ignore: skip !== undefined,
    async fn() {
      const directory = Deno.makeTempDirSync({ prefix: "hako-install-" });
      try {
        Deno.chmodSync(directory, 0o755);
        await fn(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

/**
 * Tries all that a Hako needs beside itself: foreign calls, the init's machine code, the seccomp compiler, what is imported
 * late. As root, but for the version.
 */
export function assertWorks(hako: string, directory: string, env: Readonly<Record<string, string>>): void {
  const run = (...args: string[]) => command([hako, ...args], { env, cwd: "/" });
  assertMatch(run("--version"), /^hako version /);
  assertMatch(run("bpf", "help"), /compile/);
  if (Deno.uid() !== 0) return;
  const bundle = `${directory}/bundle`;
  run("spec", "--host", "--bundle", bundle);
  const file = `${bundle}/config.json`;
  const { process, linux, ...rest } = JSON.parse(Deno.readTextFileSync(file));
  const seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }],
  };
  const args = ["sh", "-c", "mkdir /tmp/x 2> /dev/null || echo ran in $(hostname)"];
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      ...rest,
      hostname: "clean",
      process: { ...process, terminal: false, args },
      linux: { ...linux, seccomp },
    }),
  );
  const id = `hako-install-${Deno.pid}`;
  assertEquals(run("--root", `${directory}/state`, "run", "--bundle", bundle, id), "ran in clean\n");
  run("compile", "--bundle", bundle, "--output", `${directory}/compiled`);
  assertEquals(command([`${directory}/compiled`], { env: {} }), "ran in clean\n");
}
