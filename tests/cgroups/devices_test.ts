/** Rules of devices against a naive evaluator, over what both versions make of them. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { allowsAll, decidesAll, fullRule, withDefaultDevices } from "../../cgroups/devices.ts";
import { type DeviceList, deviceList, parseDeviceList, transition } from "../../cgroups/v1/devices.ts";
import { deviceProgram } from "../../cgroups/v2/device_program.ts";
import type { DeviceCgroup } from "../../runtime/spec/resources.ts";

interface Question {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  /** Letters of "rwm". */
  readonly access: string;
}

/** For each letter, the last rule that names it and the device decides; without one it is denied. */
function isAllowed(rules: readonly DeviceCgroup[], question: Question): boolean {
  return [...question.access].every((letter) => {
    const rule = rules.map(fullRule).findLast((rule) =>
      (rule.type === "a" || rule.type === question.type) &&
      (rule.major === -1 || rule.major === question.major) &&
      (rule.minor === -1 || rule.minor === question.minor) &&
      rule.access.includes(letter)
    );
    return rule?.allow ?? false;
  });
}

const ACCESSES = ["r", "w", "m", "rw", "rwm"];
const TYPES = ["b", "c"] as const;

/** All that differ for these rules: each number that is named, and one that is not. */
function questions(rules: readonly DeviceCgroup[]): Question[] {
  const numbers = (name: "major" | "minor") =>
    [...new Set([...rules.map((rule) => rule[name] ?? -1), 77])].filter((n) => n >= 0);
  return TYPES.flatMap((type) =>
    numbers("major").flatMap((major) =>
      numbers("minor").flatMap((minor) => ACCESSES.map((access) => ({ type, major, minor, access })))
    )
  );
}

/** The instructions that deviceProgram() uses. */
function run(program: Uint8Array<ArrayBuffer>, { type, major, minor, access }: Question): boolean {
  const view = new DataView(program.buffer);
  const bits = { m: 1, r: 2, w: 4 };
  const wanted = [...access].reduce((sum, letter) => sum | bits[letter as "m"], 0);
  const context = new Uint32Array([wanted << 16 | (type === "b" ? 1 : 2), major, minor]);
  const registers = new Float64Array(11);
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = view.getUint8(pc * 8);
    const [destination, source] = [view.getUint8(pc * 8 + 1) & 15, view.getUint8(pc * 8 + 1) >> 4];
    const offset = view.getInt16(pc * 8 + 2, true);
    const immediate = view.getUint32(pc * 8 + 4, true);
    const value = registers[destination]!;
    if (code === 0x61) registers[destination] = context[offset / 4]!;
    else if (code === 0xb4) registers[destination] = immediate;
    else if (code === 0xbc) registers[destination] = registers[source]!;
    else if (code === 0x54) registers[destination] = (value & immediate) >>> 0;
    else if (code === 0x74) registers[destination] = value >>> immediate;
    else if (code === 0x56) pc += value === immediate ? 0 : offset;
    else if (code === 0x46) pc += (value & immediate) === 0 ? 0 : offset;
    else if (code === 0x05) pc += offset;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`no such instruction: ${code}`);
  }
  throw new Error("the program has no end");
}

/** As devcgroup_check_permission() in the kernel's security/device_cgroup.c, one letter at a time. */
function listAllows(
  { allowByDefault, exceptions }: DeviceList,
  { type, major, minor, access }: Question,
): boolean {
  return [...access].every((letter) => {
    const isException = [...exceptions].some(([key, letters]) => {
      const [exceptionType, exceptionMajor, exceptionMinor] = key.split(/[ :]/);
      return exceptionType === type && ["*", `${major}`].includes(exceptionMajor!) &&
        ["*", `${minor}`].includes(exceptionMinor!) && letters.includes(letter);
    });
    return isException !== allowByDefault;
  });
}

/** The same for all runs. */
function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 16) % below;
  };
}

function randomRules(below: (limit: number) => number): DeviceCgroup[] {
  const pick = <T>(...choices: T[]): T => choices[below(choices.length)]!;
  return Array.from({ length: below(7) }, () => ({
    allow: pick(true, false),
    type: pick<DeviceCgroup["type"]>(undefined, "a", "b", "c", "c"),
    major: pick(undefined, -1, 1, 2, 0xffff_ffff),
    minor: pick(undefined, -1, 3, 5),
    access: pick(undefined, "", "r", "w", "m", "rw", "rwm"),
  }));
}

const RANDOM_LISTS = 3000;

Deno.test("the program of v2 answers as the rules say, in their order", () => {
  const below = random(1);
  for (let round = 0; round < RANDOM_LISTS; round++) {
    const rules = randomRules(below);
    const program = deviceProgram(rules);
    for (const question of questions(rules)) {
      assertEquals(run(program, question), isAllowed(rules, question), JSON.stringify({ rules, question }));
    }
  }
});

Deno.test("nothing is denied where no question is", () => {
  const below = random(5);
  for (let round = 0; round < RANDOM_LISTS; round++) {
    const rules = randomRules(below);
    if (allowsAll(rules)) {
      assert(questions(rules).every((question) => isAllowed(rules, question)), JSON.stringify(rules));
    }
  }
  assert(
    allowsAll([{ allow: false }, { allow: true, access: "rwm" }, { allow: true, type: "c", access: "m" }]),
  );
  assert(!allowsAll([{ allow: true }, { allow: false, type: "c", major: 1 }]) && !allowsAll([]));
});

