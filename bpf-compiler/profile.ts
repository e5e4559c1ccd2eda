/**
 * Docker's profiles (`docker run --security-opt seccomp=FILE`): OCI's policy with entries that count on some machines only.
 *
 * @see https://github.com/moby/profiles/blob/main/seccomp/seccomp.go
 * @module
 */

import { findAbi } from "./abi.ts";
import type { Entry, Policy } from "./policy.ts";

export interface Profile extends Policy {
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures?: readonly string[] | null;
  }[];
  readonly syscalls?: readonly ProfileEntry[];
}

export interface ProfileEntry extends Entry {
  /** A single name, in old profiles. */
  readonly name?: string;
  readonly includes?: Condition;
  readonly excludes?: Condition;
}

interface Condition {
  /** Go's names: "amd64". Any of them. */
  readonly arches?: readonly string[];
  /** All of them. */
  readonly caps?: readonly string[];
  /** "4.8" */
  readonly minKernel?: string;
}

export interface Machine {
  /** "SCMP_ARCH_X86_64" */
  readonly native: string;
  /** "6.18" */
  readonly kernel: string;
  readonly capabilities: readonly string[];
}

/** What Go calls an architecture. */
const GO_NAMES: Readonly<Record<string, string>> = {
  SCMP_ARCH_X86_64: "amd64",
  SCMP_ARCH_X86: "386",
  SCMP_ARCH_X32: "x32",
  SCMP_ARCH_AARCH64: "arm64",
  SCMP_ARCH_ARM: "arm",
  SCMP_ARCH_RISCV64: "riscv64",
  SCMP_ARCH_LOONGARCH64: "loong64",
  SCMP_ARCH_S390X: "s390x",
  SCMP_ARCH_PPC64LE: "ppc64le",
};

/** What Docker gives a container that asks for nothing. */
export const DOCKER_CAPABILITIES: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

export function isProfile(policy: object): policy is Profile {
  const { archMap, syscalls } = policy as Partial<Profile>;
  return archMap !== undefined ||
    (Array.isArray(syscalls) &&
      syscalls.some((entry) => entry && ("includes" in entry || "excludes" in entry)));
}

/** The policy that the engine passes to the runtime on a machine. */
export function resolveProfile({ archMap, ...policy }: Profile, machine: Machine): Policy {
  const native = findAbi(machine.native)?.name ?? machine.native;
  const mapped = archMap?.find(({ architecture }) => architecture === native);
  const syscalls = policy.syscalls?.filter(({ includes, excludes }) =>
    (!includes || isMet(includes, machine, native)) && !(excludes && isExcluded(excludes, machine, native))
  ).map(({ includes: _, excludes: __, name, ...entry }) =>
    name === undefined ? entry : { ...entry, names: [name] }
  );
  return {
    ...policy,
    ...(mapped ? { architectures: [native, ...mapped.subArchitectures ?? []] } : {}),
    ...(syscalls ? { syscalls } : {}),
  };
}

const hasArch = ({ arches = [] }: Condition, native: string) => arches.includes(GO_NAMES[native] ?? native);

function isMet(condition: Condition, { kernel, capabilities }: Machine, native: string): boolean {
  if (condition.arches?.length && !hasArch(condition, native)) return false;
  if (condition.caps?.some((capability) => !capabilities.includes(capability))) return false;
  return condition.minKernel === undefined || isAtLeast(kernel, condition.minKernel);
}

/** One member that is met excludes. */
function isExcluded(condition: Condition, { kernel, capabilities }: Machine, native: string): boolean {
  return hasArch(condition, native) ||
    (condition.caps?.some((capability) => capabilities.includes(capability)) ?? false) ||
    (condition.minKernel !== undefined && isAtLeast(kernel, condition.minKernel));
}

function isAtLeast(kernel: string, least: string): boolean {
  const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [kernel, least]
    .map((version) => version.split(".").map((part) => parseInt(part))) as [number[], number[]];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
