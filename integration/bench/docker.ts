/**
 * `docker run --rm` with each runtime, in turn; on the private machine of `integration/engines/start`. Its argument is
 * JSON, `{ runtimes, runs }`; the last line of its output is JSON, milliseconds of each.
 *
 * @module
 */
import { docker, IMAGE, startDocker } from "../docker/docker.ts";
import { expect } from "../engines/suite.ts";

interface Order {
  readonly runtimes: Readonly<Record<string, string>>;
  readonly runs: number;
}

const { runtimes, runs }: Order = JSON.parse(Deno.args[0]!);
const names = Object.keys(runtimes);
// Under names of their own: `runc` is Docker's, and what is named hako is the default there.
const options = names.flatMap((name) => ["--add-runtime", `bench-${name}=${runtimes[name]}`]);
await startDocker("docker", docker, options);
const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
// The first of each is not counted.
for (let round = 0; round <= runs; round++) {
  for (let index = 0; index < names.length; index++) {
    const name = names[(round + index) % names.length]!;
    const start = performance.now();
    const words = ["run", "--rm", "--network", "none", "--runtime", `bench-${name}`, IMAGE, "true"];
    expect(await docker(...words), { stdout: "", stderr: "" });
    if (round > 0) times[name]!.push(performance.now() - start);
  }
}
console.log(JSON.stringify(times));
Deno.exit(0);
