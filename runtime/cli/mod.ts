/** The commands, each in its own file. @module */

import type { Commands } from "./command.ts";
import { bpf } from "./bpf.ts";
import { checkpoint } from "./checkpoint.ts";
import { compile } from "./compile.ts";
import { completion } from "./completion.ts";
import { create } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { exec } from "./exec.ts";
import { events } from "./events.ts";
import { explain } from "./explain.ts";
import { features } from "./features.ts";
import { help } from "./help_command.ts";
import { kill } from "./kill.ts";
import { list } from "./list.ts";
import { mounts } from "./mounts.ts";
import { pause, resume } from "./pause.ts";
import { ps } from "./ps.ts";
import { restore } from "./restore.ts";
import { run } from "./run.ts";
import { spec } from "./spec.ts";
import { start } from "./start.ts";
import { state } from "./state.ts";
import { update } from "./update.ts";

/** In the order of `--help`. */
export const commands: Commands = {
  create,
  start,
  run,
  exec,
  state,
  list,
  ps,
  events,
  kill,
  pause,
  resume,
  update,
  mounts,
  checkpoint,
  restore,
  delete: deleteCommand,
  features,
  compile,
  explain,
  spec,
  bpf,
  completion,
  help,
};
