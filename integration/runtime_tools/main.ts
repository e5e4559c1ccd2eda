/**
 * `integration/runtime_tools/run [PROGRAM...]`: the validation suite of opencontainers/runtime-tools against Hako, or
 * against the runtime that RUNTIME names: `RUNTIME=runc`. Prints TAP and a sum, and fails if anything but the programs
 * that cannot pass does not.
 *
 * @module
 */
import { build } from "../../build.ts";
import { exists } from "../support/files.ts";
import { Box } from "../support/fixture.ts";
import { run } from "../support/hako.ts";
import { leaks, snapshot } from "../support/leaks.ts";
import { withV1Controllers } from "../support/v1_controllers.ts";
import { type Expected, expected, type Machine, unknownPrograms } from "./impossible.ts";
import { prepareSuite, type Suite, Unavailable } from "./suite.ts";
import { assertions, type Outcome, passes, retry, TRIES } from "./verdict.ts";

const SECONDS = 60;

/** The programs that use {@linkcode CGROUPS}. */
const IN_CGROUP = /^(linux_cgroups_|delete_.*resources$)/;

/** The suite's programs use these and no others. The parent of a relative path stays, as with runc. */
const CGROUPS = "/sys/fs/cgroup/*/cgrouptest /sys/fs/cgroup/*/testdir";

type Result = "passed" | "failed" | "skipped";

type Run = Outcome & { readonly stderr: string };

async function main(only: readonly string[]): Promise<boolean> {
  let suite: Suite;
  try {
    if (Deno.uid() !== 0) throw new Unavailable("needs root");
    suite = await prepareSuite();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`1..0 # SKIP ${error.message}\n\n0 passed, 0 failed, 1 skipped`);
    return true;
  }
  const strange = unknownPrograms(suite.programs);
  if (strange.length > 0) throw new Error(`not programs of the suite: ${strange.join(", ")}`);
  const box = new Box();
  const before = snapshot(box.id);
  let left: string[];
  let right: boolean;
  try {
    right = await withV1Controllers(["hugetlb", "net_cls", "net_prio"], async (under) => {
      const session = new Session(suite, box, under);
      return await session.run(only.length === 0 ? suite.programs : only);
    });
  } finally {
    // Descriptors of this process are Deno's: the containers belong to other processes.
    left = (await leaks(before, box.id)).filter((what) => !what.startsWith("descriptor"));
    await box.remove();
  }
  left.forEach((what) => console.error(`left behind: ${what}`));
  return right && left.length === 0;
}

/** One run of the suite. */
class Session {
  readonly #suite: Suite;
  readonly #box: Box;
  readonly #under: readonly string[];
  readonly #runtime: string;
  readonly #counts: Record<Result, number> = { passed: 0, failed: 0, skipped: 0 };
  #assertions = { ok: 0, notOk: 0 };
  #printed = 0;

  constructor(suite: Suite, box: Box, under: readonly string[]) {
    this.#suite = suite;
    this.#box = box;
    this.#under = under;
    this.#runtime = makeRuntime(box);
  }

  async run(programs: readonly string[]): Promise<boolean> {
    const machine = await this.#machine();
    console.log(`TAP version 13\n1..${programs.length}`);
    // Most of the time they sleep, so two at once; but those of cgroups are all in the same ones.
    const inCgroup = (program: string) => IN_CGROUP.test(program);
    const lane = async (programs: readonly string[]) => {
      for (const program of programs) {
        const wanted = expected(program, machine);
        this.#report(program, await this.#try(program, wanted), wanted);
      }
    };
    await Promise.all([
      lane(programs.filter(inCgroup)),
      lane(programs.filter((program) => !inCgroup(program))),
    ]);
    await this.#removeLeftovers();
    const { passed, failed, skipped } = this.#counts;
    console.log(`\nassertions: ${this.#assertions.ok} ok, ${this.#assertions.notOk} not ok`);
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed === 0;
  }

