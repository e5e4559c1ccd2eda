/** `hako checkpoint`: save the processes of a container. @module */

import { checkpoint as checkpointContainer } from "../container/criu/checkpoint.ts";
import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { UsageError } from "../errors.ts";
import { defineCommand } from "./command.ts";
import { criuOptions, readCriuOptions, readPaths } from "./criu_options.ts";

export const checkpoint = defineCommand({
  name: "checkpoint",
  summary: "save the processes of a container to files",
  usage: "[options] ID",
  positionals: { min: 1, max: 1 },
  options: {
    ...criuOptions,
    "leave-running": { type: "flag", help: "let the container go on, and keep it" },
    "pre-dump": { type: "flag", help: "save memory alone, for a checkpoint that has less to save" },
    "parent-path": {
      type: "text",
      value: "DIR",
      complete: "directory",
      help: "images of an earlier --pre-dump, relative to those that are made",
    },
    "tcp-skip-in-flight": { type: "flag", help: "leave out TCP connections that are being made" },
    "link-remap": { type: "flag", help: "allow files without a name to get one for the time being" },
    "status-fd": {
      type: "count",
      value: "FD",
      help: "write a zero byte to FD when --lazy-pages can be served",
    },
    "page-server": { type: "text", value: "ADDRESS:PORT", help: "send memory to a page server of CRIU's" },
  },
  action({ args: [id], options, global }) {
    const container = Container.loadLocked(stateRoot(global.root), id);
    checkpointContainer(container, readPaths(options), {
      ...readCriuOptions(options),
      leaveRunning: options["leave-running"],
      preDump: options["pre-dump"],
      parentPath: options["parent-path"],
      tcpSkipInFlight: options["tcp-skip-in-flight"],
      linkRemap: options["link-remap"],
      statusFd: options["status-fd"],
      pageServer: readServer(options["page-server"]),
    });
    if (!options["leave-running"] && !options["pre-dump"]) container.delete(true);
    return 0;
  },
});

function readServer(text: string | undefined) {
  if (text === undefined) return undefined;
  const [, address, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address === undefined) {
    throw new UsageError("use --page-server ADDRESS:PORT to specify the page server");
  }
  return { address, port: Number(port) };
}
