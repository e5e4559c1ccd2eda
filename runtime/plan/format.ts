/**
 * A plan for people, and for machines: what `hako explain` prints.
 *
 * ```
 * mount tmpfs on /dev                                                           /mounts/1
 *    12  openat2($root, "dev", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}, 24) -> $target
 *        on ENOENT:
 *    13      mkdirat($root, "dev", 0755)  (EEXIST is fine)
 * ```
 *
 * @module
 */
import { formatCall } from "./format_call.ts";
import { CLONE_INTO_CGROUP } from "../linux/generated/constants.ts";
import type { Arg, Attempt, Fork, Node, Plan, Reason, StructArg } from "./node.ts";

export { formatCall };

/** A node with its place in the plan. */
export interface Visit {
  readonly node: Node;
  /** From 1, in the order in which the plan is written. */
  readonly number: number;
  /** In how many branches of attempts the node is. */
  readonly depth: number;
  /** The branch that starts with this node. */
  readonly begins?:
    | { readonly attempt: Attempt; readonly branch: "then" | "otherwise" }
    | { readonly branch: "child" };
}

/** Every node of `plan`, each attempt and fork before its branches. */
export function* walk(plan: Plan): Generator<Visit> {
  let number = 0;
  yield* visit(plan, 0);

  function* visit(nodes: readonly Node[], depth: number, branch?: Visit["begins"]): Generator<Visit> {
    for (const [index, node] of nodes.entries()) {
      yield { node, number: ++number, depth, ...(index === 0 && branch && { begins: branch }) };
      if (node.kind === "fork") yield* visit(node.child ?? [], depth + 1, { branch: "child" });
      if (node.kind !== "attempt") continue;
      yield* visit(node.then, depth + 1, { attempt: node, branch: "then" });
      yield* visit(node.otherwise, depth + 1, { attempt: node, branch: "otherwise" });
    }
  }
}

/** Where the pointer stands to the right of a label. */
const POINTER_COLUMN = 78;

/** The plan as text, a line for each node, under its label and the member of config.json that asked for it. */
export function formatPlan(plan: Plan): string {
  const lines: string[] = [];
  let heading: Reason | undefined;
  for (const { node, number, depth, begins } of walk(plan)) {
    const margin = " ".repeat(7 + 4 * depth);
    const count = `${number}`.padStart(5);
    if (begins) lines.push(`${margin.slice(4)}${formatBranch(begins)}`);
    if (node.kind === "barrier") {
      lines.push(`${count}  -- barrier ${node.name}: ${node.label} --`);
      heading = undefined;
      continue;
    }
    const { label, pointer }: Reason = node.kind === "attempt" ? node.step : node;
    if (label !== heading?.label || pointer !== heading.pointer) {
      lines.push(`${(depth === 0 ? "" : margin) + label}`.padEnd(POINTER_COLUMN) + `  ${pointer}`);
      heading = { label, pointer };
    }
    lines.push(`${count}${margin.slice(5)}${formatNode(node)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function formatNode(node: Exclude<Node, { kind: "barrier" }>): string {
  switch (node.kind) {
    case "step":
      return formatCall(node) + (node.save ? ` -> ${node.save}` : "");
    case "fork":
      return `${formatFork(node)} -> ${node.save}${node.child ? "" : "  (the parent ends here)"}`;
    case "attempt": {
      const fine = node.otherwise.length > 0
        ? ""
        : `  (${node.on.join(", ")} ${node.on.length === 1 ? "is" : "are"} fine)`;
      return formatNode(node.step) + fine;
    }
  }
}

function formatFork({ flags, cgroup }: Fork): string {
  return cgroup === undefined
    ? formatCall({ call: "clone", args: [flags] })
    : formatCall({ call: "clone", args: [flags + CLONE_INTO_CGROUP] }).replace(/\)$/, `, cgroup=${cgroup})`);
}

function formatBranch(begins: NonNullable<Visit["begins"]>): string {
  if (begins.branch === "child") return "in the child:";
  return begins.branch === "then" ? "on success:" : `on ${begins.attempt.on.join(", ")}:`;
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The plan as it is, but for what JSON lacks: bytes are hexadecimal, integers beyond 2^53 decimal strings. */
export function planToJson(plan: Plan): Json {
  return plan.map(nodeToJson);
}

function nodeToJson(node: Node): Json {
  switch (node.kind) {
    case "step":
      return { ...node, args: node.args.map(argToJson) };
    case "attempt":
      return {
        kind: node.kind,
        step: nodeToJson(node.step),
        on: node.on,
        then: planToJson(node.then),
        otherwise: planToJson(node.otherwise),
      };
    case "fork":
      return { ...node, child: planToJson(node.child ?? []) };
    default:
      return { ...node };
  }
}

function argToJson(arg: Arg | StructArg["members"][string]): Json {
  if (typeof arg === "bigint") return Number.isSafeInteger(Number(arg)) ? Number(arg) : `${arg}`;
  if (arg instanceof Uint8Array) return { bytes: arg.toHex() };
  if (typeof arg !== "object" || arg === null) return arg;
  if ("struct" in arg) {
    const members = Object.entries(arg.members).map(([name, value]) => [name, argToJson(value)]);
    return { struct: arg.struct, members: Object.fromEntries(members) };
  }
  return "strings" in arg ? { strings: arg.strings.map(argToJson) } : { ...arg };
}
