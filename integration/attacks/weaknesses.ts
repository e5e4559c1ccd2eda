/**
 * Hako without one of its protections each: what an attack has to get through, or it proves nothing.
 *
 * @module
 */
import {
  AT_FDCWD,
  O_NOFOLLOW,
  PR_SET_DUMPABLE,
  RESOLVE_IN_ROOT,
} from "../../runtime/linux/generated/constants.ts";
import type { SyscallName } from "../../runtime/linux/generated/syscalls.ts";
import { type Arg, type Node, type Plan, slot, type Step, step } from "../../runtime/plan/node.ts";

/** A step in its weaker form, or none. */
type Weaken = (step: Step) => Step | undefined;

const WEAKNESSES = {
  /** The paths of the image are resolved as any program would, instead of beneath its root. */
  paths: weakenPath,
  /** Files of /proc are those that the image shows, and what is mounted there may be led elsewhere by a link. */
  proc: (one) =>
    isSlot(one.args[0], "$proc")
      ? { ...one, args: [AT_FDCWD, `/proc/${one.args[1]}`, ...one.args.slice(2)] }
      : followLinks(one),
  /** What masks files is the image's /dev/null. */
  null: (one) =>
    one.label.startsWith("open /dev/null of the host")
      ? step(one, "openat2", [slot("$root"), "/dev/null", {
        struct: "open_how",
        members: { flags: Number(one.args[2]) & ~O_NOFOLLOW, mode: 0, resolve: RESOLVE_IN_ROOT },
      }, 24], one.save)
      : one,
  /** The way to /dev/console may have links. */
  console: followLinks,
  /** What the caller left open stays open, and the working directory is entered by its name. */
  descriptors: (one) =>
    one.call === "close_range" || one.save === "$cwd"
      ? undefined
      : isSlot(one.args[0], "$cwd")
      ? step(one, "chdir", [one.label.replace("enter ", "")])
      : one,
  /** Who joins a container is no more hidden than anybody. */
  dumpable: without("prctl", PR_SET_DUMPABLE),
  /** The init is a file in memory that can be written to: no plan says so, see weakened.ts. */
  sealed: (one) => one,
  /** What is permitted is inheritable. */
  inheritable: (one) => {
    const [header, data] = one.args;
    if (one.call !== "capset" || typeof data !== "object" || data === null || !("members" in data)) {
      return one;
    }
    const { permitted0 = 0, permitted1 = 0 } = data.members;
    const members = { ...data.members, inheritable0: permitted0, inheritable1: permitted1 };
    return { ...one, args: [header!, { ...data, members }] };
  },
  /** Nobody becomes another user than root. */
  user: (one) => one.call === "setresuid" && one.pointer === "/process/user/uid" ? undefined : one,
  /** What is to be read-only is not. */
  writable: (one) => {
    const change = one.args[3];
    if (one.call !== "mount_setattr" || typeof change !== "object" || change === null) return one;
    if (!("members" in change)) return one;
    const members = { ...change.members, attr_set: 0 };
    return { ...one, args: one.args.with(3, { ...change, members }) };
  },
} satisfies Record<string, Weaken>;

export type Weakness = keyof typeof WEAKNESSES;

export function isWeakness(name: string): name is Weakness {
  return Object.hasOwn(WEAKNESSES, name);
}

/** `plan` without one protection. */
export function weaken(plan: Plan, weakness: Weakness): Node[] {
  const change: Weaken = WEAKNESSES[weakness];
  return plan.flatMap((node): Node[] => {
    if (node.kind === "step") return [change(node)].filter((one) => one !== undefined);
    if (node.kind !== "attempt") return [node];
    const tried = change(node.step);
    const then = weaken(node.then, weakness);
    if (tried === undefined) return then;
    return [{ ...node, step: tried, then, otherwise: weaken(node.otherwise, weakness) }];
  });
}

function weakenPath(one: Step): Step {
  const [directory, path, how] = one.args;
  if (one.call !== "openat2" || typeof how !== "object" || how === null || !("members" in how)) return one;
  // Relative, so that only the links of the image can lead it out of the root.
  return { ...one, call: "openat", args: [directory!, `.${path}`, Number(how.members.flags), 0] };
}

function followLinks(one: Step): Step {
  const [directory, path, how, ...rest] = one.args;
  if (one.call !== "openat2" || typeof how !== "object" || how === null || !("members" in how)) return one;
  const members = { ...how.members, resolve: RESOLVE_IN_ROOT };
  return { ...one, args: [directory!, path!, { ...how, members }, ...rest] };
}

function without(call: SyscallName, first: number): Weaken {
  return (one) => one.call === call && one.args[0] === first ? undefined : one;
}

function isSlot(arg: Arg | undefined, name: string): boolean {
  return typeof arg === "object" && arg !== null && "slot" in arg && arg.slot === name;
}
