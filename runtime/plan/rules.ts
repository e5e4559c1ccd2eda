/**
 * What every plan must be, whatever the config: the properties that keep a container inside, checked on the plan
 * itself. Tests apply them to all golden plans and to random configs.
 *
 * @module
 */
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  CLOSE_RANGE_CLOEXEC,
  MS_BIND,
  MS_MOVE,
  O_ACCMODE,
  O_RDONLY,
  PR_CAPBSET_DROP,
  PR_SET_DUMPABLE,
  PR_SET_NO_NEW_PRIVS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
} from "../linux/generated/constants.ts";
import type { SyscallName } from "../linux/generated/syscalls.ts";
import { NULL_SLOTS } from "./streams.ts";
import { formatCall, type Visit, walk } from "./format.ts";
import {
  type Arg,
  type BarrierName,
  MAX_ERRNOS,
  type Node,
  type Plan,
  type SlotName,
  type Step,
} from "./node.ts";

/** What is wrong with `plan`, one line each. */
export function checkPlan(plan: Plan): string[] {
  const visits = [...walk(plan)];
  const calls = visits.flatMap(toCall);
  return [
    ...checkShape(visits),
    ...checkOrder(visits),
    ...checkSlots(plan),
    ...checkCredentials(calls),
    ...checkFilter(visits, calls),
    ...checkPaths(calls),
    ...checkProc(calls),
    ...checkEnd(plan, calls),
  ];
}

/** A step, be it tried or not, with its number. */
interface Call {
  readonly number: number;
  readonly step: Step;
}

function toCall({ node, number }: Visit): Call[] {
  if (node.kind === "step") return [{ number, step: node }];
  return node.kind === "attempt" ? [{ number, step: node.step }] : [];
}

function fault({ number, step }: Call, problem: string): string {
  return `${number} (${step.label}): ${formatCall(step)}: ${problem}`;
}

/** Each node can be told from others, and encoded. */
function* checkShape(visits: readonly Visit[]): Generator<string> {
  for (const visit of visits) {
    const { node, number } = visit;
    const { label, pointer } = node.kind === "attempt" ? node.step : node;
    if (label === "") yield `${number}: has no label`;
    if (pointer !== "runtime" && !pointer.startsWith("/")) yield `${number} (${label}): has no pointer`;
    for (const call of toCall(visit)) {
      if (call.step.args.length > 6) yield fault(call, "has more than six arguments");
      if (node.kind !== "attempt") continue;
      if (node.on.length === 0) yield fault(call, "expects no errno");
      if (node.on.length > MAX_ERRNOS) yield fault(call, `expects more than ${MAX_ERRNOS} errnos`);
    }
  }
}

const BARRIERS: readonly BarrierName[] = ["cgroup", "namespaces", "mounted", "ready", "start", "listener"];

/** The runtime expects the barriers in this order, and the late strings are there from `ready` on. */
function* checkOrder(visits: readonly Visit[]): Generator<string> {
  let passed = -1;
  let forks = 0;
  for (const visit of visits) {
    const { node, number, depth } = visit;
    if (node.kind === "barrier") {
      const position = BARRIERS.indexOf(node.name);
      if (position <= passed) yield `${number}: barrier ${node.name} comes after ${BARRIERS[passed]}`;
      if (depth > 0) yield `${number}: barrier ${node.name} is not always reached`;
      passed = Math.max(passed, position);
    }
    if (node.kind === "fork" && node.child === undefined && ++forks > 1) yield `${number}: is a second fork`;
    for (const call of toCall(visit)) {
      const late = call.step.args.some((arg) => isObject(arg) && ("late" in arg || hasLateString(arg)));
      if (late && passed < BARRIERS.indexOf("ready")) {
        yield fault(call, "takes a late string before the barrier ready");
      }
    }
  }
}

function hasLateString(arg: object): boolean {
  return "strings" in arg && Array.isArray(arg.strings) && arg.strings.some((entry) => isObject(entry));
}

/**
 * Slots that are there from the start: descriptors of the runtime's, that of the container which `exec` joins among them,
 * and what a supervisor saves in the place of one.
 */
