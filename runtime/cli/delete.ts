/** `hako delete`: remove a container that does not run. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { defineCommand } from "./command.ts";
import { forMatching, regexOption } from "./matching.ts";

export const deleteCommand = defineCommand({
  name: "delete",
  summary: "remove a container",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    force: { type: "flag", short: "f", help: "kill it if it runs; it need not exist" },
    regex: regexOption,
  },
  action({ args: [id], options: { force, regex }, global }) {
    const root = stateRoot(global.root);
    const remove = (id: string) => Container.delete(root, id, force);
    if (regex) forMatching(root, id, remove);
    else remove(id);
    return 0;
  },
});
