import {
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  MPOL_INTERLEAVE,
  MPOL_LOCAL,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE,
} from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import { parseRanges } from "../spec/ranges.ts";
import { type Node, step } from "./node.ts";

const MODES = {
  MPOL_DEFAULT,
  MPOL_BIND,
  MPOL_INTERLEAVE,
  MPOL_WEIGHTED_INTERLEAVE,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
  MPOL_LOCAL,
};

const FLAGS = { MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES };

/**
 * linux.memoryPolicy: from which NUMA nodes memory is taken.
 *
 * @see set_mempolicy(2), config-linux.md#memory-policy
 */
export function memoryPolicy(config: Config): Node[] {
  const policy = config.linux?.memoryPolicy;
  if (policy === undefined) return [];
  const { mode, nodes = "", flags = [] } = policy;
  const bits = flags.reduce((bits, flag) => bits | FLAGS[flag], MODES[mode]);
  const mask = nodeMask(nodes);
  const label = `set memory policy ${mode}${nodes === "" ? "" : ` for nodes ${nodes}`}`;
  // The kernel takes one bit less than it is told: get_nodes() in mm/mempolicy.c.
  const maxnode = mask === null ? 0 : mask.length * 8 + 1;
  return [step({ label, pointer: "/linux/memoryPolicy" }, "set_mempolicy", [bits, mask, maxnode])];
}

/** "0-1,3" as the bits of an array of longs; null for none. */
function nodeMask(list: string): Uint8Array | null {
  const ranges = parseRanges(list) ?? [];
  if (ranges.length === 0) return null;
  const highest = Math.max(...ranges.map(([, last]) => last));
  const mask = new Uint8Array(8 * (Math.floor(highest / 64) + 1));
  for (const [first, last] of ranges) {
    for (let node = first; node <= last; node++) mask[node >> 3]! |= 1 << (node & 7);
  }
  return mask;
}