const INHERITED: readonly SlotName[] = [
  ...["$status", "$listen", "$barrier", "$pidfd", "$argv", "$envp"] as const,
  ...NULL_SLOTS,
];

/** On every way through the plan a slot is saved before it is used, and not used when it was closed. */
function checkSlots(plan: Plan): string[] {
  const faults: string[] = [];
  const numbers = walk(plan);
  run(plan, new Set(INHERITED));
  return faults;

  /** Runs `nodes` with `open` slots, and returns those that are open behind them. */
  function run(nodes: readonly Node[], open: ReadonlySet<SlotName>): ReadonlySet<SlotName> {
    for (const node of nodes) {
      // Both go through the nodes in the same order.
      const { number } = numbers.next().value as Visit;
      if (node.kind === "step") open = after({ number, step: node }, open);
      // Its child has copies of all descriptors, and what it opens is its own.
      if (node.kind === "fork" && node.child) {
        run(node.child, open);
        open = new Set(open).add(node.save);
      }
      if (node.kind !== "attempt") continue;
      const done = run(node.then, after({ number, step: node.step }, open));
      open = done.intersection(run(node.otherwise, open));
    }
    return open;
  }

  function after(call: Call, open: ReadonlySet<SlotName>): ReadonlySet<SlotName> {
    const { step } = call;
    const used = step.args.map(slotOf).filter((slot) => slot !== undefined);
    for (const slot of used) if (!open.has(slot)) faults.push(fault(call, `${slot} is not open here`));
    const left = new Set(closesAll(step) ? INHERITED : open);
    if (step.call === "close") left.delete(used[0]!);
    if (step.save) left.add(step.save);
    return left;
  }
}

function closesAll({ call, args }: Step): boolean {
  return call === "close_range" && args[2] === 0;
}

/**
 * setgroups(2), setresgid(2), setresuid(2), as often as identities are changed: each needs what the next one takes away.
 * Only on the way to the container's root may the first be missing, where a caller without privilege is not allowed to.
 */
function* checkCredentials(calls: readonly Call[]): Generator<string> {
  const changes = calls.filter(isCall("setgroups", "setresgid", "setresuid"));
  const order = changes.map(({ step }) => step.call).join(" ");
  if (!/^(((setgroups )?setresgid setresuid )*setgroups setresgid setresuid)?$/.test(order)) {
    yield `identities are changed in the wrong order: ${order}`;
  }
  const last = calls.findLast(isCall("setresuid"));
  for (const call of calls.filter(isPrctl(PR_CAPBSET_DROP))) {
    if (last && call.number > last.number) yield fault(call, "the final setresuid has taken CAP_SETPCAP");
  }
  const hidden = calls.find(isPrctl(PR_SET_DUMPABLE));
  for (const call of calls.filter(isCall("setns"))) {
    if (!hidden || hidden.number > call.number) {
      yield fault(call, "others in the namespace can trace the init");
    }
  }
}

/**
 * The seccomp filter is loaded as late as can be: with no_new_privs just before execve(2), without it while there is still
 * CAP_SYS_ADMIN, before the final capset(2).
 */
function* checkFilter(visits: readonly Visit[], calls: readonly Call[]): Generator<string> {
  const filter = calls.find(isCall("seccomp"));
  if (filter === undefined) return;
  const start = visits.find(({ node }) => node.kind === "barrier" && node.name === "start");
  if (start && filter.number < start.number) yield fault(filter, "is loaded before the barrier start");

  const noNewPrivileges = calls.find(isPrctl(PR_SET_NO_NEW_PRIVS));
  const user = calls.findLast(isCall("setresuid"));
  const capsets = calls.filter(isCall("capset"));
  if (noNewPrivileges) {
    if (noNewPrivileges.number > filter.number) yield fault(filter, "is loaded before no_new_privs is set");
    const later = calls.filter(({ number }) => number > filter.number);
    for (const call of later.filter((call) => !isCall("close_range", "execve", "execveat")(call))) {
      yield fault(call, "would have to be allowed by the filter");
    }
  } else if (!capsets.some(({ number }) => number > filter.number)) {
    yield fault(filter, "the final capset has taken CAP_SYS_ADMIN");
  } else if (user && user.number < filter.number && user.step.args[0] !== 0) {
    const regained = capsets.some(({ number }) => user.number < number && number < filter.number);
    if (!regained) yield fault(filter, "setresuid has taken CAP_SYS_ADMIN from the effective set");
  }
}

