/**
 * process.capabilities: the five sets of capabilities(7).
 *
 * An absent set is empty, and so are all of them without `capabilities`, as in runc. A capability that cannot be had is
 * left out and warned of: config.md#linux-process says that it MUST be logged and SHOULD NOT be an error.
 *
 * @module
 */
import {
  _LINUX_CAPABILITY_VERSION_3,
  CAP_CHECKPOINT_RESTORE,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
} from "../linux/generated/constants.ts";
import { CAPABILITIES } from "../linux/generated/capabilities.ts";
import type { Capabilities, Config, Process } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { namespace } from "./namespaces.ts";
import { type Node, type Reason, step, tolerate } from "./node.ts";

const NUMBERS: ReadonlyMap<string, number> = new Map(CAPABILITIES.map((name, number) => [name, number]));
const POINTER = "/process/capabilities";

/**
 * Drops from the bounding set what is not in `bounding`. Needs CAP_SETPCAP in the effective set, so it goes before
 * setresuid(2) empties that.
 */
export function dropBoundingSet(process: Process, host: Host): Node[] {
  const kept = maskOf(process.capabilities?.bounding, host);
  const reason: Reason = { label: "drop capabilities from the bounding set", pointer: `${POINTER}/bounding` };
  return supported(host)
    .filter((capability) => !has(kept, capability))
    .map((capability) => {
      const drop = step(reason, "prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0]);
      // A compiled container drops what later kernels may have.
      return capability > CAP_CHECKPOINT_RESTORE ? tolerate(drop, ["EINVAL"]) : drop;
    });
}

/**
 * Sets all other capabilities to what the config asks for and the kernel can grant. Goes after setresuid(2), which
 * clears the effective and ambient sets.
 *
 * @see capset(2), PR_CAP_AMBIENT in prctl(2)
 */
export function setCapabilities(config: Config, process: Process, host: Host): Node[] {
  const { permitted, effective, inheritable, ambient } = grantedSets(config, process, host);
  const raise: Reason = { label: "set ambient capabilities", pointer: `${POINTER}/ambient` };
  return [
    capset({ label: "set capabilities", pointer: POINTER }, { permitted, effective, inheritable }),
    // A caller's own ambient capabilities outlive capset(2) where they are permitted and inheritable.
    step(raise, "prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]),
    ...supported(host)
      .filter((capability) => has(ambient, capability))
      .map((capability) => step(raise, "prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0])),
  ];
}

/**
 * Makes all that is permitted effective again, behind a setresuid(2) with PR_SET_KEEPCAPS: loading a seccomp filter takes
 * CAP_SYS_ADMIN where there is no no_new_privs.
 */
export function regainEffective(config: Config, host: Host): Node[] {
  const all = grantableSet(config, host);
  const reason: Reason = { label: "regain the right to load a seccomp filter", pointer: "/linux/seccomp" };
  return [capset(reason, { permitted: all, effective: all, inheritable: 0n })];
}

function capset(reason: Reason, sets: Pick<Sets, "permitted" | "effective" | "inheritable">): Node {
  const low = (set: bigint) => Number(set & 0xffffffffn);
  const high = (set: bigint) => Number(set >> 32n);
  const { permitted, effective, inheritable } = sets;
  return step(reason, "capset", [
    { struct: "__user_cap_header_struct", members: { version: _LINUX_CAPABILITY_VERSION_3, pid: 0 } },
    {
      struct: "__user_cap_data_struct",
      members: {
        effective0: low(effective),
        permitted0: low(permitted),
        inheritable0: low(inheritable),
        effective1: high(effective),
        permitted1: high(permitted),
        inheritable1: high(inheritable),
      },
    },
  ]);
}

/** One line for each reason why a capability that the config asks for is left out. */
export function capabilityWarnings(config: Config, process: Process, host: Host): string[] {
  const asked = askedSets(process, host);
  const granted = grantedSets(config, process, host);
  const grantable = grantableSet(config, host);
  const missing = (asked.permitted | asked.effective | asked.inheritable | asked.ambient) & ~grantable;
  const namesOf = (set: bigint) =>
    [...NUMBERS].filter(([, number]) => has(set, number)).map(([name]) => name);
  const unknown = Object.values(process.capabilities ?? {}).flat()
    .filter((name) => maskOf([name], host) === 0n);
  const reasons: [names: string[], reason: string][] = [
    [[...new Set(unknown)], "unknown to this kernel"],
    [namesOf(missing), "that the caller does not hold"],
    [namesOf(asked.effective & ~granted.effective & grantable), "that are effective but not permitted"],
    [
      namesOf(asked.inheritable & ~granted.inheritable & grantable),
      "that are inheritable but not in the bounding set",
    ],
    [
      namesOf(asked.ambient & ~granted.ambient & grantable),
      "that are ambient but not both permitted and inheritable",
    ],
  ];
  return reasons
    .filter(([names]) => names.length > 0)
    .map(([names, reason]) => `ignoring capabilities ${reason}: ${names.join(", ")}`);
}

/** Each set as a mask: bit n is capability n. */
type Sets = Readonly<Record<keyof Capabilities, bigint>>;

function askedSets({ capabilities = {} }: Process, host: Host): Sets {
  return {
    bounding: maskOf(capabilities.bounding, host),
    permitted: maskOf(capabilities.permitted, host),
    effective: maskOf(capabilities.effective, host),
    inheritable: maskOf(capabilities.inheritable, host),
    ambient: maskOf(capabilities.ambient, host),
  };
}

/** The part of each set that cannot make capset(2) or prctl(2) fail: one bit too many is EPERM for all of them. */
function grantedSets(config: Config, process: Process, host: Host): Sets {
  const asked = askedSets(process, host);
  const grantable = grantableSet(config, host);
  const permitted = asked.permitted & grantable;
  // "The new inheritable set must be a subset of the existing inheritable and bounding sets": capabilities(7).
  const inheritable = asked.inheritable & asked.bounding & grantable;
  return {
    bounding: asked.bounding,
    permitted,
    effective: asked.effective & permitted,
    inheritable,
    ambient: asked.ambient & permitted & inheritable,
  };
}

/** All capabilities for whoever enters a user namespace, by clone(2), unshare(2) or setns(2); else the caller's own. */
function grantableSet(config: Config, host: Host): bigint {
  return namespace(config, "user") === "none"
    ? host.capabilities
    : (1n << BigInt(host.lastCapability + 1)) - 1n;
}

/** The known ones of `names`. */
function maskOf(names: readonly string[] = [], host: Host): bigint {
  return names
    .map((name) => NUMBERS.get(name))
    .filter((number) => number !== undefined && number <= host.lastCapability)
    .reduce((mask, number) => mask | (1n << BigInt(number!)), 0n);
}

function has(mask: bigint, capability: number): boolean {
  return (mask >> BigInt(capability) & 1n) === 1n;
}

/** The capabilities of the kernel, which may be newer than our table. */
function supported(host: Host): number[] {
  return Array.from({ length: host.lastCapability + 1 }, (_, capability) => capability);
}
