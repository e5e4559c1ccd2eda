/** `hako run`: create a container, start it, and stay for as long as it lives. @module */

import { Container } from "../container/create.ts";
import { readBundle } from "../container/bundle.ts";
import { runInForeground } from "../container/foreground.ts";
import { ignoredMembers } from "../container/ignored.ts";
import { stateRoot } from "../container/state_directory.ts";
import { log } from "../log.ts";
import { shellStatus } from "../linux/processes.ts";
import { defineCommand } from "./command.ts";
import { createOptions } from "./create_options.ts";

export const run = defineCommand({
  name: "run",
  summary: "create a container and run it",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: createOptions,
  async action({ args: [id], options, global }) {
    const bundle = readBundle(options.bundle, options.config);
    ignoredMembers(bundle.config).forEach((line) => log.warn(line));
    const container = Container.create(bundle.config, {
      id,
      bundle: bundle.path,
      root: stateRoot(global.root),
      preserveFds: options["preserve-fds"],
      noPivot: options["no-pivot"],
      noNewKeyring: options["no-new-keyring"],
    });
    try {
      log.flush();
      return shellStatus(await runInForeground(container));
    } finally {
      container.delete();
    }
  },
});
