import {
  KEY_OTH_SEARCH,
  KEY_USR_SEARCH,
  KEYCTL_JOIN_SESSION_KEYRING,
  KEYCTL_SETPERM,
} from "../linux/generated/constants.ts";
import type { Config, Process } from "../spec/config.ts";
import type { Host } from "./host.ts";
import { selinuxKeyLabel } from "./labels.ts";
import { namespace } from "./namespaces.ts";
import { attempt, type Node, slot, step } from "./node.ts";

/** What a new session keyring permits: possessor all; user view, read, link. See join_session_keyring() in the kernel. */
const NEW_KEYRING = 0x3f130000;

/**
 * A session keyring of the container's own: the caller's would hand its keys over.
 *
 * Goes behind `becomeRoot`: the kernel looks a keyring up only if its owner is mapped in the user namespace.
 *
 * @see keyctl_join_session_keyring(3), session-keyring(7)
 */
export function keyring(config: Config, process: Process, host: Host): Node[] {
  if (host.noNewKeyring) return [];
  const reason = { label: `join session keyring _ses.${host.id}`, pointer: "runtime" };
  // `exec` finds the keyring by its name, if it may search it. In a user namespace runc grants that to others only, which
  // does not include the owner, who is the one that looks (tried on Linux 6.18).
  const search = KEY_USR_SEARCH | (namespace(config, "user") === "none" ? 0 : KEY_OTH_SEARCH);
  return [
    ...selinuxKeyLabel(process, host),
    attempt(
      step(reason, "keyctl", [KEYCTL_JOIN_SESSION_KEYRING, `_ses.${host.id}`, 0, 0, 0], "$keyring"),
      [
        // A kernel without keyrings.
        "ENOSYS",
        // A seccomp filter around us, as Docker's default: it then keeps the container from keyrings, too.
        "EPERM",
      ],
      { then: [step(reason, "keyctl", [KEYCTL_SETPERM, slot("$keyring"), NEW_KEYRING | search, 0, 0])] },
    ),
  ];
}
