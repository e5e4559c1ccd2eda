/** @module */

/** Whether we are in another user namespace than the machine's first: user_namespaces(7). */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295$/m.test(Deno.readTextFileSync("/proc/self/uid_map"));
}
