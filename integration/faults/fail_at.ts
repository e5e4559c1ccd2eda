/** Plans that fail where a test wants them to. @module */
import type { ErrnoName } from "../../runtime/linux/generated/errno.ts";
import { AT_FDCWD } from "../../runtime/linux/generated/constants.ts";
import { type Node, type Plan, type Reason, type Step, step } from "../../runtime/plan/node.ts";

/**
 * `plan` whose node `number`, as `hako explain` counts them, fails with EBADF. It keeps its label and pointer.
 *
 * @param force lead the plan into the branches that the node is in, whatever the kernel says
 */
export function failAt(plan: Plan, number: number, force = false): Plan {
  let count = 0;
  return visit(plan);

  function visit(nodes: readonly Node[]): Node[] {
    return nodes.map((node) => {
      const hit = ++count === number;
      if (node.kind !== "attempt") return hit ? failing(node, number) : node;
      if (hit && node.on.includes("EBADF")) throw new Error(`node ${number} expects EBADF`);
      const then = branch(node.then);
      const otherwise = branch(node.otherwise);
      const tried = hit
        ? failing(node.step, number)
        : then.led
        ? succeeding(node.step)
        : otherwise.led
        ? expected(node.step, node.on[0]!)
        : node.step;
      return { ...node, step: tried, then: then.nodes, otherwise: otherwise.nodes };
    });
  }

  function branch(nodes: readonly Node[]): { readonly nodes: readonly Node[]; readonly led: boolean } {
    const before = count;
    const visited = visit(nodes);
    if (!force || number <= before || count < number) return { nodes: visited, led: false };
    // What comes first in the branch could fail by itself, as nothing is there that it expects.
    const first = nodes.findIndex((_, index) => before + size(nodes.slice(0, index + 1)) >= number);
    return { nodes: visited.slice(first), led: true };
  }
}

function size(nodes: readonly Node[]): number {
  return nodes.reduce(
    (sum, node) => sum + 1 + (node.kind === "attempt" ? size(node.then) + size(node.otherwise) : 0),
    0,
  );
}

function failing(reason: Reason, number: number): Step {
  return step(reason, "mkdirat", [-1, faultName(number), 0]);
}

/** What the message of the failing step says: which it is, even where many have the same label. */
export function faultName(number: number): string {
  return `fault ${number}`;
}

/** Something that cannot fail, with a result that can stand for a descriptor. */
function succeeding(tried: Step): Step {
  return step(tried, "openat", [AT_FDCWD, "/", 0, 0], tried.save);
}

/** Calls that fail with the errnos that plans expect. */
const FAILURES: Readonly<Partial<Record<ErrnoName, Pick<Step, "call" | "args">>>> = {
  ENOENT: { call: "openat", args: [AT_FDCWD, "/proc/hako", 0, 0] },
  EEXIST: { call: "mkdirat", args: [AT_FDCWD, "/", 0] },
  // The init leads its process group by the time that a plan expects this.
  EPERM: { call: "setsid", args: [] },
};

function expected(tried: Step, errno: ErrnoName): Step {
  const failure = FAILURES[errno];
  if (failure === undefined) throw new Error(`no call is known to fail with ${errno}`);
  return { ...tried, ...failure };
}
