/** The tools around programs, with programs written by hand. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  callWords,
  decodeProgram,
  disassemble,
  encodeProgram,
  type Instruction,
  interpret,
  isCached,
  OPCODES,
  PolicyError,
  refusal,
} from "../../bpf-compiler/mod.ts";
import { compareFilters } from "../../wasm/mod.ts";

const ALLOW = 0x7fff0000;
const ENOSYS = 0x50026;

const ret = (k: number): Instruction => ({ code: OPCODES.result, jt: 0, jf: 0, k });
const load = (k: number): Instruction => ({ code: OPCODES.load, jt: 0, jf: 0, k });
const and = (k: number): Instruction => ({ code: OPCODES.and, jt: 0, jf: 0, k });
const jump = (k: number): Instruction => ({ code: OPCODES.jump, jt: 0, jf: 0, k });
const test = (
  name: "equal" | "greater" | "atLeast" | "anyBit",
  k: number,
  jt: number,
  jf: number,
): Instruction => ({
  code: OPCODES[name],
  jt,
  jf,
  k,
});

const compare = (a: Instruction[], b: Instruction[]) => compareFilters(encodeProgram(a), encodeProgram(b));
const choose = (
  instruction: Instruction,
  ...before: Instruction[]
) => [...before, instruction, ret(ALLOW), ret(ENOSYS)];

Deno.test("bytes and instructions, in both byte orders", () => {
  const program = [load(4), test("equal", 0xc000003e, 1, 0), ret(0), ret(ALLOW)];
  for (const bigEndian of [false, true]) {
    assertEquals(decodeProgram(encodeProgram(program, { bigEndian }), { bigEndian }), program);
  }
  assertThrows(() => decodeProgram(new Uint8Array(7)), PolicyError);
});

Deno.test("a program as text", () => {
  const program = [
    load(4),
    test("equal", 0xc000003e, 1, 0),
    jump(2),
    load(0),
    test("equal", 165, 0, 1),
    ret(ENOSYS),
    ret(ALLOW),
  ];
  assertEquals(disassemble(program), [
    "0  ld   arch",
    "1  jeq  #0xc000003e  → 3, 2  ; SCMP_ARCH_X86_64",
    "2  ja   → 5",
    "3  ld   nr",
    "4  jeq  #0xa5  → 5, 6  ; mount",
    "5  ret  ERRNO(38)",
    "6  ret  ALLOW",
  ]);
});

Deno.test("the interpreter reports verdict and way", () => {
  const program = choose(test("anyBit", 8, 0, 1), load(16), and(12));
  const run = (arg: bigint) => interpret(program, callWords({ number: 0, auditArch: 0, args: [arg] }));
  assertEquals(run(8n), { verdict: ALLOW, path: [0, 1, 2, 3] });
  assertEquals(run(4n), { verdict: ENOSYS, path: [0, 1, 2, 4] });
});

Deno.test("what the kernel refuses", () => {
  assertEquals(refusal([ret(ALLOW)]), undefined);
  assertEquals(refusal([load(0)]), "instruction 0 leads out of the program");
  assertEquals(refusal([load(64), ret(0)]), "instruction 0 loads from offset 64");
  assertEquals(refusal([load(2), ret(0)]), "instruction 0 loads from offset 2");
  assertEquals(refusal([jump(1), ret(0)]), "instruction 0 leads out of the program");
  assertEquals(refusal([test("equal", 0, 0, 1), ret(0)]), "instruction 0 leads out of the program");
  assertEquals(refusal(new Array(4097).fill(ret(0))), "has 4097 instructions, and the kernel takes 4096");
});

Deno.test("the kernel knows beforehand what looks at number and architecture alone", () => {
  assertEquals(isCached(choose(test("equal", 1, 0, 1), load(0)), 1, 0), true);
  assertEquals(isCached(choose(test("equal", 1, 0, 1), load(0)), 2, 0), false);
  assertEquals(isCached(choose(test("equal", 0, 0, 1), load(16)), 1, 0), false);
});

Deno.test("equivalent: an order and bits that say the same", () => {
  const equivalent = { result: "equivalent" } as const;
  // nr >= 0x80000000 is its highest bit.
  assertEquals(
    compare(
      choose(test("atLeast", 0x80000000, 0, 1), load(0)),
      choose(test("anyBit", 0x80000000, 0, 1), load(0)),
    ),
    equivalent,
  );
  // nr < 16 is no bit above the lowest four.
  assertEquals(
    compare(
      choose(test("greater", 15, 1, 0), load(0)),
      choose(test("equal", 0, 0, 1), load(0), and(0xfffffff0)),
    ),
    equivalent,
  );
  // A mask without bits leaves 0.
  assertEquals(compare([ret(ALLOW)], choose(test("equal", 0, 0, 1), load(24), and(0))), equivalent);
  // (nr & 0xf0) >= 0x35 is (nr & 0xf0) > 0x30.
  assertEquals(
    compare(
      choose(test("atLeast", 0x35, 0, 1), load(0), and(0xf0)),
      choose(test("greater", 0x30, 0, 1), load(0), and(0xf0)),
    ),
    equivalent,
  );
});

Deno.test("different: with a call that shows it", () => {
  const found = compare(
    choose(test("equal", 7, 0, 1), load(16)),
    [load(16), test("equal", 7, 0, 3), load(20), test("anyBit", 0x10, 1, 0), ret(ALLOW), ret(ENOSYS)],
  );
  assertEquals(found.result, "different");
  if (found.result !== "different") return;
  assertEquals([found.example.first, found.example.second], [ALLOW, ENOSYS]);
  const words = new Uint32Array(found.example.data.slice().buffer);
  assertEquals([words[4], words[5]! & 0x10], [7, 0x10]);
});

Deno.test("different in a single number among masks that exclude each other", () => {
  const nothing = [ret(ENOSYS)];
  const parity = [
    load(0),
    and(3),
    test("equal", 1, 3, 0),
    test("equal", 2, 2, 0),
    test("equal", 3, 1, 0),
    ret(ENOSYS),
    ret(ENOSYS),
  ];
  assertEquals(compare(nothing, parity), { result: "equivalent" });
  parity[5] = ret(ALLOW);
  const found = compare(nothing, parity);
  assertEquals(found.result === "different" && new Uint32Array(found.example.data.slice().buffer)[0], 0);
});

Deno.test("programs of other instructions are not compared", () => {
  assertThrows(() => compare([{ code: 0x07, jt: 0, jf: 0, k: 0 }, ret(0)], [ret(0)]), PolicyError);
  assertThrows(() => compare([jump(5), ret(0)], [ret(0)]), PolicyError);
});
