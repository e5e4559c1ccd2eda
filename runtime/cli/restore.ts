/** `hako restore`: make a container of saved processes. @module */

import { readBundle } from "../container/bundle.ts";
import { restoreContainer } from "../container/criu/restore.ts";
import { takeForeground } from "../container/foreground.ts";
import { ignoredMembers } from "../container/ignored.ts";
import { stateRoot } from "../container/state.ts";
import { shellStatus, waitAsync } from "../linux/processes.ts";
import { log } from "../log.ts";
import { defineCommand } from "./command.ts";
import { checkTerminal, createOptions, forwardReadiness, writePidFile } from "./create_options.ts";
import { criuOptions, readCriuOptions, readPaths } from "./criu_options.ts";

export const restore = defineCommand({
  name: "restore",
  summary: "make a container of saved processes, which go on",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    ...criuOptions,
    bundle: createOptions.bundle,
    config: createOptions.config,
    "console-socket": createOptions["console-socket"],
    "pid-file": createOptions["pid-file"],
    detach: { type: "flag", short: "d", help: "leave the container running and return" },
    "no-pivot": { type: "flag", help: "accepted and without effect: CRIU enters the root" },
    "no-subreaper": { type: "flag", help: "accepted and without effect: Hako reaps no orphans" },
    "tcp-close": { type: "flag", help: "restore TCP connections as closed ones" },
    "lsm-profile": { type: "text", value: "TYPE:NAME", help: "profile of AppArmor or label of SELinux" },
    "lsm-mount-context": { type: "text", value: "LABEL", help: "SELinux label of the container's mounts" },
  },
  async action({ args: [id], options, global }) {
    const { detach } = options;
    const foreground = detach ? undefined : takeForeground();
    const { config, path } = readBundle(options.bundle, options.config);
    checkTerminal(config.process, options["console-socket"], detach);
    ignoredMembers(config).forEach((line) => log.warn(line));
    const container = await restoreContainer(config, readPaths(options), {
      ...readCriuOptions(options),
      tcpClose: options["tcp-close"],
      lsmProfile: options["lsm-profile"],
      lsmMountContext: options["lsm-mount-context"],
      id,
      bundle: path,
      root: stateRoot(global.root),
      notify: !!Deno.env.get("NOTIFY_SOCKET"),
      consoleSocket: options["console-socket"],
      cgroupManager: global["cgroup-manager"] ?? (global["systemd-cgroup"] ? "systemd" : "cgroupfs"),
    });
    let finished = false;
    try {
      writePidFile(options["pid-file"], container);
      const ready = await forwardReadiness(container);
      if (foreground === undefined) {
        finished = true;
        await ready();
        return 0;
      }
      log.flush();
      const status = await foreground.run({
        terminal: container.terminal,
        // It runs already.
        start() {},
        signal: (signal) => container.signal(signal),
        wait: () => waitAsync(container.pid),
      });
      return shellStatus(status);
    } finally {
      if (!finished) container.delete(true);
    }
  },
});
