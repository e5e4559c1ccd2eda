/**
 * Relocates an executable ahead of time.
 *
 * Deno is a position-independent executable: the dynamic linker gives 159,000 pointers their values at each start, which
 * costs a fifth of the time that Deno takes to start. Here they are given them once, for an address that is chosen at
 * random, and the copy is an executable for that address alone. So each copy has an address of its own, but the same at
 * each start: to who can read it, the kernel's randomisation of it is lost. Libraries, heap and stacks keep theirs.
 *
 * @see elf(5), and the ABI supplements for x86-64 and AArch64 on relocations
 * @module
 */

const [ET_EXEC, ET_DYN] = [2, 3];
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const SHT_DYNSYM = 11;
const PROGRAM_HEADER_BYTES = 56;
const RELA_BYTES = 24;
const SYMBOL_BYTES = 24;
const STT_TLS = 6;

/** Tags of the dynamic section. */
const DT = {
  NULL: 0,
  PLTRELSZ: 2,
  RELA: 7,
  RELASZ: 8,
  JMPREL: 23,
  RELACOUNT: 0x6ffffff9,
  FLAGS_1: 0x6ffffffb,
} as const;

/** DT_PLTGOT, HASH, STRTAB, SYMTAB, RELA, INIT, FINI, JMPREL, INIT_ARRAY, FINI_ARRAY, PREINIT_ARRAY, GNU_HASH, VERSYM, VERDEF, VERNEED. */
const ADDRESS_TAGS: ReadonlySet<number> = new Set([
  3,
  4,
  5,
  6,
  7,
  12,
  13,
  23,
  25,
  26,
  32,
  0x6ffffef5,
  0x6ffffff0,
  0x6ffffffc,
  0x6ffffffe,
]);
/** DT_RELR, whose relocations have another form, and DT_REL, which has no addends. */
const UNKNOWN_TAGS: ReadonlySet<number> = new Set([17, 36]);
const DF_1_PIE = 0x08000000n;

/** R_*_RELATIVE and R_*_IRELATIVE by e_machine: EM_X86_64, EM_AARCH64. */
const RELOCATIONS: Readonly<Record<number, { readonly relative: number; readonly irelative: number }>> = {
  62: { relative: 8, irelative: 37 },
  183: { relative: 1027, irelative: 1032 },
};

/** Where the kernel puts position-independent executables: from here on, at a page of 2^28. */
const LOWEST_BASE = 0x5555_0000_0000n;
/** Of the largest pages that either CPU has. */
const BASE_UNIT = 0x1_0000n;

/** An address for {@linkcode prelink}. */
export function randomBase(): bigint {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return LOWEST_BASE + BigInt(random! >>> 8) * BASE_UNIT;
}

/**
 * Relocates the position-independent executable `file`, in place, to `base`.
 *
 * @throws {Error} if it has anything that is not understood
 */
export function prelink(file: Uint8Array<ArrayBuffer>, base: bigint): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const move = (at: number) => view.setBigUint64(at, view.getBigUint64(at, true) + base, true);
  const relocations = RELOCATIONS[view.getUint16(18, true)];
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(16, true) !== ET_DYN || relocations === undefined) {
    throw new Error("it is no position-independent executable for x86_64 or aarch64");
  }

  const headers = Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = word(32) + index * PROGRAM_HEADER_BYTES;
    const [offset, address, size] = [word(at + 8), word(at + 16), word(at + 32)];
    return { at, type: view.getUint32(at, true), offset, address, size };
  });
  /** Where in the file is what belongs at `address`. */
  const place = (address: number): number => {
    const segment = headers.find(({ type, address: start, size }) =>
      type === PT_LOAD && address >= start && address < start + size
    );
    if (segment === undefined) throw new Error(`nothing of the file is at 0x${address.toString(16)}`);
    return address - segment.address + segment.offset;
  };

  const dynamic = new Map<number, number>();
  for (let at = headers.find(({ type }) => type === PT_DYNAMIC)!.offset; word(at) !== DT.NULL; at += 16) {
    if (UNKNOWN_TAGS.has(word(at))) throw new Error(`it has relocations of another form (tag ${word(at)})`);
    dynamic.set(word(at), at + 8);
  }
  const value = (tag: number) => dynamic.has(tag) ? word(dynamic.get(tag)!) : 0;

  const others = relocate(place(value(DT.RELA)), value(DT.RELASZ));
  if (dynamic.has(DT.JMPREL)) relocate(place(value(DT.JMPREL)), value(DT.PLTRELSZ));
  moveSymbols();

  view.setBigUint64(dynamic.get(DT.RELASZ)!, BigInt(others * RELA_BYTES), true);
  if (dynamic.has(DT.RELACOUNT)) view.setBigUint64(dynamic.get(DT.RELACOUNT)!, 0n, true);
  for (const [tag, at] of dynamic) if (ADDRESS_TAGS.has(tag)) move(at);
  const flags = dynamic.get(DT.FLAGS_1);
  if (flags !== undefined) view.setBigUint64(flags, view.getBigUint64(flags, true) & ~DF_1_PIE, true);

  for (const { at, address } of headers) {
    // PT_GNU_STACK has no address.
    if (address === 0 && view.getUint32(at, true) !== PT_LOAD) continue;
    move(at + 16);
    move(at + 24);
  }
  view.setUint16(16, ET_EXEC, true);
  move(24);

  /** Gives pointers into the file their values. The others stay, at the beginning. @returns how many */
  function relocate(start: number, size: number): number {
    const { relative, irelative } = relocations!;
    let kept = start;
    for (let at = start; at < start + size; at += RELA_BYTES) {
      const type = view.getUint32(at + 8, true);
      if (type === relative) {
        view.setBigUint64(place(word(at)), view.getBigUint64(at + 16, true) + base, true);
        continue;
      }
      file.copyWithin(kept, at, at + RELA_BYTES);
      move(kept);
      if (type === irelative) move(kept + 16);
      kept += RELA_BYTES;
    }
    return (kept - start) / RELA_BYTES;
  }

  /** Of what the file itself defines: napi_*, for the modules of others. */
  function moveSymbols(): void {
    const sections = Array.from({ length: view.getUint16(60, true) }, (_, index) => word(40) + 64 * index);
    const symbols = sections.find((at) => view.getUint32(at + 4, true) === SHT_DYNSYM);
    if (symbols === undefined) throw new Error("it has no section headers");
    const [start, size] = [word(symbols + 24), word(symbols + 32)];
    for (let at = start; at < start + size; at += SYMBOL_BYTES) {
      const isDefined = view.getUint16(at + 6, true) !== 0;
      const isThreadLocal = (view.getUint8(at + 4) & 15) === STT_TLS;
      if (isDefined && !isThreadLocal) move(at + 8);
    }
  }
}
