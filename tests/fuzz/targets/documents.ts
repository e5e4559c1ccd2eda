/** Documents of JSON: config.json, process.json, resources, seccomp policies, state.json. @module */
import { assert, assertEquals } from "@std/assert";
import { findAbi } from "../../../bpf-compiler/abi.ts";
import {
  callWords,
  decodeProgram,
  type Policy,
  PolicyError,
  refusal,
  verdictFor,
} from "../../../bpf-compiler/mod.ts";
import { cgroupFiles, type Hierarchy, mergeResources, withDefaultDevices } from "../../../cgroups/mod.ts";
import { deviceProperties, resourceProperties, withRoundQuota } from "../../../cgroups/systemd/properties.ts";
import { Container } from "../../../runtime/container/container.ts";
import { ConfigError } from "../../../runtime/errors.ts";
import { encode } from "../../../runtime/init/encode.ts";
import type { Config } from "../../../runtime/spec/config.ts";
import { formatPlan, planToJson } from "../../../runtime/plan/format.ts";
import { hostFromJson } from "../../../runtime/plan/host.ts";
import type { Node, Plan } from "../../../runtime/plan/node.ts";
import { planCreate } from "../../../runtime/plan/plan.ts";
import { planExec } from "../../../runtime/plan/plan_exec.ts";
import { checkPlan } from "../../../runtime/plan/rules.ts";
import { parseConfig, parseProcess, parseResources } from "../../../runtime/spec/parse.ts";
import { compileSeccomp } from "../../../wasm/mod.ts";
import { ALL_V1 } from "../../cgroups/fake.ts";
import { expectedVerdict } from "../../bpf-compiler/oracle.ts";
import { interestingCalls, Random as PolicyRandom } from "../../bpf-compiler/random.ts";
import { randomHost } from "../host.ts";
import { mutateJson } from "../mutate_text.ts";
import { checkProgram } from "../program.ts";
import { Random } from "../random.ts";
import { hashOf, type Target } from "../target.ts";

const GOLDEN = new URL("../../golden/", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, GOLDEN));
const names = [...Deno.readDirSync(GOLDEN)].map(({ name }) => name).filter((name) => name !== "exec").sort();
const CPUS = ["x86_64", "aarch64"] as const;

const configs: Config[] = names.map((name) => JSON.parse(read(`${name}/config.json`)));
const text = (value: unknown) => JSON.stringify(value);

/** What the plan is made of: each pair of calls that follow each other. */
function shapeOf(plan: Plan): string[] {
  const calls = function* (nodes: readonly Node[]): Generator<string> {
    for (const node of nodes) {
      if (node.kind === "step") yield node.call;
      else if (node.kind === "barrier") yield node.name;
      else if (node.kind === "attempt") {
        yield `${node.step.call}?`;
        yield* calls(node.then);
        yield* calls(node.otherwise);
      } else yield node.kind;
    }
  };
  const flat = [...calls(plan)];
  return [...new Set(flat.map((call, index) => `${call} ${flat[index + 1] ?? "end"}`))];
}

/** It obeys all rules, can be printed, and becomes a program whose jumps and addresses are its own. */
function checked(plan: Plan): string[] {
  assertEquals(checkPlan(plan), []);
  formatPlan(plan);
  JSON.stringify(planToJson(plan));
  for (const cpu of CPUS) checkProgram(encode(plan, cpu, { $status: 3, $barrier: 4, $pidfd: 5 }));
  return shapeOf(plan);
}

/** An error points to a member, or to one that is missing from an object. `prefix`: where the document would be. */
function withPlaces(run: (input: string) => string[], prefix = ""): (input: string) => string[] {
  return (input) => {
    try {
      return run(input);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { pointer } = error;
      const inside = pointer === prefix || pointer.startsWith(`${prefix}/`);
      assert(
        inside && isPlace(input, pointer.slice(prefix.length)),
        `${error.message}: there is no such place`,
      );
      throw error;
    }
  };
}

function isPlace(input: string, pointer: string): boolean {
  if (pointer === "") return true;
  const path = pointer.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = path.pop()!;
  let value: unknown = JSON.parse(input);
  for (const name of path) {
    value = Object.hasOwn(value as object, name) && (value as Record<string, unknown>)[name];
  }
  return typeof value === "object" && value !== null && (!Array.isArray(value) || Object.hasOwn(value, last));
}

