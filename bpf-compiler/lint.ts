/**
 * What a policy says but does not do.
 *
 * @module
 */

import { findAbi } from "./abi.ts";
import { IPC, SOCKETCALL } from "./multiplexed.ts";
import type { Diagnostic, Entry, Policy } from "./policy.ts";
import { permissiveness, verdictOf } from "./verdict.ts";

/** What is wrong beside what the compiler itself reports. The policy has been compiled. */
export function lint(policy: Policy, native: string): Diagnostic[] {
  const entries = policy.syscalls ?? [];
  return [
    ...entries.flatMap((entry, at) => lintEntry(policy, entry, `/syscalls/${at}`, native)),
    ...shadowed(policy),
  ];
}

function warning(code: string, pointer: string, message: string): Diagnostic {
  return { severity: "warning", code, pointer, message };
}

function lintEntry(
  policy: Policy,
  { names, action, errnoRet, args = [] }: Entry,
  pointer: string,
  native: string,
) {
  const found: Diagnostic[] = [];
  const fallback = verdictOf(policy.defaultAction, policy.defaultErrnoRet);
  const verdict = verdictOf(action, errnoRet);
  if (verdict === fallback) {
    found.push(warning("no-op", pointer, "does what the default does, so it is skipped and shadows nothing"));
  }
  const multiplexed = [native, ...policy.architectures ?? []].some((name) => findAbi(name)?.multiplexed);
  const behind = names.filter((name) => Object.hasOwn(SOCKETCALL, name) || Object.hasOwn(IPC, name));
  if (args.length > 0 && multiplexed && behind.length > 0) {
    const effect = permissiveness(verdict) > permissiveness(fallback) ? "allowed" : "decided";
    found.push(warning(
      "multiplexed",
      `${pointer}/args`,
      `${
        behind.join(", ")
      } can also be made through socketcall or ipc, where it is ${effect} without its first comparison`,
    ));
  }
  args.forEach(({ op, value }, at) => {
    const datum = BigInt(value);
    if (op !== "SCMP_CMP_MASKED_EQ" && datum >= 0x80000000n && datum <= 0xffffffffn) {
      found.push(warning(
        "sign",
        `${pointer}/args/${at}/value`,
        "is a negative int in 32 bits, but a C library that extends signs passes 64 bits, which this does not match",
      ));
    }
    if ((op === "SCMP_CMP_LT" && datum === 0n) || (op === "SCMP_CMP_GT" && datum === (1n << 64n) - 1n)) {
      found.push(warning("never", `${pointer}/args/${at}`, "no argument compares so"));
    }
  });
  return found;
}

/** Names whose entry has no effect since another one counts. */
function shadowed({ defaultAction, defaultErrnoRet, syscalls = [] }: Policy): Diagnostic[] {
  const fallback = verdictOf(defaultAction, defaultErrnoRet);
  const unconditional = new Map<string, { readonly verdict: number; readonly entry: number }>();
  const active = syscalls.map(({ action, errnoRet }) => verdictOf(action, errnoRet) !== fallback);
  syscalls.forEach(({ names, action, errnoRet, args = [] }, entry) => {
    if (!active[entry] || args.length > 0) return;
    for (const name of names) {
      if (!unconditional.has(name)) unconditional.set(name, { verdict: verdictOf(action, errnoRet), entry });
    }
  });
  return syscalls.flatMap(({ names, action, errnoRet }, entry) =>
    active[entry]
      ? names.flatMap((name, at) => {
        const first = unconditional.get(name);
        if (
          first === undefined || first.entry === entry || first.verdict === verdictOf(action, errnoRet)
        ) return [];
        const pointer = `/syscalls/${entry}/names/${at}`;
        return [
          warning(
            "shadowed",
            pointer,
            `${name} is decided by /syscalls/${first.entry}, which has no conditions`,
          ),
        ];
      })
      : []
  );
}
