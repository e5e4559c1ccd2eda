/**
 * The vDSO of a snapshot. The kernel maps its own into each process, at an address of its choice, and that of another kernel
 * has other code and other data. So the snapshot has a copy of that which its process has known, whose functions are
 * system calls.
 *
 * @see vdso(7), elf(5)
 * @module
 */
import { SYSCALLS } from "../linux/generated/syscalls.ts";

const { clock_getres, clock_gettime, getcpu, getrandom, gettimeofday, time } = SYSCALLS.x86_64;
/** The functions of it that programs look for, which take what the system calls take. */
const FUNCTIONS: ReadonlyMap<string, number> = new Map(
  Object.entries({ clock_getres, clock_gettime, getcpu, getrandom, gettimeofday, time })
    .map(([name, number]) => [`__vdso_${name}`, number]),
);

const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const PT_DYNAMIC = 2;
const [DT_NULL, DT_STRTAB, DT_SYMTAB] = [0, 5, 6];

/** Puts a system call in the place of each function that is known of `vdso`, the pages of one. */
export function replaceFunctions(vdso: Uint8Array): void {
  const view = new DataView(vdso.buffer, vdso.byteOffset, vdso.length);
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const headers = Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    return word(32) + index * PROGRAM_HEADER_BYTES;
  });
  const dynamic = new Map<number, number>();
  const dynamicHeader = headers.find((at) => view.getUint32(at, true) === PT_DYNAMIC);
  if (dynamicHeader === undefined) throw new Error("a vDSO without symbols");
  for (let at = word(dynamicHeader + 8); word(at) !== DT_NULL; at += 16) dynamic.set(word(at), word(at + 8));

  // The strings lie behind the symbols, whose number nothing tells so plainly.
  const [symbols, strings] = [dynamic.get(DT_SYMTAB)!, dynamic.get(DT_STRTAB)!];
  for (let at = symbols; at + SYMBOL_BYTES <= strings; at += SYMBOL_BYTES) {
    const name = strings + view.getUint32(at, true);
    const end = vdso.indexOf(0, name);
    const number = FUNCTIONS.get(new TextDecoder().decode(vdso.subarray(name, end)));
    if (number !== undefined) vdso.set(codeOf(number), word(at + 8));
  }
}

/** A function that is system call `number`. */
function codeOf(number: number): number[] {
  // mov $number, %eax; syscall; ret
  return [0xb8, number & 0xff, number >> 8, 0, 0, 0x0f, 0x05, 0xc3];
}
