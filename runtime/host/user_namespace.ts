/** @module */

let known: boolean | undefined;

/**
 * Whether we are in another user namespace than the machine's first: user_namespaces(7). Read once: a process of several
 * threads, as we are, cannot move to another one (setns(2), unshare(2)).
 */
export function inUserNamespace(): boolean {
  return known ??= !/^\s*0\s+0\s+4294967295$/m.test(Deno.readTextFileSync("/proc/self/uid_map"));
}
