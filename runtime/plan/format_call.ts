/**
 * One system call as text, as strace(1) writes it: `setns($ns_network, CLONE_NEWNET)`.
 *
 * @module
 */
import * as c from "../linux/generated/constants.ts";
import { CAPABILITIES } from "../linux/generated/capabilities.ts";
import { FLAGS } from "../linux/generated/flags.ts";
import type { SyscallName } from "../linux/generated/syscalls.ts";
import type { Arg, StringsArg, StructArg } from "./node.ts";
import { RLIM_INFINITY } from "./rlimits.ts";
import type { StructName } from "./struct.ts";

/** A call with its arguments. The values of environment variables are left out: they may be secrets. */
export function formatCall(
  { call, args }: { readonly call: SyscallName; readonly args: readonly Arg[] },
): string {
  const known = SIGNATURES[call];
  const signature = typeof known === "function" ? known(args) : known;
  const used = signature === undefined
    ? args
    : args.filter((arg, index) => index < signature.length || (arg !== 0 && arg !== null));
  return `${call}(${used.map((arg, index) => (signature?.[index] ?? plain)(arg)).join(", ")})`;
}

/** How an argument is written. */
type Print = (arg: Arg) => string;
/** Values and their names. */
type Names = readonly (readonly [value: number, name: string])[];
/** Arguments beyond the last one are unused, and left out while they are 0. */
type Signature = readonly Print[] | ((args: readonly Arg[]) => readonly Print[]);

/** Whatever has no names. */
function plain(arg: Arg): string {
  if (arg === null) return "NULL";
  if (typeof arg === "string") return JSON.stringify(arg);
  if (typeof arg !== "object") return `${arg}`;
  if (arg instanceof Uint8Array) return `0x${arg.toHex()}`;
  if ("slot" in arg) return arg.slot;
  if ("late" in arg) return `<${arg.late}>`;
  if ("buffer" in arg) return `<${arg.buffer} bytes>`;
  if ("strings" in arg) return `[${arg.strings.map(plain).join(", ")}]`;
  return structure(arg);
}

/** Writes integers by `print`, and everything else plain. */
function integer(print: (value: bigint) => string): Print {
  return (arg) => typeof arg === "number" || typeof arg === "bigint" ? print(BigInt(arg)) : plain(arg);
}

const octal = integer((value) => value === 0n ? "0" : `0${value.toString(8)}`);
const hex = integer((value) => `0x${value.toString(16)}`);
const descriptor = integer((value) => value === BigInt(c.AT_FDCWD) ? "AT_FDCWD" : `${value}`);
const limit = integer((value) => value === RLIM_INFINITY ? "RLIM_INFINITY" : `${value}`);

/** One of `names`. */
function one(names: Names): Print {
  return integer((value) => names.find(([number]) => BigInt(number) === value)?.[1] ?? `${value}`);
}

/** A set of `names`. A name of several bits must come before those of one. */
function flags(names: Names): Print {
  return integer((value) => {
    const set: string[] = [];
    for (const [number, name] of names) {
      const bits = BigInt(number);
      if (bits === 0n || (value & bits) !== bits) continue;
      set.push(name);
      value &= ~bits;
    }
    if (value !== 0n) set.push(hex(value));
    return set.join("|") || names.find(([number]) => number === 0)?.[1] || "0";
  });
}

/** Constants by their names, where flags.ts has no group. */
function named(constants: Readonly<Record<string, number>>): Names {
  return Object.entries(constants).map(([name, value]) => [value, name]);
}

const capability = one(CAPABILITIES.map((name, number) => [number, name]));
const signal = one(FLAGS.SIG);
const cloneFlags = flags(FLAGS.CLONE_);
const mountAttributes = flags([[c.MOUNT_ATTR__ATIME, "MOUNT_ATTR__ATIME"], ...FLAGS.MOUNT_ATTR_]);
const namesOfO = flags(FLAGS.O_);
const openFlags = integer((value) => {
  const readOnly = value !== 0n && (value & BigInt(c.O_ACCMODE | c.O_PATH)) === 0n;
  return (readOnly ? "O_RDONLY|" : "") + namesOfO(value);
});
const fileMode = integer((value) => {
  const type = value & 0o170000n;
  return `${type === 0n ? "" : `${one(FLAGS.S_IF)(type)}|`}${octal(value & 0o7777n)}`;
});
/** new_encode_dev() of linux/kdev_t.h, backwards. */
const deviceNumber = integer((value) =>
  `makedev(${value >> 8n & 0xfffn}, ${value & 0xffn | value >> 12n & 0xfff00n})`
);
const ioPriority = integer((value) => {
  const shift = BigInt(c.IOPRIO_CLASS_SHIFT);
  return `IOPRIO_PRIO_VALUE(${ioClass(value >> shift)}, ${value & (1n << shift) - 1n})`;
});
const ioClass = one(named({
  IOPRIO_CLASS_RT: c.IOPRIO_CLASS_RT,
  IOPRIO_CLASS_BE: c.IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE: c.IOPRIO_CLASS_IDLE,
}));
const memoryPolicy = integer((value) => {
  const [mode, modeFlags] = [value & ~BigInt(c.MPOL_MODE_FLAGS), value & BigInt(c.MPOL_MODE_FLAGS)];
  return one(FLAGS.MPOL_)(mode) + (modeFlags === 0n ? "" : `|${flags(FLAGS.MPOL_F_)(modeFlags)}`);
});
const lastDescriptor = integer((value) => value === 0xffffffffn ? "~0U" : `${value}`);
/** The low byte of the flags is the signal that the parent gets. */
const forkFlags = integer((value) =>
  [cloneFlags(value & ~0xffn), signal(value & 0xffn)].filter((text) => text !== "0").join("|")
);