/** Which arguments are paths, each with the one that holds its directory. */
const PATHS: Readonly<
  Partial<Record<SyscallName, readonly { readonly path: number; readonly dir?: number }[]>>
> = {
  chdir: [{ path: 0 }],
  chroot: [{ path: 0 }],
  execveat: [{ dir: 0, path: 1 }],
  fchmodat: [{ dir: 0, path: 1 }],
  fchownat: [{ dir: 0, path: 1 }],
  fspick: [{ dir: 0, path: 1 }],
  linkat: [{ dir: 0, path: 1 }, { dir: 2, path: 3 }],
  mkdirat: [{ dir: 0, path: 1 }],
  mknodat: [{ dir: 0, path: 1 }],
  mount: [{ path: 1 }],
  mount_setattr: [{ dir: 0, path: 1 }],
  move_mount: [{ dir: 0, path: 1 }, { dir: 2, path: 3 }],
  newfstatat: [{ dir: 0, path: 1 }],
  open_tree: [{ dir: 0, path: 1 }],
  openat: [{ dir: 0, path: 1 }],
  openat2: [{ dir: 0, path: 1 }],
  pivot_root: [{ path: 0 }, { path: 1 }],
  readlinkat: [{ dir: 0, path: 1 }],
  renameat2: [{ dir: 0, path: 1 }, { dir: 2, path: 3 }],
  statx: [{ dir: 0, path: 1 }],
  symlinkat: [{ dir: 1, path: 2 }],
  umount2: [{ path: 0 }],
  unlinkat: [{ dir: 0, path: 1 }],
};

/** Calls that follow a symbolic link at the end of a path, with the argument where AT_SYMLINK_NOFOLLOW forbids it. */
const FOLLOWING: Readonly<Partial<Record<SyscallName, number | "always">>> = {
  fchmodat: "always",
  fchownat: 4,
  fspick: "always",
  mount_setattr: 2,
  open_tree: 2,
  openat: "always",
};

/**
 * A path of the image is resolved by openat2(2) only, beneath a descriptor. All other calls take one name in an open
 * directory and do not follow it. Once the root is the container's, nothing is named from the root or working directory.
 */
function* checkPaths(calls: readonly Call[]): Generator<string> {
  let entered = false;
  for (const call of calls) {
    const { step } = call;
    for (const { path: pathAt, dir: dirAt } of PATHS[step.call] ?? []) {
      const path = step.args[pathAt];
      // A path without a name in it leads nowhere else.
      if (typeof path !== "string" || ["", ".", "/"].includes(path)) continue;
      const dir = dirAt === undefined ? AT_FDCWD : step.args[dirAt];
      const slot = slotOf(dir);
      if (step.call === "openat2") {
        if (slot && !staysBeneath(step)) {
          yield fault(call, "may lead out of the root: RESOLVE_IN_ROOT is missing");
        }
      } else if (slot === "$proc" || slot === "$self") {
        if (path.startsWith("/")) yield fault(call, `an absolute path does not start at ${slot}`);
      } else if (slot && CGROUPS.includes(slot)) {
        if (path.includes("/") || path === "..") yield fault(call, "leads out of the cgroup");
      } else if (slot) {
        if (path.includes("/") || path === "..") yield fault(call, "resolves a path of the image");
        if (follows(step)) yield fault(call, "follows a link of the image");
      }
      if (entered && !slot && !staysBeneath(step)) {
        yield fault(call, "names a path after the root was entered");
      }
    }
    const bindsPath = step.call === "mount" && typeof step.args[0] === "string" &&
      (Number(step.args[3]) & (MS_BIND | MS_MOVE)) !== 0;
    if (entered && bindsPath) {
      yield fault(call, "mounts from a path after the root was entered");
    }
    entered ||= isCall("pivot_root", "chroot")(call);
  }
}

