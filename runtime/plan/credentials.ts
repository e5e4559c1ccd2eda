/**
 * process.user and the order in which a process gives up its privileges.
 *
 * @see credentials(7), config.md#user
 * @module
 */
import { PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS } from "../linux/generated/constants.ts";
import type { Config, Process, User } from "../spec/config.ts";
import { dropBoundingSet, regainEffective, setCapabilities } from "./capabilities.ts";
import type { Host } from "./host.ts";
import { type Filter, seccomp } from "./seccomp.ts";
import { type Node, step, tolerate } from "./node.ts";

/**
 * From the container's root to the container's user.
 *
 * The seccomp filter has one of two places. Both lie as far back as seccomp(2) allows, so that a profile need not allow
 * more than it does for runc:
 * - without noNewPrivileges, before `setCapabilities`: loading needs CAP_SYS_ADMIN in the effective set. A uid other
 *   than 0 has just lost that and takes it back by a capset(2) of its own first;
 * - with it, after everything here.
 */
export function privileges(config: Config, process: Process, host: Host, filter?: Filter): Node[] {
  return [
    // Only root may give a file away.
    ...stdioOwner(process, host),
    // The effective CAP_SETPCAP that this needs is gone after `user`.
    ...dropBoundingSet(process, host),
    ...user(process),
    ...(process.noNewPrivileges ? [] : seccompAsRoot(config, process, host, filter)),
    ...setCapabilities(config, process, host),
    ...noNewPrivileges(process),
    ...(process.noNewPrivileges ? seccomp(filter) : []),
  ];
}

/** Without noNewPrivileges, loading takes an effective CAP_SYS_ADMIN, which setresuid(2) has cleared. */
function seccompAsRoot(config: Config, { user }: Process, host: Host, filter?: Filter): Node[] {
  if (filter === undefined) return [];
  return [...(user.uid === 0 ? [] : regainEffective(config, host)), ...seccomp(filter)];
}

/**
 * Gives the standard streams to the user, who could not open /dev/stdout otherwise: each engine makes its pipes, and
 * we our terminal, as root. The group stays, for a terminal has group tty.
 *
 * Never the host's /dev/null, which belongs to everybody.
 *
 * @see runc's fixStdioPermissions, libcontainer/init_linux.go
 */
export function stdioOwner(process: Process, host: Host): Node[] {
  const { uid } = process.user;
  if (uid === 0) return [];
  // With a terminal all three are one file, and none of those that we inherited.
  const streams = process.terminal ? [0] : [0, 1, 2].filter((stream) => !host.nullStdio[stream]);
  return streams.map((stream) =>
    tolerate(
      step({ label: `give descriptor ${stream} to user ${uid}`, pointer: "/process/user/uid" }, "fchown", [
        stream,
        uid,
        // Leave the group.
        -1,
      ]),
      [
        // The owner is not mapped in the user namespace, or the file is immutable.
        "EPERM",
        "EROFS",
        // An anonymous inode, such as an eventfd (seen on Linux 6.18).
        "EOPNOTSUPP",
        // A FUSE filesystem that keeps no owners.
        "ENOSYS",
      ],
    )
  );
}

/** Becomes the user. Groups go first: without CAP_SETGID, which leaves with uid 0, neither call is permitted. */
export function user(process: Process): Node[] {
  const { uid, gid } = process.user;
  const become = { label: `become user ${uid}`, pointer: "/process/user/uid" };
  return [
    // setresuid(2) from 0 would clear the permitted set, from which `setCapabilities` takes. execve(2) resets this.
    ...(uid === 0 ? [] : [step(become, "prctl", [PR_SET_KEEPCAPS, 1, 0, 0, 0])]),
    supplementaryGroups(process.user),
    step({ label: `become group ${gid}`, pointer: "/process/user/gid" }, "setresgid", [gid, gid, gid]),
    step(become, "setresuid", [uid, uid, uid]),
  ];
}

/** Replaces the caller's supplementary groups, also by none: root's would be a hole. */
function supplementaryGroups({ additionalGids = [] }: User): Node {
  const pointer = "/process/user/additionalGids";
  if (additionalGids.length > 0) {
    const label = `set supplementary groups ${additionalGids.join(", ")}`;
    const list = new Uint8Array(Uint32Array.from(additionalGids).buffer);
    return step({ label, pointer }, "setgroups", [additionalGids.length, list]);
  }
  // EPERM: a user namespace that was mapped without privilege denies this call for good, lest a process leave a group
  // that takes rights away. See "The /proc/PID/setgroups file" in user_namespaces(7).
  return tolerate(step({ label: "drop supplementary groups", pointer }, "setgroups", [0, null]), ["EPERM"]);
}

/** Sets the file mode creation mask: 0022 unless the config has one, as runc. */
export function umask(process: Process): Node[] {
  const mask = process.user.umask ?? 0o022;
  const label = `set umask to ${mask.toString(8).padStart(4, "0")}`;
  return [step({ label, pointer: "/process/user/umask" }, "umask", [mask])];
}

/**
 * Set-user-ID bits and file capabilities have no effect from here on.
 *
 * @see PR_SET_NO_NEW_PRIVS in prctl(2)
 */
export function noNewPrivileges(process: Process): Node[] {
  if (!process.noNewPrivileges) return [];
  const reason = { label: "forbid new privileges", pointer: "/process/noNewPrivileges" };
  return [step(reason, "prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])];
}
