/**
 * Debian's libseccomp against ours: programs are proven to be equivalent, not sampled.
 *
 * Only with EQ, NE and MASKED_EQ. Where entries for one call overlap with different actions, libseccomp's order is its
 * own, so each random policy has one action.
 */

import { assert, assertEquals } from "@std/assert";
import { type Arg, type Entry, type Operator, type Policy, verdictText } from "../../bpf-compiler/mod.ts";
import { sinceKernel } from "../../bpf-compiler/syscalls.ts";
import { Random } from "../../tests/bpf-compiler/random.ts";
import { compareFilters, compileSeccomp } from "../../wasm/mod.ts";
import { asText } from "./libseccomp.ts";
import { build, run, tested } from "./native.ts";

const binary = Deno.build.arch === "x86_64" ? build("libseccomp", "-lseccomp") : undefined;

async function compareWithLibseccomp(policy: Policy, optimize: "1" | "2"): Promise<"refused" | "same"> {
  const { code, stdout, stderr } = await run(binary!, [optimize], asText(policy));
  // -EEXIST: two entries that it will not have both. A diagnostic for us, as one of them counts.
  if (code === 2) return "refused";
  assertEquals(code, 0, stderr);
  const ours = compileSeccomp(policy, { native: "x86_64", newer: "default" }).program;
  const compared = compareFilters(stdout, ours);
  assertEquals(compared.result, "equivalent", describe(policy, compared));
  return "same";
}

/** libseccomp 2.5.4 knows the calls of Linux 5.17, and some newer ones on some architectures. */
function withoutNewNames(policy: Policy): Policy {
  const isOld = (name: string) => {
    const [major = 0, minor = 0] = (sinceKernel(name) ?? "0").split(".").map(Number);
    return major < 5 || (major === 5 && minor <= 17);
  };
  return {
    ...policy,
    syscalls: policy.syscalls?.map((entry) => ({ ...entry, names: entry.names.filter(isOld) }))
      .filter(({ names }) => names.length > 0),
  };
}

function describe(policy: Policy, compared: ReturnType<typeof compareFilters>): string {
  const text = JSON.stringify(policy, (_, value) => typeof value === "bigint" ? `${value}` : value);
  if (compared.result !== "different") return text;
  const { data, first, second } = compared.example;
  const words = [...new Uint32Array(data.slice().buffer)].map((word) => word.toString(16));
  return `${verdictText(first)} there, ${verdictText(second)} here for ${words}: ${text}`;
}

for (const name of ["moby-default", "docker20.10.24-default", "podman431-default"]) {
  tested(`${name}: equivalent to libseccomp's program`, binary, async () => {
    const file = new URL(`../../tests/bpf-compiler/profiles/${name}.json`, import.meta.url);
    const policy = withoutNewNames(JSON.parse(Deno.readTextFileSync(file)));
    assertEquals(await compareWithLibseccomp(policy, "1"), "same");
    assertEquals(await compareWithLibseccomp(policy, "2"), "same");
  });
}

// On x86_64 alone: what 32-bit words do to data, and socketcall(2) and ipc(2), the evaluator judges.
const NAMES = ["clone", "personality", "ioctl", "read", "mount", "fcntl"];
const VALUES = [0n, 1n, 8n, 0x20000n, 0xffffffffn, 1n << 32n, 0x100000005n, 1n << 63n, (1n << 64n) - 1n];

function randomArg(random: Random, index: number, operators: readonly Operator[]): Arg {
  const op = random.pick(operators);
  // A mask without bits in one of its words is left to the evaluator.
  const value = op === "SCMP_CMP_MASKED_EQ"
    ? random.pick([0x7e020000_00000ff0n, 0x1_00000001n])
    : random.pick(VALUES);
  return { index, op, value, valueTwo: random.pick(VALUES) };
}

/** Some policies compare one argument in all ways, the others two without NE. */
function randomPolicy(random: Random): Policy {
  const names = random.times(1, 3, () => random.pick(NAMES));
  const pair = random.chance(0.5);
  const args = () =>
    pair
      ? [0, 1].map((index) => randomArg(random, index, ["SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"]))
      : [randomArg(random, 0, ["SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_MASKED_EQ"])];
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: random.times(1, 4, (): Entry => ({
      names: [random.pick(names)],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 77,
      args: random.chance(0.1) ? [] : args(),
    })),
  };
}

/** SECCOMP_LIBSECCOMP_POLICIES=5000 for many more. */
const POLICIES = Number(Deno.env.get("SECCOMP_LIBSECCOMP_POLICIES") ?? 300);

tested(
  `${POLICIES} random policies of EQ, NE and MASKED_EQ: equivalent to libseccomp's programs`,
  binary,
  async () => {
    const counts = { refused: 0, same: 0 };
    for (let seed = 0; seed < POLICIES; seed++) {
      counts[await compareWithLibseccomp(randomPolicy(new Random(seed)), "1")]++;
    }
    assert(counts.same > POLICIES * 2 / 3, `${counts.same} compared, ${counts.refused} refused`);
  },
);
