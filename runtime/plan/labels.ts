/**
 * process.apparmorProfile and process.selinuxLabel: what the process is confined by after execve(2).
 *
 * As with runc, a label that the host cannot enforce is an error, not a container without it.
 *
 * @see config.md#linux-process
 * @module
 */
import { ConfigError } from "../errors.ts";
import { O_CLOEXEC, O_WRONLY } from "../linux/generated/constants.ts";
import type { Process } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { writeFile, writeProc } from "./idioms.ts";
import { attempt, type Node, slot, step } from "./node.ts";

/** Changes to the AppArmor profile at execve(2): aa_change_onexec(3). */
export function apparmorProfile({ apparmorProfile: profile }: Process, host: Host): Node[] {
  if (!profile) return [];
  const pointer = "/process/apparmorProfile";
  if (!host.apparmor) {
    throw new ConfigError(pointer, `asks for ${JSON.stringify(profile)}, but the host has no AppArmor`);
  }
  const reason = { label: `apply AppArmor profile ${profile}`, pointer };
  const open = (path: string) =>
    step(reason, "openat", [slot("$proc"), path, O_WRONLY | O_CLOEXEC, 0], "$file");
  return [
    // The plain name belongs to whichever security module is first. Kernels before 5.8 have no other.
    attempt(open("thread-self/attr/apparmor/exec"), ["ENOENT"], {
      otherwise: [open("thread-self/attr/exec")],
    }),
    ...writeFile(reason, `exec ${profile}`),
  ];
}

/** Changes to the SELinux context at execve(2): setexeccon(3). */
export function selinuxLabel(process: Process, host: Host): Node[] {
  return selinuxAttribute(process, host, { file: "exec", label: "apply SELinux label" });
}

/** Gives the SELinux context to keyrings made from here on: setkeycreatecon(3). execve(2) resets it. */
export function selinuxKeyLabel(process: Process, host: Host): Node[] {
  return selinuxAttribute(process, host, { file: "keycreate", label: "label new keyrings" });
}

function selinuxAttribute(
  { selinuxLabel: context }: Process,
  host: Host,
  attribute: { file: string; label: string },
): Node[] {
  if (!context) return [];
  const pointer = "/process/selinuxLabel";
  if (!host.selinux) {
    throw new ConfigError(pointer, `asks for ${JSON.stringify(context)}, but the host has no SELinux`);
  }
  return writeProc(
    { label: `${attribute.label} ${context}`, pointer },
    `thread-self/attr/${attribute.file}`,
    context,
  );
}
