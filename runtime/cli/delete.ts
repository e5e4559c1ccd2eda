/** `hako delete`: remove a container that does not run. @module */

import { Container } from "../container/container.ts";
import { openCgroup } from "../container/control_group.ts";
import { StateDirectory, stateRoot } from "../container/state.ts";
import { StateError } from "../errors.ts";
import { defineCommand } from "./command.ts";

export const deleteCommand = defineCommand({
  name: "delete",
  summary: "remove a container",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    force: { type: "flag", short: "f", help: "kill it if it runs; it need not exist" },
  },
  action({ args: [id], options: { force }, global }) {
    const root = stateRoot(global.root);
    let directory: StateDirectory;
    try {
      directory = StateDirectory.open(root, id);
      directory.lock();
    } catch (error) {
      // Engines delete by force what they do not know to be there (moby, containerd's cleanup).
      if (force && error instanceof StateError) return 0;
      throw error;
    }
    if (directory.has("state.json")) Container.load(root, id).delete(force);
    else removeUnfinished(directory);
    return 0;
  },
});

/** Its creator was killed before it had written the state. The init sees that at its next barrier, and ends. */
function removeUnfinished(directory: StateDirectory): void {
  if (directory.has("cgroup.json")) openCgroup(JSON.parse(directory.read("cgroup.json"))).delete();
  directory.remove();
}
