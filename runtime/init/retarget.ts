/**
 * A plan for another CPU. Its numbers are the same everywhere but for system calls, which are encoded by name, and these
 * flags of open(2).
 *
 * @see asm/fcntl.h
 * @module
 */
import type { Cpu } from "../linux/generated/syscalls.ts";
import type { Arg, Node, Plan, Step } from "../plan/node.ts";

/** O_DIRECTORY, O_NOFOLLOW, O_DIRECT, O_LARGEFILE */
const FLAGS: Readonly<Record<Cpu, readonly number[]>> = {
  x86_64: [0o200000, 0o400000, 0o40000, 0o100000],
  aarch64: [0o40000, 0o100000, 0o200000, 0o400000],
};

/** `plan`, which was made on `from`, for `to`. */
export function retarget(plan: Plan, from: Cpu, to: Cpu): Plan {
  if (from === to) return plan;
  const translate = (flags: number) =>
    FLAGS[from].reduce(
      (all, flag, index) => (flags & flag) === 0 ? all : all | FLAGS[to][index]!,
      flags & ~FLAGS[from].reduce((all, flag) => all | flag),
    );
  return plan.map(node);

  function node(one: Node): Node {
    switch (one.kind) {
      case "step":
        return step(one);
      case "attempt":
        return { ...one, step: step(one.step), then: one.then.map(node), otherwise: one.otherwise.map(node) };
      case "fork":
        return one.child === undefined ? one : { ...one, child: one.child.map(node) };
      default:
        return one;
    }
  }

  function step(one: Step): Step {
    if (one.call !== "openat" && one.call !== "openat2") return one;
    return { ...one, args: one.args.map((arg, index) => index === 2 ? flagsOf(arg) : arg) };
  }

  function flagsOf(arg: Arg): Arg {
    if (typeof arg === "number") return translate(arg);
    if (typeof arg !== "object" || arg === null || !("struct" in arg)) return arg;
    return { ...arg, members: { ...arg.members, flags: translate(Number(arg.members.flags)) } };
  }
}
