/** `hako state`: what runtime.md says of a container. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { defineCommand } from "./command.ts";
import { OCI_VERSION } from "../spec/version.ts";

export const state = defineCommand({
  name: "state",
  summary: "print the state of a container",
  usage: "ID",
  positionals: { min: 1, max: 1 },
  options: {},
  action({ args: [id], global, print }) {
    const container = Container.load(stateRoot(global.root), id);
    print(JSON.stringify(stateOf(container), null, 2));
    return 0;
  },
});

/** The members and their order as runc prints them; it names the owner in `list` alone. */
export function stateOf(container: Container, owner = "") {
  const { bundle, rootfs, created, annotations } = container.state;
  const status = container.status();
  return {
    ociVersion: OCI_VERSION,
    id: container.id,
    pid: status === "stopped" ? 0 : container.pid,
    status,
    bundle,
    rootfs,
    created,
    ...(annotations && { annotations }),
    owner,
  };
}
