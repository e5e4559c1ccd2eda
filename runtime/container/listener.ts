/**
 * The listener of a seccomp filter with SCMP_ACT_NOTIFY: taken from the init and given to `linux.seccomp.listenerPath`.
 *
 * @see config-linux.md#containerprocessstate, seccomp_unotify(2)
 * @module
 */
import { close } from "../linux/files.ts";
import { pidfdGetfd } from "../linux/processes.ts";
import type { Config } from "../spec/config.ts";
import { OCI_VERSION } from "../spec/version.ts";
import { onBehalfOf } from "./on_behalf_of.ts";
import { send } from "./ready.ts";
import type { OciState } from "./state.ts";

/** An init that waits at the barrier `listener`. */
export interface Notifier {
  readonly pid: number;
  readonly pidfd: number;
  /** The listener among its descriptors. */
  readonly listener: number;
}

/**
 * Gives the listener away, to one connection, with what the specification wants said about it.
 *
 * @throws {SyscallError} if nobody takes it
 */
export function giveListener({ linux }: Config, { pid, pidfd, listener }: Notifier, state: OciState): void {
  const { listenerPath, listenerMetadata } = linux!.seccomp!;
  const message = JSON.stringify({
    ociVersion: OCI_VERSION,
    fds: ["seccompFd"],
    pid,
    ...(listenerMetadata && { metadata: listenerMetadata }),
    state,
  });
  const reason = { label: "give the seccomp listener away", pointer: "/linux/seccomp/listenerPath" };
  onBehalfOf(reason, () => {
    const fd = pidfdGetfd(pidfd, listener);
    try {
      send(listenerPath!, message, fd);
    } finally {
      close(fd);
    }
  });
}