/** An array of 32-bit numbers. */
const ids: Print = (arg) =>
  arg instanceof Uint8Array && arg.length % 4 === 0
    ? `[${new Uint32Array(arg.slice().buffer).join(", ")}]`
    : plain(arg);
/** The numbers of the bits that are set. */
const bits: Print = (arg) => {
  if (!(arg instanceof Uint8Array)) return plain(arg);
  const isSet = (bit: number) => (arg[bit >> 3] ?? 0) >> (bit & 7) & 1;
  const ranges: string[] = [];
  for (let bit = 0; bit < arg.length * 8; bit++) {
    if (!isSet(bit)) continue;
    const first = bit;
    while (isSet(bit + 1)) bit++;
    ranges.push(first === bit ? `${bit}` : `${first}-${bit}`);
  }
  return `{${ranges.join(", ")}}`;
};
const environment: Print = (arg) => isStrings(arg) ? `[${arg.strings.map(variable).join(", ")}]` : plain(arg);

function isStrings(arg: Arg): arg is StringsArg {
  return typeof arg === "object" && arg !== null && "strings" in arg;
}

function variable(entry: StringsArg["strings"][number]): string {
  return typeof entry === "string" ? `${entry.slice(0, entry.indexOf("="))}=...` : plain(entry);
}

const socketFlags = flags(
  named({ SOCK_STREAM: c.SOCK_STREAM, SOCK_DGRAM: c.SOCK_DGRAM, SOCK_CLOEXEC: c.SOCK_CLOEXEC }),
);

const SIGNATURES: Readonly<Partial<Record<SyscallName, Signature>>> = {
  accept4: [plain, plain, plain, socketFlags],
  capset: [plain, plain],
  clone: [forkFlags],
  close_range: [plain, lastDescriptor, flags(FLAGS.CLOSE_RANGE_)],
  dup3: [plain, plain, openFlags],
  execve: [plain, plain, environment],
  execveat: [descriptor, plain, plain, environment, flags(FLAGS.AT_)],
  fchmodat: [descriptor, plain, octal],
  fchownat: [descriptor, plain, plain, plain, flags(FLAGS.AT_)],
  fsconfig: [plain, one(FLAGS.FSCONFIG_), plain, plain, plain],
  fsmount: [plain, flags(FLAGS.FSMOUNT_), mountAttributes],
  fsopen: [plain, flags(FLAGS.FSOPEN_)],
  fspick: [descriptor, plain, flags(FLAGS.FSPICK_)],
  ioctl: (
    [, request],
  ) => [
    plain,
    one([...FLAGS.TIOC, ...FLAGS.SIOC, ...FLAGS.LOOP_]),
    request === c.TIOCGPTPEER ? openFlags : plain,
  ],
  ioprio_set: [one(FLAGS.IOPRIO_WHO_), plain, ioPriority],
  keyctl: ([operation]) => {
    const name = one(FLAGS.KEYCTL_);
    return operation === c.KEYCTL_SETPERM ? [name, plain, hex] : [name, plain];
  },
  kill: [plain, signal],
  mkdirat: [descriptor, plain, octal],
  mknodat: ([, , mode]) => {
    const isDevice = [c.S_IFCHR, c.S_IFBLK].includes(Number(mode) & 0o170000);
    return [descriptor, plain, fileMode, ...(isDevice ? [deviceNumber] : [])];
  },
  mmap: [hex, plain, flags(FLAGS.PROT_), flags(FLAGS.MAP_), plain, plain],
  mount: [plain, plain, plain, flags(FLAGS.MS_), plain],
  mount_setattr: [descriptor, plain, flags(FLAGS.AT_), plain, plain],
  move_mount: [descriptor, plain, descriptor, plain, flags(FLAGS.MOVE_MOUNT_)],
  open_tree: [descriptor, plain, flags(FLAGS.OPEN_TREE_)],
  openat: ([, , how]) => [descriptor, plain, openFlags, ...(Number(how) & c.O_CREAT ? [octal] : [])],
  openat2: [descriptor, plain, plain, plain],
  personality: [one(named({ PER_LINUX: c.PER_LINUX, PER_LINUX32: c.PER_LINUX32 }))],
  prctl: ([option, second]) => [one(FLAGS.PR_), ...prctlArguments(option!, second)],
  prlimit64: [plain, one(FLAGS.RLIMIT_), plain, plain],
  renameat2: [descriptor, plain, descriptor, plain, flags(FLAGS.RENAME_)],
  sched_setaffinity: [plain, plain, bits],
  sched_setattr: [plain, plain, plain],
  seccomp: [one(FLAGS.SECCOMP_), flags(FLAGS.SECCOMP_FILTER_FLAG_), plain],
  set_mempolicy: [memoryPolicy, bits, plain],
  setgroups: [plain, ids],
  setns: [plain, cloneFlags],
  socket: [
    one(named({ AF_INET: c.AF_INET, AF_NETLINK: c.AF_NETLINK, AF_UNIX: c.AF_UNIX })),
    socketFlags,
    plain,
  ],
  symlinkat: [plain, descriptor, plain],
  umask: [octal],
  umount2: [plain, flags(FLAGS.MNT_)],
  unlinkat: [descriptor, plain, flags(FLAGS.AT_REMOVEDIR)],
  unshare: [cloneFlags],
};

