/**
 * Which kernel parameters a container may set: those of its own namespaces, by runc's list.
 *
 * @see sysctl.d(5), and each namespace's man page
 * @module
 */

import type { Fault } from "./check.ts";
import { type Namespace, type NamespaceType, needNamespace } from "./namespaces.ts";

/** See ipc_namespaces(7). */
const IPC_PATHS = [
  "kernel/msgmax",
  "kernel/msgmnb",
  "kernel/msgmni",
  "kernel/sem",
  "kernel/shmall",
  "kernel/shmmax",
  "kernel/shmmni",
  "kernel/shm_rmid_forced",
];

/**
 * The file of a parameter beneath /proc/sys: "net/ipv4/conf/eno2.100/rp_filter" for "net.ipv4.conf.eno2/100.rp_filter".
 *
 * The first of "." and "/" in the key is the separator, the other one is then a "." of the path.
 */
export function sysctlPath(key: string): string {
  const dot = key.indexOf(".");
  const slash = key.indexOf("/");
  if (slash >= 0 && (dot < 0 || slash < dot)) return key;
  return key.split("/").map((part) => part.replaceAll(".", "/")).join(".");
}

/** The namespace that a parameter belongs to; nothing if it is the whole host's. */
function sysctlNamespace(path: string): NamespaceType | undefined {
  // The file is opened beneath /proc/sys by this path, which must not lead elsewhere.
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) return;
  if (path.startsWith("net/")) return "network";
  if (path.startsWith("user/")) return "user";
  if (path.startsWith("fs/mqueue/") || IPC_PATHS.includes(path)) return "ipc";
  if (path === "kernel/domainname") return "uts";
}

/**
 * A fault if the parameter is not of a namespace of the container.
 *
 * Whether a joined network namespace is in truth the host's can only be seen when it is opened.
 */
export function checkSysctl(key: string, namespaces: readonly Namespace[] | undefined): Fault | undefined {
  const path = sysctlPath(key);
  if (path === "kernel/hostname") return { pointer: "", problem: "conflicts with the member /hostname" };
  const type = sysctlNamespace(path);
  if (type === undefined) return { pointer: "", problem: "is not in a separate kernel namespace" };
  return needNamespace(namespaces, type, "");
}
