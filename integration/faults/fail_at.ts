/** Plans that fail where a test wants them to. @module */
import {
  AT_FDCWD,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_SET_MODE_FILTER,
} from "../../runtime/linux/generated/constants.ts";
import { ERRNO, type ErrnoName } from "../../runtime/linux/generated/errno.ts";
import { SYSCALLS } from "../../runtime/linux/generated/syscalls.ts";
import { CPU } from "../../runtime/linux/libc.ts";
import { type Node, type Plan, type Reason, type Step, step } from "../../runtime/plan/node.ts";

/** A node of a plan, by the number that `hako explain` gives it, and what it fails with. */
export interface Fault {
  readonly number: number;
  readonly how: Failure;
  /** Lead the plan into the branches that the node is in, whatever the kernel says. */
  readonly force?: boolean;
}

/** An errno, or the death of the init in this call. */
export type Failure = ErrnoName | "killed";

/** `plan` with one failing node, which keeps its label and pointer. */
export function failAt(plan: Plan, { number, how, force = false }: Fault): Plan {
  let count = 0;
  const [first, ...rest] = visit(plan);
  // The first maps the page by which the runtime sees which step runs. It fails by itself: nothing can say how.
  if (number === 1) return [step(plan[0] as Step, "mkdirat", [-1, faultName(1), 0]), ...rest];
  return [first!, answerProbes(), ...rest];

  function visit(nodes: readonly Node[]): Node[] {
    return nodes.flatMap((node) => {
      const hit = ++count === number;
      if (node.kind !== "attempt") {
        if (!hit) return node;
        const fault = failing(node, how, number);
        // Just before: whether an init was killed in its last step can only be told of execve(2).
        return how === "killed" && node.kind === "step" && node.call.startsWith("execve")
          ? [fault, node]
          : fault;
      }
      const then = branch(node.then);
      const otherwise = branch(node.otherwise);
      const tried = hit
        ? failing(node.step, how, number)
        : then.led
        ? succeeding(node.step)
        : otherwise.led
        ? failing(node.step, node.on[0]!)
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

/** What the message of the failing step says: which it is, even where many have the same label. */
export function faultName(number: number): string {
  return `fault ${number}`;
}

/** getppid(2) takes no arguments and never fails: so it can be told to, by them. Engines' filters allow it. */
function failing(reason: Reason, how: Failure, number?: number): Step {
  const verdict = how === "killed" ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | ERRNO[how];
  return step(reason, "getppid", [verdict, number === undefined ? null : faultName(number), MAGIC]);
}

const MAGIC = 0x68616b6f;

/** A filter by which getppid(verdict, ..., MAGIC) ends as its first argument says: seccomp(2), SECCOMP_RET_*. */
function answerProbes(): Step {
  const [LOAD, JUMP_IF_EQUAL, RETURN, RETURN_A] = [0x20, 0x15, 0x06, 0x16];
  /** Offsets in struct seccomp_data, of low words. */
  const [NUMBER, FIRST, THIRD] = [0, 16, 32];
  const program = [
    [LOAD, 0, 0, NUMBER],
    [JUMP_IF_EQUAL, 0, 4, SYSCALLS[CPU].getppid],
    [LOAD, 0, 0, THIRD],
    [JUMP_IF_EQUAL, 0, 2, MAGIC],
    [LOAD, 0, 0, FIRST],
    [RETURN_A, 0, 0, 0],
    [RETURN, 0, 0, SECCOMP_RET_ALLOW],
  ] as const;
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, yes, no, value], index) => {
    view.setUint16(8 * index, code, true);
    bytes.set([yes, no], 8 * index + 2);
    view.setUint32(8 * index + 4, value, true);
  });
  return step({ label: "load the filter that makes steps fail", pointer: "runtime" }, "seccomp", [
    SECCOMP_SET_MODE_FILTER,
    0,
    { struct: "sock_fprog", members: { len: program.length, filter: bytes } },
  ]);
}

/** Something that cannot fail, with a result that can stand for a descriptor. */
function succeeding(tried: Step): Step {
  return step(tried, "openat", [AT_FDCWD, "/", 0, 0], tried.save);
}
