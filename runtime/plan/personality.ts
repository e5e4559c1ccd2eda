import { PER_LINUX, PER_LINUX32 } from "../linux/generated/constants.ts";
import type { Config } from "../spec/config.ts";
import { type Node, step } from "./node.ts";

const DOMAINS = { LINUX: PER_LINUX, LINUX32: PER_LINUX32 };

/**
 * linux.personality: what uname(2) calls the machine.
 *
 * @see personality(2), config-linux.md#personality
 */
export function personality(config: Config): Node[] {
  const domain = config.linux?.personality?.domain;
  if (domain === undefined) return [];
  const reason = { label: `set personality ${domain}`, pointer: "/linux/personality" };
  return [step(reason, "personality", [DOMAINS[domain]])];
}