function prctlArguments(option: Arg, second: Arg | undefined): readonly Print[] {
  switch (option) {
    case c.PR_CAPBSET_DROP:
      return [capability];
    case c.PR_CAP_AMBIENT:
      return [one(FLAGS.PR_CAP_AMBIENT_), ...(second === c.PR_CAP_AMBIENT_RAISE ? [capability] : [])];
    case c.PR_SET_PDEATHSIG:
      return [signal];
    default:
      return [plain];
  }
}

const MEMBERS: Readonly<Partial<Record<StructName, Readonly<Record<string, Print>>>>> = {
  open_how: { flags: openFlags, mode: octal, resolve: flags(FLAGS.RESOLVE_) },
  mount_attr: { attr_set: mountAttributes, attr_clr: mountAttributes, propagation: flags(FLAGS.MS_) },
  rlimit64: { rlim_cur: limit, rlim_max: limit },
  __user_cap_header_struct: {
    version: one(named({ _LINUX_CAPABILITY_VERSION_3: c._LINUX_CAPABILITY_VERSION_3 })),
  },
  sched_attr: { sched_policy: one(FLAGS.SCHED_), sched_flags: flags(FLAGS.SCHED_FLAG_) },
  ifreq: {
    ifr_name: (arg) => plain(arg instanceof Uint8Array ? new TextDecoder().decode(arg) : arg),
    ifr_flags: flags(named({ IFF_UP: c.IFF_UP })),
  },
  sock_fprog: { filter: (arg) => arg instanceof Uint8Array ? `<${arg.length} bytes>` : plain(arg) },
};

/** Structures in which 0 says something. In all others it stands for "not given", and is left out. */
const COMPLETE: readonly StructName[] = ["int", "rlimit64"];

function structure({ struct, members }: StructArg): string {
  if (struct === "__user_cap_data_struct") return capabilitySets(members);
  const texts = Object.entries(members)
    .map(([name, value]) => ({ name, text: (MEMBERS[struct]?.[name] ?? plain)(value) }))
    .filter(({ text }) => text !== "0" || COMPLETE.includes(struct));
  return `{${texts.map(({ name, text }) => `${name}=${text}`).join(", ")}}`;
}

/** The two words of each set as one, and sets that are alike once: `{effective=permitted=CAP_KILL, inheritable=0}`. */
function capabilitySets(members: StructArg["members"]): string {
  const sets = ["effective", "permitted", "inheritable"].map((name) => {
    const mask = BigInt(Number(members[`${name}1`])) << 32n | BigInt(Number(members[`${name}0`]));
    return { name, text: capabilities(mask) };
  });
  const texts = [...Map.groupBy(sets, ({ text }) => text)]
    .map(([text, alike]) => `${alike.map(({ name }) => `${name}=`).join("")}${text}`);
  return `{${texts.join(", ")}}`;
}

function capabilities(mask: bigint): string {
  const all = (1n << BigInt(CAPABILITIES.length)) - 1n;
  if (mask === all) return `${CAPABILITIES[0]}..${CAPABILITIES.at(-1)}`;
  return flags(CAPABILITIES.map((name, number) => [2 ** number, name]))(mask);
}
