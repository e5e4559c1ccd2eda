/** `hako pause` and `hako resume`: stop all processes of a container, and let them go on. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { defineCommand } from "./command.ts";

export const pause = defineCommand({
  name: "pause",
  summary: "suspend all processes of a container",
  usage: "ID",
  positionals: { min: 1, max: 1 },
  options: {},
  action({ args: [id], global }) {
    Container.loadLocked(stateRoot(global.root), id).pause();
    return 0;
  },
});

export const resume = defineCommand({
  name: "resume",
  summary: "let a suspended container go on",
  usage: "ID",
  positionals: { min: 1, max: 1 },
  options: {},
  action({ args: [id], global }) {
    Container.loadLocked(stateRoot(global.root), id).resume();
    return 0;
  },
});