  /** Some programs leave their container to us. */
  async #removeLeftovers(): Promise<void> {
    for (const { name } of exists(this.#box.state) ? Deno.readDirSync(this.#box.state) : []) {
      await run([...this.#under, this.#runtime, "delete", "--force", name]);
    }
    await run([...this.#under, "sh", "-c", `find ${CGROUPS} -depth -type d -exec rmdir {} + 2>/dev/null`]);
  }

  /** Runs a program to its verdict. */
  #try(program: string, wanted: Expected): Promise<Run> {
    const race = wanted.verdict === "pass" ? wanted.race : undefined;
    const failed = (run: Run, number: number) =>
      console.log(`# try ${number} of ${TRIES} of ${program} failed, which ${race}:\n${explain(run)}`);
    return race === undefined ? this.#execute(program) : retry(() => this.#execute(program), failed);
  }

  /** The mounts that a program leaves behind end with its namespace. */
  async #execute(program: string): Promise<Run> {
    const namespaces = ["unshare", "--mount", "--cgroup", "--propagation", "private"];
    const limit = ["timeout", "--kill-after=10", `${SECONDS}`];
    const [command, ...args] = [...limit, ...this.#under, ...namespaces, `./${program}`];
    const { code, stdout, stderr } = await new Deno.Command(command!, {
      args,
      cwd: this.#suite.directory,
      env: { RUNTIME: this.#runtime, TMPDIR: this.#box.directory },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { status: code, stdout: text(stdout), stderr: text(stderr) };
  }

  #report(program: string, outcome: Run, wanted: Expected): void {
    const { ok, notOk } = assertions(outcome);
    this.#assertions = { ok: this.#assertions.ok + ok, notOk: this.#assertions.notOk + notOk };
    const line = `${++this.#printed} - ${program}`;
    if (passes(outcome) && wanted.verdict === "fail") {
      this.#counts.failed++;
      return console.log(`not ok ${line}\n  # passes, but is listed as impossible: ${wanted.reason}`);
    }
    if (passes(outcome)) {
      this.#counts.passed++;
      return console.log(`ok ${line}`);
    }
    if (wanted.verdict !== "pass") {
      this.#counts.skipped++;
      return console.log(`ok ${line} # SKIP ${wanted.reason}`);
    }
    this.#counts.failed++;
    console.log(`not ok ${line}\n${explain(outcome)}`);
  }

  async #machine(): Promise<Machine> {
    const capabilities = /^CapEff:\s*(\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]!;
    const last = BigInt(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap"));
    const { stdout } = await run([...this.#under, "cat", "/proc/self/mountinfo"]);
    const appArmor = "/sys/module/apparmor/parameters/enabled";
    return {
      pureV2: / \/sys\/fs\/cgroup .* - cgroup2 /.test(stdout),
      v1: [...stdout.matchAll(/ \/sys\/fs\/cgroup\/(\S+) .* - cgroup /g)].map(([, name]) => name!),
      allCapabilities: BigInt(`0x${capabilities}`) === (1n << (last + 1n)) - 1n,
      appArmor: exists(appArmor) && Deno.readTextFileSync(appArmor).startsWith("Y"),
    };
  }
}

/** The suite gives the runtime neither options nor a directory for its state. */
function makeRuntime(box: Box): string {
  const runtime = Deno.env.get("RUNTIME") ?? build(`${box.directory}/dist`);
  const wrapper = `${box.directory}/runtime`;
  // crun before 1.9 refuses a version of the specification that is newer than itself.
  const crun = /^(.*\/)?crun$/.test(runtime)
    ? `[ "$1" != create ] || sed -i 's/"ociVersion": *"[^"]*"/"ociVersion":"1.0.2"/' "$3/config.json"\n`
    : "";
  Deno.writeTextFileSync(wrapper, `#!/bin/sh\n${crun}exec ${runtime} --root ${box.state} "$@"\n`, {
    mode: 0o755,
  });
  return wrapper;
}

function explain({ status, stdout, stderr }: Run): string {
  const lines = stdout.split("\n");
  const failures = lines.flatMap((line, index) =>
    line.startsWith("not ok") ? lines.slice(index, index + 8) : []
  );
  const what = failures.length > 0 ? failures : lines;
  return [`exit status ${status}`, ...stderr.trim().split("\n"), ...what.slice(0, 60)]
    .map((line) => `  # ${line}`).join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
