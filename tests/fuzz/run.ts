/**
 * `deno task fuzz [--minutes N] [--seed S] [--keep] [TARGET]...`: fuzzes each target for its part of the time, in a process of its
 * own, and prints what it did. An input that crashes, that takes more than five seconds, or that fails in any way which is not
 * on purpose is made as small as it goes and kept in tests/fuzz/found, which the unit tests try from then on. `--keep` writes
 * the corpus anew. `--replay FILE TARGET` tries one input.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { writeFound } from "./store.ts";
import { hashOf, outcome } from "./target.ts";
import { targets } from "./targets/mod.ts";
import type { Report } from "./worker.ts";

/** No input may take longer: of the processor's time, for others may have most of it. */
const LIMIT_MILLISECONDS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
    keep: { type: "boolean", default: false },
    replay: { type: "string" },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(targets);
const unknown = names.find((name) => !Object.hasOwn(targets, name));
if (unknown !== undefined) {
  console.error(`no target "${unknown}": ${Object.keys(targets).join(", ")}`);
  Deno.exit(2);
}
if (values.replay !== undefined) {
  console.log(outcome(targets[names[0]!]!, Deno.readTextFileSync(values.replay)).join("\n"));
  Deno.exit();
}

/** What a process said that fuzzed a target, or the input that it ended with. */
async function fuzz(
  name: string,
  seconds: number,
): Promise<Report | { readonly input: string; readonly why: string }> {
  const file = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "hako-fuzz-" });
  const worker = new URL("worker.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", worker, name, values.seed, `${seconds}`, file];
  if (values.keep) args.push("--keep");
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  let hangs = false;
  let last = { input: 0, cpu: 0, time: 0 };
  const watch = setInterval(() => {
    const { mtime, size } = Deno.statSync(file);
    const now = { input: mtime!.getTime(), cpu: cpuMilliseconds(child.pid), time: Date.now() };
    if (now.input !== last.input) last = now;
    // Empty as long as the process starts; and in the end it makes the failures smaller.
    if (size === 0 || now.time > end) return;
    hangs = now.cpu - last.cpu > LIMIT_MILLISECONDS || now.time - last.time > 20 * LIMIT_MILLISECONDS;
    if (hangs) child.kill("SIGKILL");
  }, 500);
  const end = Date.now() + 1000 * seconds;
  const { code, stdout, stderr } = await child.output();
  clearInterval(watch);
  const input = Deno.readTextFileSync(file);
  Deno.removeSync(file);
  if (hangs) return { input, why: `takes more than ${LIMIT_MILLISECONDS} ms` };
  const decoder = new TextDecoder();
  if (code !== 0) {
    return { input, why: `the process ended with ${code}: ${decoder.decode(stderr).slice(-2000)}` };
  }
  return JSON.parse(decoder.decode(stdout).trim().split("\n").at(-1)!);
}

/** What a process has used: utime and stime of proc_pid_stat(5), in ticks of 10 ms. */
function cpuMilliseconds(pid: number): number {
  try {
    const [, , , ...fields] = Deno.readTextFileSync(`/proc/${pid}/stat`).split(" ");
    return 10 * (Number(fields[10]) + Number(fields[11]));
  } catch {
    return 0; // It has ended.
  }
}

function tell(name: string, input: string, why: string): void {
  const path = writeFound(name, hashOf(input), input);
  console.log(`\nFOUND ${name}, in ${path}: ${JSON.stringify(input).slice(0, 1000)}\n${why}\n`);
}

console.log(`seed ${values.seed}, ${values.minutes} minutes for ${names.length} targets`);
const seconds = 60 * Number(values.minutes) / names.length;
let [cases, found] = [0, 0];
for (const name of names) {
  const report = await fuzz(name, seconds);
  if ("why" in report) {
    tell(name, report.input, report.why);
    found++;
    continue;
  }
  cases += report.cases;
  found += report.failures.length;
  for (const { input, text } of report.failures) tell(name, input, text);
  const { covered, added, corpus, outcomes } = report;
  console.log(
    `${name.padEnd(10)} ${`${report.cases}`.padStart(8)} cases, corpus ${`${corpus}`.padStart(5)}, ` +
      `coverage ${`${covered}`.padStart(6)} (+${added}), ${`${outcomes}`.padStart(5)} outcomes`,
  );
}
console.log(`fuzz: ${cases} cases, ${found} failures`);
console.log(`${names.length - Math.min(found, names.length)} passed, ${found} failed`);
Deno.exit(found === 0 ? 0 : 1);
