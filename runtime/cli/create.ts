/** `hako create`: make a container and leave it waiting to be started. @module */

import { defineCommand } from "./command.ts";
import { createFromOptions, createOptions, writePidFile } from "./create_options.ts";

export const create = defineCommand({
  name: "create",
  summary: "create a container that waits to be started",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    ...createOptions,
    "no-subreaper": { type: "flag", help: "accepted and without effect, as crun has it" },
  },
  async action({ args: [id], options, global }) {
    const container = await createFromOptions(id, { options, global, detach: true });
    try {
      writePidFile(options["pid-file"], container);
    } catch (error) {
      container.delete(true);
      throw error;
    }
    return 0;
  },
});
