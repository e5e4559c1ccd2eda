import { assert, assertEquals, assertThrows } from "@std/assert";
import { SYSCALLS } from "../../../runtime/linux/generated/syscalls.ts";
import { parseMaps, readAt } from "../../../runtime/snapshot/memory.ts";
import { replaceFunctions } from "../../../runtime/snapshot/vdso.ts";

/** The machine code of a function that is a system call: mov, syscall, ret. */
const codeOf = (number: number) => `b8${new Uint8Array(Uint32Array.of(number).buffer).toHex()}0f05c3`;

Deno.test({
  name: "the functions of this kernel's vDSO become system calls, and nothing else of it changes",
  ignore: Deno.build.arch !== "x86_64",
  fn() {
    const vdso = parseMaps(Deno.readTextFileSync("/proc/self/maps")).find(({ name }) => name === "[vdso]");
    assert(vdso !== undefined, "this kernel has no vDSO");
    const before = new Uint8Array(vdso.end - vdso.start);
    using memory = Deno.openSync("/proc/self/mem");
    readAt(memory, vdso.start, before);

    const after = before.slice();
    replaceFunctions(after);
    const { clock_gettime, clock_getres, getcpu, gettimeofday, time } = SYSCALLS.x86_64;
    for (const number of [clock_gettime, clock_getres, getcpu, gettimeofday, time]) {
      assert(!before.toHex().includes(codeOf(number)) && after.toHex().includes(codeOf(number)), `${number}`);
    }
    const changed = after.reduce((count, byte, at) => count + (byte === before[at] ? 0 : 1), 0);
    assert(changed <= 6 * 8, `${changed} bytes have changed`);
    const again = after.slice();
    replaceFunctions(again);
    assertEquals(again, after);
  },
});

Deno.test("what is no vDSO is refused", () => {
  assertThrows(() => replaceFunctions(new Uint8Array(4096)), Error, "without symbols");
});
