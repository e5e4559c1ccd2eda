/** `hako mounts`: mount and unmount in a running container, as crun has it. @module */

import { Container } from "../container/container.ts";
import { addMounts, removeMounts } from "../container/mounts.ts";
import { stateRoot } from "../container/state.ts";
import { UsageError } from "../errors.ts";
import { parseMounts } from "../spec/parse.ts";
import { defineCommand } from "./command.ts";
import { readFileOrStdin } from "./file_or_stdin.ts";

export const mounts = defineCommand({
  name: "mounts",
  summary: "add mounts to a running container, or remove them; FILE has an array as /mounts, - is stdin",
  usage: "add|remove ID FILE",
  positionals: { min: 3, max: 3, words: ["add", "remove"] },
  options: {},
  action({ args: [verb, id, file], global }) {
    if (verb !== "add" && verb !== "remove") {
      throw new UsageError(`unknown command "mounts ${verb}", allowed: add, remove`);
    }
    const mounts = parseMounts(readFileOrStdin(file!));
    const container = Container.loadLocked(stateRoot(global.root), id!);
    if (verb === "add") addMounts(container, mounts);
    else removeMounts(container, mounts);
    return 0;
  },
});
