import { assertEquals, assertThrows } from "@std/assert";
import { PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../../../runtime/linux/generated/constants.ts";
import { areasOf, layOut, type Mapping, PAGE_BYTES, parseMaps } from "../../../runtime/snapshot/memory.ts";

const READ_WRITE = PROT_READ | PROT_WRITE;

function mapping(start: number, pages: number, rest: Partial<Mapping> = {}): Mapping {
  const end = start + pages * PAGE_BYTES;
  return { start, end, protection: READ_WRITE, isShared: false, name: "", ...rest };
}

const none = () => [];

Deno.test("maps are read with their protection and their name, which may have spaces", () => {
  const text = [
    "55eb974e0000-55eb9906e000 r-xp 00000000 fe:00 9985673                    /a b/deno",
    "7f122eeeb000-7f122eef3000 rw-s 00000000 fe:00 9983058                    /x (deleted)",
    "f1400000000-f1800000000 ---p 00000000 00:00 0 ",
    "",
  ].join("\n");
  assertEquals(parseMaps(text), [
    {
      start: 0x55eb974e0000,
      end: 0x55eb9906e000,
      protection: PROT_READ | PROT_EXEC,
      isShared: false,
      name: "/a b/deno",
    },
    {
      start: 0x7f122eeeb000,
      end: 0x7f122eef3000,
      protection: READ_WRITE,
      isShared: true,
      name: "/x (deleted)",
    },
    { start: 0xf1400000000, end: 0xf1800000000, protection: PROT_NONE, isShared: false, name: "" },
  ]);
});

Deno.test("files and the vDSO are kept whole, the kernel's other pages are left out", () => {
  const file = mapping(0x10000, 2, { name: "/lib/libc.so.6", protection: PROT_READ });
  const vdso = mapping(0x30000, 2, { name: "[vdso]", protection: PROT_READ | PROT_EXEC });
  const kernels = ["[vvar]", "[vvar_vclock]", "[vsyscall]"].map((name, index) =>
    mapping(0x50000 + 0x10000 * index, 1, { name })
  );
  const { kept, empty } = layOut([file, vdso, ...kernels], none);
  const area = ({ start, end, protection }: Mapping) => ({ start, end, protection });
  assertEquals([kept, empty], [[area(file), area(vdso)], []]);
});

Deno.test("of anonymous memory the pages are kept that are there; what has no access is taken", () => {
  const heap = mapping(0x100000, 40);
  const taken = mapping(0x200000, 4, { protection: PROT_NONE });
  const present = Array.from({ length: 40 }, (_, page) => page >= 2 && page < 4 || page === 39);
  const { kept, empty } = layOut([heap, taken], () => present);
  const pages = (start: number, from: number, to: number, protection = READ_WRITE) => ({
    start: start + from * PAGE_BYTES,
    end: start + to * PAGE_BYTES,
    protection,
  });
  assertEquals(kept, [pages(0x100000, 2, 4), pages(0x100000, 39, 40)]);
  assertEquals(empty, [
    pages(0x100000, 0, 2),
    pages(0x100000, 4, 39),
    pages(0x200000, 0, 4, PROT_NONE),
  ]);
});

Deno.test("a stack may grow", () => {
  const { kept, empty } = layOut([mapping(0x7ff000000000, 1, { name: "[stack]" })], () => [true]);
  assertEquals(kept.length, 1);
  assertEquals(empty, [{
    start: 0x7ff000000000 + PAGE_BYTES - (8 << 20),
    end: 0x7ff000000000,
    protection: READ_WRITE,
  }]);
});

Deno.test("memory that others see as well cannot be kept", () => {
  const shared = mapping(0x10000, 1, { isShared: true, name: "/x" });
  assertThrows(() => layOut([shared], none), Error, "shares memory");
});

Deno.test("neighbours of one protection are one area", () => {
  const first = mapping(0x10000, 1, { name: "/a" });
  const { kept } = layOut([first, mapping(first.end, 1, { name: "/a" })], none);
  assertEquals(kept, [{ start: 0x10000, end: 0x12000, protection: READ_WRITE }]);
});

Deno.test("a short gap is counted to what is around it, and none before or behind", () => {
  const flags = [false, true, false, true, false, false, true, false];
  const at = (page: number) => 0x1000 * (1 + page);
  assertEquals(areasOf(0x1000, flags, 2 * PAGE_BYTES), [
    { start: at(1), end: at(4) },
    { start: at(6), end: at(7) },
  ]);
});
