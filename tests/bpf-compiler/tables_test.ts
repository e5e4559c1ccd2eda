/** The tables of system calls. */

import { assertEquals } from "@std/assert";
import { findAbi } from "../../bpf-compiler/abi.ts";
import { callsOf, nameOf, numberOf, sinceKernel, syscallNames } from "../../bpf-compiler/syscalls.ts";
import { SYSCALLS } from "../../runtime/linux/generated/syscalls.ts";

Deno.test("generated/ is what generate.ts writes", () => {
  const generator = new URL("../../bpf-compiler/generate.ts", import.meta.url).pathname;
  const { success, stderr } = new Deno.Command(Deno.execPath(), { args: ["run", "-R", generator, "--check"] })
    .outputSync();
  assertEquals({ success, errors: new TextDecoder().decode(stderr) }, { success: true, errors: "" });
});

for (const cpu of ["x86_64", "aarch64"] as const) {
  Deno.test(`${cpu}: the numbers are those of the runtime's own table`, () => {
    const { table } = findAbi(cpu)!;
    for (const [name, number] of Object.entries(SYSCALLS[cpu])) {
      assertEquals(numberOf(table, name), number, name);
    }
  });
}

// How many calls each ABI of Linux 7.2 has, the largest number among those that all have, and one that is its own.
for (
  const [table, count, call, number] of [
    ["x86_64", 385, "arch_prctl", 158],
    ["x86", 461, "socketcall", 102],
    ["x32", 374, "rt_sigaction", 512],
    ["aarch64", 327, "openat", 56],
    ["arm", 430, "set_tls", 0xf0005],
    ["riscv64", 328, "riscv_hwprobe", 258],
    ["loongarch64", 324, "statx", 291],
    ["s390x", 390, "s390_sthyi", 380],
    ["ppc64", 424, "rtas", 255],
    ["ppc", 452, "swapcontext", 249],
    ["mips", 437, "cacheflush", 4147],
    ["mips64", 373, "cacheflush", 5197],
    ["mips64n32", 397, "cacheflush", 6197],
  ] as const
) {
  Deno.test(`${table} has ${count} calls, ${call} is ${number}`, () => {
    const { names, numbers } = callsOf(table);
    assertEquals([numbers.length, new Set(numbers).size, new Set(names).size], [count, count, count]);
    assertEquals(numbers, numbers.toSorted((a, b) => a - b));
    assertEquals(numberOf(table, call), number);
    assertEquals(nameOf(table, number), call);
    const base = Math.floor(number / 1000) * 1000 < 0x10000 ? Math.floor(number / 1000) * 1000 : 0;
    assertEquals(numberOf(table, "file_setattr"), 469 + base);
  });
}

Deno.test("names are there once, and some are known to be of a certain kernel", () => {
  assertEquals(new Set(syscallNames()).size, syscallNames().length);
  assertEquals([sinceKernel("clone3"), sinceKernel("mseal"), sinceKernel("read")], [
    "5.3",
    "6.10",
    undefined,
  ]);
});
