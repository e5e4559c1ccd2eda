/** `hako kill`: send a signal to a container's first process. @module */

import { Container } from "../container/container.ts";
import { stateRoot } from "../container/state.ts";
import { UsageError } from "../errors.ts";
import { SIGNALS } from "../linux/signals.ts";
import { defineCommand } from "./command.ts";
import { forMatching, regexOption } from "./matching.ts";

export const kill = defineCommand({
  name: "kill",
  summary: "send a signal to the first process of a container",
  usage: "[options] ID [SIGNAL]",
  positionals: { min: 1, max: 2 },
  stopAtPositional: true,
  options: {
    all: { type: "flag", short: "a", help: "no error if the container does not run" },
    regex: regexOption,
  },
  action({ args: [id, name = "SIGTERM"], options: { all, regex }, global }) {
    const signal = parseSignal(name);
    const root = stateRoot(global.root);
    const send = (id: string) => {
      const container = Container.load(root, id);
      if (!all || container.status() !== "stopped") container.signal(signal);
    };
    if (regex) forMatching(root, id, send);
    else send(id);
    return 0;
  },
});

/** "15", "TERM", "SIGTERM" or "term". */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 64) return Number(text);
  const name = text.toUpperCase();
  const signal = SIGNALS[name] ?? SIGNALS[`SIG${name}`];
  if (signal === undefined) throw new UsageError(`unknown signal "${text}"`);
  return signal;
}
