/** `hako delete`: remove a container that does not run. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
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
    Container.delete(stateRoot(global.root), id, force);
    return 0;
  },
});
