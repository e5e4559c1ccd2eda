/**
 * The memory of a process that stands still.
 *
 * @see proc_pid_maps(5), proc_pid_pagemap(5)
 * @module
 */
import { PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../linux/generated/constants.ts";

export const PAGE_BYTES = 4096;

/** A mapping: whole pages, `end` exclusive. No process of ours has addresses beyond 2^47. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** PROT_READ and so on. */
  readonly protection: number;
  readonly isShared: boolean;
  /** A file, `[stack]` or the like, or "". */
  readonly name: string;
}

/** Pages of one protection. */
export interface Area {
  readonly start: number;
  readonly end: number;
  readonly protection: number;
}

/** What another process is given. */
export interface Layout {
  /** With the contents that they have. */
  readonly kept: readonly Area[];
  /** Zeros, or, with PROT_NONE, addresses that are taken. */
  readonly empty: readonly Area[];
}

/** How far a stack may grow. The kernel would let it: RLIMIT_STACK. */
const STACK_BYTES = 8 << 20;
/** Fewer zeros than this are kept as contents: a mapping of their own would cost more. */
const ZERO_BYTES = 16 * PAGE_BYTES;

export function parseMaps(text: string): Mapping[] {
  return [...text.matchAll(/^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/gm)].map(
    ([, start, end, flags, name]) => ({
      start: parseInt(start!, 16),
      end: parseInt(end!, 16),
      protection: (flags![0] === "r" ? PROT_READ : 0) | (flags![1] === "w" ? PROT_WRITE : 0) |
        (flags![2] === "x" ? PROT_EXEC : 0),
      isShared: flags![3] === "s",
      name: name!,
    }),
  );
}

/** The kernel's own pages: it has them elsewhere in another process, and nobody looks at them but the vDSO. */
function isKernels({ name }: Mapping): boolean {
  return name === "[vsyscall]" || name.startsWith("[vvar");
}

/**
 * @param present of each page of an anonymous mapping, whether it is anything but zeros
 * @throws {Error} if there is memory that others see as well
 */
export function layOut(
  mappings: readonly Mapping[],
  present: (mapping: Mapping) => readonly boolean[],
): Layout {
  const kept: Area[] = [];
  const empty: Area[] = [];
  for (const mapping of mappings.filter((mapping) => !isKernels(mapping))) {
    const { start, end, protection, isShared, name } = mapping;
    if (isShared) throw new Error(`a process that shares memory cannot be kept: ${name}`);
    if (name === "[stack]") empty.push({ start: end - STACK_BYTES, end: start, protection });
    if (protection === PROT_NONE) empty.push({ start, end, protection });
    else if (name.startsWith("/") || name === "[vdso]") kept.push({ start, end, protection });
    else {
      for (const { isPresent, ...pages } of runs(start, present(mapping))) {
        (isPresent ? kept : empty).push({ ...pages, protection });
      }
    }
  }
  return { kept: joined(kept), empty: joined(empty) };
}

/** The pages from `start` on in runs of present and of absent ones, short absent ones counted to the present. */
function runs(start: number, present: readonly boolean[]) {
  const found: { start: number; end: number; isPresent: boolean }[] = [];
  let next = start;
  for (const area of areasOf(start, present, ZERO_BYTES)) {
    if (area.start > next) found.push({ start: next, end: area.start, isPresent: false });
    found.push({ ...area, isPresent: true });
    next = area.end;
  }
  const end = start + present.length * PAGE_BYTES;
  if (end > next) found.push({ start: next, end, isPresent: false });
  return found;
}

/** The areas of those pages from `start` on whose flag is set. Gaps shorter than `gap` bytes are counted to them. */
export function areasOf(start: number, flags: readonly boolean[], gap: number) {
  const found: { start: number; end: number }[] = [];
  flags.forEach((isSet, page) => {
    if (!isSet) return;
    const at = start + page * PAGE_BYTES;
    const last = found.at(-1);
    if (last !== undefined && at - last.end < gap) last.end = at + PAGE_BYTES;
    else found.push({ start: at, end: at + PAGE_BYTES });
  });
  return found;
}

/** Neighbours of one protection together. */
function joined(areas: readonly Area[]): Area[] {
  const found: Area[] = [];
  for (const area of areas) {
    const last = found.at(-1);
    if (last?.end === area.start && last.protection === area.protection) {
      found[found.length - 1] = { ...last, end: area.end };
    } else found.push(area);
  }
  return found;
}

/** Which pages of a mapping of `pid` are in memory or swapped out: bits 63 and 62 of their entries. */
export function presentPages(pid: number, mapping: Mapping): boolean[] {
  return readPagemap(pid, mapping, (entry) => entry >> 62n !== 0n);
}

/** Which of them are copies of its own, in memory (bit 63) and no longer a file's (bit 61). */
export function ownPages(pid: number, mapping: Mapping): boolean[] {
  return readPagemap(pid, mapping, (entry) => entry >> 61n === 0b100n);
}

function readPagemap(pid: number, { start, end }: Mapping, test: (entry: bigint) => boolean): boolean[] {
  const entries = new BigUint64Array((end - start) / PAGE_BYTES);
  using file = Deno.openSync(`/proc/${pid}/pagemap`);
  readAt(file, start / PAGE_BYTES * 8, new Uint8Array(entries.buffer));
  return Array.from(entries, test);
}

/** Fills `bytes` from `offset` on. @throws {Error} if the file ends before */
export function readAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) throw new Error("the memory of a process cannot be read");
    done += count;
  }
}
