/** `hako run`: create a container, start it, and stay for as long as it lives. @module */

import { takeForeground } from "../container/foreground.ts";
import { shellStatus } from "../linux/processes.ts";
import { log } from "../log.ts";
import { defineCommand } from "./command.ts";
import { createFromOptions, createOptions, forwardReadiness, writePidFile } from "./create_options.ts";

export const run = defineCommand({
  name: "run",
  summary: "create a container and run it",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    ...createOptions,
    detach: { type: "flag", short: "d", help: "leave the container running and return" },
    keep: { type: "flag", help: "do not delete the container when it has exited" },
    "no-subreaper": { type: "flag", help: "accepted and without effect: Hako reaps no orphans" },
  },
  async action({ args: [id], options, global }) {
    const { detach, keep } = options;
    const foreground = detach ? undefined : takeForeground();
    const container = await createFromOptions(id, { options, global, detach });
    let finished = false;
    try {
      writePidFile(options["pid-file"], container);
      const passOn = await forwardReadiness(container);
      if (foreground === undefined) {
        container.start();
        finished = true;
        await passOn();
        return 0;
      }
      log.flush();
      passOn();
      const status = await foreground.run(container);
      finished = keep;
      return shellStatus(status);
    } finally {
      if (!finished) container.delete(true);
    }
  },
});