Deno.test("the program of v2 has no instruction that cannot be reached: the kernel would refuse it", () => {
  const below = random(2);
  for (let round = 0; round < RANDOM_LISTS; round++) {
    const program = deviceProgram(randomRules(below));
    const reached = new Set<number>();
    const visit = (pc: number) => {
      if (reached.has(pc)) return;
      reached.add(pc);
      const code = program[pc * 8]!;
      const offset = new DataView(program.buffer).getInt16(pc * 8 + 2, true);
      if (code === 0x95) return;
      if ([0x56, 0x46, 0x05].includes(code)) visit(pc + 1 + offset);
      if (code !== 0x05) visit(pc + 1);
    };
    visit(0);
    assertEquals(reached.size, program.length / 8);
  }
});

Deno.test("the list of v1 answers as the rules say, or it is refused", () => {
  const below = random(3);
  let refused = 0;
  for (let round = 0; round < RANDOM_LISTS; round++) {
    const rules = randomRules(below);
    let list: DeviceList;
    try {
      list = deviceList(rules);
    } catch {
      refused++;
      continue;
    }
    for (const question of questions(rules)) {
      assertEquals(
        listAllows(list, question),
        isAllowed(rules, question),
        JSON.stringify({ rules, question }),
      );
    }
  }
  assert(refused > 100 && refused < RANDOM_LISTS / 2, `${refused} were refused`);
});

/** What the kernel does with a write to devices.allow or devices.deny. */
function write(list: DeviceList, file: string, value: string): DeviceList {
  const allow = file === "devices.allow";
  if (value === "a") return { allowByDefault: allow, exceptions: new Map() };
  const exceptions = new Map(list.exceptions);
  const space = value.lastIndexOf(" ");
  const [key, access] = [value.slice(0, space), value.slice(space + 1)];
  const letters = ["r", "w", "m"].filter((letter) =>
    allow !== list.allowByDefault
      ? access.includes(letter) || exceptions.get(key)?.includes(letter)
      : exceptions.get(key)?.includes(letter) && !access.includes(letter)
  ).join("");
  if (letters === "") exceptions.delete(key);
  else exceptions.set(key, letters);
  return { ...list, exceptions };
}

Deno.test("v1 goes from one list to another, and touches nothing that both have", () => {
  const below = random(4);
  const list = (): DeviceList => {
    try {
      return deviceList(randomRules(below));
    } catch {
      return list();
    }
  };
  for (let round = 0; round < RANDOM_LISTS; round++) {
    const [from, to] = [list(), list()];
    const result = transition(from, to).reduce((now, { file, value }) => {
      const next = write(now, file, value);
      if (from.allowByDefault || to.allowByDefault) return next;
      for (const [key, letters] of from.exceptions) {
        const kept = [...letters].filter((letter) => to.exceptions.get(key)?.includes(letter));
        assert(kept.every((letter) => next.exceptions.get(key)?.includes(letter)), `${file} ${value}`);
      }
      return next;
    }, from);
    assertEquals(result.allowByDefault, to.allowByDefault);
    assertEquals(new Map([...result.exceptions].sort()), new Map([...to.exceptions].sort()));
  }
});

Deno.test("v1 names the rule that it cannot express", () => {
  assertThrows(
    () =>
      deviceList([{ allow: false }, { allow: true, type: "c", major: 1 }, {
        allow: false,
        type: "c",
        major: 1,
        minor: 3,
        access: "w",
      }]),
    Error,
    'config.json /linux/resources/devices/2: cannot be set with cgroup v1: "c 1:3 w" is a part of "c 1:* rwm", which an ' +
      "earlier rule allows",
  );
});

Deno.test("devices.list is read as the kernel writes it", () => {
  assertEquals(parseDeviceList("a *:* rwm\n"), { allowByDefault: true, exceptions: new Map() });
  assertEquals(parseDeviceList("c 1:3 rwm\nb *:* m\n"), {
    allowByDefault: false,
    exceptions: new Map([["c 1:3", "rwm"], ["b *:*", "m"]]),
  });
});

Deno.test("a container may use the devices of its /dev, whatever the rules, and no others without one", () => {
  const { devices = [] } = withDefaultDevices({ devices: [{ allow: false }] });
  const allowed = (type: "b" | "c", major: number, minor: number, access: string) =>
    isAllowed(devices, { type, major, minor, access });
  for (const minor of [3, 5, 7, 8, 9]) assert(allowed("c", 1, minor, "rw"));
  assert(
    allowed("c", 136, 9, "rw") && allowed("c", 5, 0, "rw") && allowed("c", 5, 2, "rw") &&
      allowed("c", 10, 200, "rw"),
  );
  assert(allowed("b", 8, 0, "m") && !allowed("b", 8, 0, "r") && !allowed("c", 1, 1, "r"));
  assert(!decidesAll(fullRule({ allow: true, access: "rw" })));
  assertEquals(withDefaultDevices().devices?.length, devices.length - 1);
});
