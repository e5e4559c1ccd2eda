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
import { bitMask } from "./bit_mask.ts";
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
  const mask = bitMask(nodes);
  const label = `set memory policy ${mode}${nodes === "" ? "" : ` for nodes ${nodes}`}`;
  // The kernel takes one bit less than it is told: get_nodes() in mm/mempolicy.c.
  const maxnode = mask === null ? 0 : mask.length * 8 + 1;
  return [step({ label, pointer: "/linux/memoryPolicy" }, "set_mempolicy", [bits, mask, maxnode])];
}
