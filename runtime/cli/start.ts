/** `hako start`: run the program of a created container. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { defineCommand } from "./command.ts";
import { forwardReadiness } from "./create_options.ts";

export const start = defineCommand({
  name: "start",
  summary: "run the program of a created container",
  usage: "ID",
  positionals: { min: 1, max: 1 },
  options: {},
  async action({ args: [id], global }) {
    const container = Container.loadLocked(stateRoot(global.root), id);
    const passOn = await forwardReadiness(container);
    container.start();
    await passOn();
    return 0;
  },
});