/** The container's cgroup and the one above it, where there are no links, and which it cannot reach yet. */
const CGROUPS: readonly SlotName[] = ["$cgroup", "$cgroup_parent"];

function staysBeneath({ call, args }: Step): boolean {
  return call === "openat2" &&
    (Number(member(args[2], "resolve")) & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) !== 0;
}

function follows({ call, args }: Step): boolean {
  const flags = FOLLOWING[call];
  if (flags === undefined) return false;
  return flags === "always" || (Number(args[flags]) & AT_SYMLINK_NOFOLLOW) === 0;
}

/**
 * What is written to files, labels and kernel parameters, goes to the procfs that the runtime has opened itself. Before
 * there is a namespace of the container's every file is the host's: its cgroups are joined there.
 */
function* checkProc(calls: readonly Call[]): Generator<string> {
  let amongOthers = false;
  for (const call of calls) {
    const { call: name, args, save } = call.step;
    amongOthers ||= name === "setns" || name === "unshare";
    if (save === "$proc" && !(name === "openat" && args[0] === AT_FDCWD && args[1] === "/proc")) {
      yield fault(call, "$proc is not the runtime's own procfs");
    }
    if (save === "$self" && !(name === "openat" && slotOf(args[0]) === "$proc" && args[1] === "self")) {
      yield fault(call, "$self is not of the runtime's own procfs");
    }
    const flags = name === "openat" ? args[2] : name === "openat2" ? member(args[2], "flags") : O_RDONLY;
    if ((Number(flags) & O_ACCMODE) === O_RDONLY) continue;
    const inImage = name === "openat2" && !/^\/*(proc|sys)(\/|$)/.test(`${args[1]}`);
    const slot = slotOf(args[0]);
    const joins = args[0] === AT_FDCWD ? /^\/.*\/tasks$/.test(`${args[1]}`) : args[1] === "cgroup.procs";
    const inCgroup = !amongOthers && (slot ? CGROUPS.includes(slot) : joins);
    if (slot !== "$proc" && slot !== "$self" && !inImage && !inCgroup) {
      yield fault(call, "writes to a file that is not beneath $proc");
    }
  }
}

/** The plan ends in execve(2), or in several that are tried in turn, and leaves no descriptor of ours behind. */
function* checkEnd(plan: Plan, calls: readonly Call[]): Generator<string> {
  const isExec = isCall("execve", "execveat");
  const node = plan.at(-1);
  const last = node?.kind === "attempt" ? node.step : node;
  if (last?.kind !== "step" || !isExec({ step: last, number: 0 })) yield "the plan does not end in execve";
  const tried = last === undefined ? 1 : [...walk([node!])].flatMap(toCall).filter(isExec).length;
  for (const call of calls.filter(isExec).slice(0, -tried || undefined)) {
    yield fault(call, "is not the last step");
  }
  const close = calls.findLast(({ step }) =>
    step.call === "close_range" && step.args[2] === CLOSE_RANGE_CLOEXEC
  );
  if (close === undefined) yield "descriptors stay open in the container: CLOSE_RANGE_CLOEXEC is missing";
  const later = calls.filter(({ number, step }) => step.save && number > (close?.number ?? Infinity));
  // The listener of a filter is close-on-exec by itself.
  for (const call of later.filter((call) => !isCall("seccomp")(call))) {
    yield fault(call, "opens a descriptor that stays open in the container");
  }
}

function isCall(...names: readonly SyscallName[]): (call: Call) => boolean {
  return ({ step }) => names.includes(step.call);
}

function isPrctl(option: number): (call: Call) => boolean {
  return ({ step }) => step.call === "prctl" && step.args[0] === option;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function slotOf(arg: Arg | undefined): SlotName | undefined {
  return isObject(arg) && "slot" in arg ? arg.slot : undefined;
}

function member(arg: Arg | undefined, name: string): number | bigint | Uint8Array | undefined {
  return isObject(arg) && "members" in arg ? arg.members[name] : undefined;
}