const config: Target = {
  seeds: configs.map(text),
  mutate: mutateJson,
  run: withPlaces((input) => {
    const config = parseConfig(input);
    return checked(planCreate(config, randomHost(config, new Random(hashOf(input)))));
  }),
};

const containers = names.map((name) => ({
  config: parseConfig(read(`${name}/config.json`)),
  host: hostFromJson(read(`${name}/host.json`)),
}));

const process: Target = {
  seeds: [
    ...[...Deno.readDirSync(new URL("exec/", GOLDEN))].map(({ name }) => read(`exec/${name}`)),
    ...configs.flatMap(({ process }) => process === undefined ? [] : [text(process)]),
  ],
  mutate: mutateJson,
  run: withPlaces((input) => {
    const process = parseProcess(input);
    const { config, host } = new Random(hashOf(input)).pick(containers);
    return checked(planExec(config, process, host, { pid: 7 }));
  }, "/process"),
};

/** Machines with all controllers. */
const MACHINES: readonly (readonly Hierarchy[])[] = [
  [...ALL_V1, ""].map((controllers) => ({ controllers, mountPoint: `/${controllers}`, cgroup: "/" })),
  [{ controllers: "", mountPoint: "/", cgroup: "/" }],
];

const resources: Target = {
  seeds: configs.flatMap(({ linux }) => linux?.resources ? [text(linux.resources)] : []),
  mutate: mutateJson,
  run: withPlaces((input) => {
    const resources = parseResources(input);
    const merged = mergeResources(withDefaultDevices(resources), resources);
    deviceProperties(merged);
    return MACHINES.flatMap((hierarchies) => {
      const files = cgroupFiles(withRoundQuota(merged), hierarchies);
      return files.flatMap(({ hierarchy, settings, devices }) => {
        for (const { value } of settings) assert(!value.includes("\0"), value);
        if (hierarchy.controllers === "") resourceProperties(settings, () => 252);
        // Those of "unified" have the names that the input gives them.
        const written = settings.map(({ file }) => file).filter((file) => !input.includes(file));
        return [...written, ...devices === undefined ? [] : ["devices"]];
      });
    });
  }, "/linux/resources"),
};

const seccomp: Target = {
  seeds: configs.flatMap(({ linux }) => linux?.seccomp ? [text(linux.seccomp)] : []),
  mutate: mutateJson,
  run(input) {
    let policy: Policy;
    try {
      policy = JSON.parse(input);
    } catch {
      return ["no JSON"];
    }
    return CPUS.flatMap((native) => compiled(policy, native));
  },
};

/** The program is one that the kernel takes, and does what the policy says, for calls around all that it mentions. */
function compiled(policy: Policy, native: string): string[] {
  let program: Uint8Array;
  try {
    ({ program } = compileSeccomp(policy, { native }));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    // As `runtime/container/filter.ts` does.
    throw new ConfigError(`/linux/seccomp${error.pointer}`, error.problem);
  }
  const { bigEndian } = findAbi(native)!;
  // As with Go's JSON a null is as good as absent.
  const plain = JSON.parse(JSON.stringify(policy), (_, value) => value ?? undefined);
  const instructions = decodeProgram(program, { bigEndian });
  assertEquals(refusal(instructions), undefined);
  for (const call of interestingCalls({ policy: plain, native }, new PolicyRandom(hashOf(native)), 30)) {
    assertEquals(
      verdictFor(instructions, callWords(call, bigEndian)),
      expectedVerdict(plain, call, { native }),
      JSON.stringify({ ...call, args: call.args.map(String) }),
    );
  }
  return instructions.map(({ code }, index) => `${code} ${instructions[index + 1]?.code ?? "end"}`);
}

const directory = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "hako-fuzz-" });
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

const state: Target = {
  seeds: [text({
    id: "c",
    pid: 1,
    startTime: 5,
    records: 100,
    bundle: "/bundle",
    rootfs: "/bundle/rootfs",
    created: "2026-11-23T00:00:00Z",
    owner: 0,
    cgroupPaths: { devices: "/sys/fs/cgroup/devices/hako-fuzz", "": "/sys/fs/cgroup/unified/hako-fuzz" },
  })],
  mutate: mutateJson,
  run(input) {
    Deno.mkdirSync(`${directory}/c`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/c/state.json`, input);
    // All that is done before anything is changed.
    return [Container.load(directory, "c").status()];
  },
};

export const documents: Readonly<Record<string, Target>> = {
  config,
  process,
  resources,
  seccomp,
  state,
};
