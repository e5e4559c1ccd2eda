/**
 * Mutated configs: each gives a plan that obeys all rules and can be encoded, or a ConfigError that points to a place in it.
 *
 * `FUZZ_SEED=n FUZZ_COUNT=n deno test -A tests/fuzz` runs others, and more.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ConfigError } from "../../runtime/errors.ts";
import { encode, type Program } from "../../runtime/init/encode.ts";
import { DATA_ADDRESS, RECORD, RECORD_BYTES, STATUS_ADDRESS } from "../../runtime/init/record.ts";
import { formatPlan, planToJson } from "../../runtime/plan/format.ts";
import type { Plan } from "../../runtime/plan/node.ts";
import { planCreate } from "../../runtime/plan/plan.ts";
import { checkPlan } from "../../runtime/plan/rules.ts";
import { STATUS_BYTES } from "../../runtime/plan/status_page.ts";
import { parseConfig } from "../../runtime/spec/parse.ts";
import { randomHost } from "./host.ts";
import { mutate, mutateText } from "./mutate.ts";
import { Random } from "./random.ts";

const COUNT = Number(Deno.env.get("FUZZ_COUNT") ?? 2000);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 2 ** 32);

const GOLDEN = new URL("../golden/", import.meta.url);
const corpus = [...Deno.readDirSync(GOLDEN)].map(({ name }) => name).filter((name) => name !== "exec").sort()
  .map((name) => JSON.parse(Deno.readTextFileSync(new URL(`${name}/config.json`, GOLDEN))));

/** @returns the pointer of the ConfigError, or undefined after a plan */
function tryOne(text: string, random: Random): string | undefined {
  let plan: Plan;
  try {
    const config = parseConfig(text);
    plan = planCreate(config, randomHost(config, random));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert(!/[\n\0]/.test(error.message), "the message has more than one line");
    assert(isPlace(text, error.pointer), `${error.message}: there is no such place`);
    return error.pointer;
  }
  assertEquals(checkPlan(plan), []);
  formatPlan(plan);
  JSON.stringify(planToJson(plan));
  for (const cpu of ["x86_64", "aarch64"] as const) {
    checkProgram(encode(plan, cpu, { $status: 3, $barrier: 4 }));
  }
}

/** Whether the pointer names a member, or one that is missing from an object. */
function isPlace(text: string, pointer: string): boolean {
  if (pointer === "") return true;
  const names = pointer.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = names.pop()!;
  let value: unknown = JSON.parse(text);
  for (const name of names) {
    value = Object.hasOwn(value as object, name) && (value as Record<string, unknown>)[name];
  }
  return typeof value === "object" && value !== null && (!Array.isArray(value) || Object.hasOwn(value, last));
}

/** Jumps stay within the records; arguments and results lie in memory that the image has. */
function checkProgram({ data, steps }: Program): void {
  const view = new DataView(data.buffer);
  const word = (offset: number) => Number(view.getBigUint64(offset, true));
  const within = (address: number, start: number, length: number) =>
    address >= start && address + 8 <= start + length;
  assertEquals(view.byteOffset, 0);
  for (let at = 0; at < steps.length * RECORD_BYTES; at += RECORD_BYTES) {
    for (const field of ["next", "zero", "caught"] as const) {
      const to = at + view.getUint32(at + RECORD[field], true);
      assert(
        to % RECORD_BYTES === 0 && to < steps.length * RECORD_BYTES,
        `record ${at / RECORD_BYTES}: ${field}`,
      );
    }
    assert(within(word(at + RECORD.save), STATUS_ADDRESS, STATUS_BYTES), `record ${at / RECORD_BYTES}: save`);
    for (let index = 0; index < 6; index++) {
      const address = word(at + RECORD.args + 8 * index);
      assert(
        within(address, DATA_ADDRESS, data.length) || within(address, STATUS_ADDRESS, STATUS_BYTES),
        `record ${at / RECORD_BYTES}: argument ${index}`,
      );
    }
  }
}

/** Where it has found faults before. */
const FOUND: Readonly<Record<string, [change: Record<string, unknown>, pointer: string]>> = {
  "a device at the root": [{ linux: { devices: [{ path: "/dev/..", type: "p" }] } }, "/linux/devices/0/path"],
  "more mounts than a plan has room for": [
    { mounts: Array.from({ length: 1000 }, () => ({ destination: "/a", type: "tmpfs" })) },
    "/mounts",
  ],
  "a line break in a name": [{ linux: { sysctl: { "net.a\nb": "1" } } }, "/linux/sysctl/net.a\nb"],
};

for (const [name, [change, pointer]] of Object.entries(FOUND)) {
  Deno.test(`${name} is a ConfigError`, () => {
    const process = { cwd: "/", args: ["true"], user: { uid: 0, gid: 0 } };
    const text = JSON.stringify({ ociVersion: "1.0.0", root: { path: "rootfs" }, process, ...change });
    assertEquals(tryOne(text, new Random(0)), pointer);
  });
}

Deno.test(`${COUNT} mutated configs give a plan or a ConfigError (FUZZ_SEED=${SEED})`, () => {
  const places = new Set<string>();
  let plans = 0;
  for (let count = 0; count < COUNT; count++) {
    // So that one config comes again without those before it: FUZZ_SEED=SEED+count FUZZ_COUNT=1.
    const random = new Random(SEED + count);
    const config = structuredClone(random.pick(corpus));
    for (let times = random.pick([1, 1, 1, 2, 3, 4]); times > 0; times--) mutate(config, corpus, random);
    const text = mutateText(JSON.stringify(config), random);
    try {
      const pointer = tryOne(text, random);
      if (pointer === undefined) plans++;
      else places.add(pointer);
    } catch (error) {
      const file = Deno.makeTempFileSync({ prefix: "hako-fuzz-", suffix: ".json" });
      Deno.writeTextFileSync(file, text);
      throw new Error(`FUZZ_SEED=${SEED + count} FUZZ_COUNT=1, the config is in ${file}`, { cause: error });
    }
  }
  console.log(`seed ${SEED}: ${plans} plans, ${COUNT - plans} ConfigErrors at ${places.size} places`);
});
