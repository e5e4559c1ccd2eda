/**
 * The ABIs that a filter can tell apart: seccomp_data.arch, and for x32 a bit of the number.
 *
 * @see linux/audit.h for AUDIT_ARCH_*, libseccomp's src/arch-*.c for which ABIs multiplex socket(2) and System V IPC
 * @module
 */

import type { Architecture } from "./policy.ts";

export interface Abi {
  /** As OCI names it. */
  readonly name: Architecture;
  /** The key of its numbers in `generated/syscalls.ts`. */
  readonly table: string;
  /** AUDIT_ARCH_*. */
  readonly auditArch: number;
  /** Arguments of 64 bits, not 32: libseccomp compares the low word alone on the others, x32 and n32 among them. */
  readonly wide: boolean;
  readonly bigEndian: boolean;
  /** What a number has more than in the table: __X32_SYSCALL_BIT. */
  readonly offset: number;
  /** Has socketcall(2) and ipc(2), through which many calls can be made by another number. */
  readonly multiplexed: boolean;
}

export const X32_SYSCALL_BIT = 0x40000000;

function abi(
  name: Architecture,
  table: string,
  auditArch: number,
  { wide = false, bigEndian = false, offset = 0, multiplexed = false }: Partial<Abi> = {},
): Abi {
  return { name, table, auditArch, wide, bigEndian, offset, multiplexed };
}

const ABIS: readonly Abi[] = [
  abi("SCMP_ARCH_X86_64", "x86_64", 0xc000003e, { wide: true }),
  abi("SCMP_ARCH_X86", "x86", 0x40000003, { multiplexed: true }),
  abi("SCMP_ARCH_X32", "x32", 0xc000003e, { offset: X32_SYSCALL_BIT }),
  abi("SCMP_ARCH_AARCH64", "aarch64", 0xc00000b7, { wide: true }),
  abi("SCMP_ARCH_ARM", "arm", 0x40000028),
  abi("SCMP_ARCH_RISCV64", "riscv64", 0xc00000f3, { wide: true }),
  abi("SCMP_ARCH_LOONGARCH64", "loongarch64", 0xc0000102, { wide: true }),
  abi("SCMP_ARCH_S390X", "s390x", 0x80000016, { wide: true, bigEndian: true, multiplexed: true }),
  abi("SCMP_ARCH_PPC64LE", "ppc64", 0xc0000015, { wide: true, multiplexed: true }),
  abi("SCMP_ARCH_PPC64", "ppc64", 0x80000015, { wide: true, bigEndian: true, multiplexed: true }),
  abi("SCMP_ARCH_PPC", "ppc", 0x14, { bigEndian: true, multiplexed: true }),
  abi("SCMP_ARCH_MIPS", "mips", 0x8, { bigEndian: true, multiplexed: true }),
  abi("SCMP_ARCH_MIPSEL", "mips", 0x40000008, { multiplexed: true }),
  abi("SCMP_ARCH_MIPS64", "mips64", 0x80000008, { wide: true, bigEndian: true }),
  abi("SCMP_ARCH_MIPSEL64", "mips64", 0xc0000008, { wide: true }),
  abi("SCMP_ARCH_MIPS64N32", "mips64n32", 0xa0000008, { bigEndian: true }),
  abi("SCMP_ARCH_MIPSEL64N32", "mips64n32", 0xe0000008),
];

/** What OCI also knows, and no kernel's headers any more. A filter kills their calls. */
const WITHOUT_NUMBERS: readonly string[] = ["S390", "M68K", "SH", "SHEB", "PARISC", "PARISC64"];

/** Of "SCMP_ARCH_X86_64", or "x86_64" as crun allows. Null: known to OCI, but nobody has its numbers. */
export function findAbi(name: string): Abi | null | undefined {
  const short = name.replace(/^SCMP_ARCH_/, "").toUpperCase();
  if (WITHOUT_NUMBERS.includes(short)) return null;
  return ABIS.find((abi) => abi.name === `SCMP_ARCH_${short}`);
}

/** The ABI of a call. An x86_64 number with the bit of x32 is x32's. */
export function abiOfCall(auditArch: number, number: number): Abi | undefined {
  const found = ABIS.filter((abi) => abi.auditArch === auditArch);
  return found.find(({ offset }) => offset !== 0 && (number & offset) !== 0 && number >= 0) ?? found[0];
}
