/** What users do beside creating, starting and deleting containers. @module */
import type { GoldenBundle } from "../golden.ts";
import type { Scenario } from "../scenarios.ts";
import { checkpoints } from "./checkpoint.ts";
import { callers } from "./callers.ts";
import { commands } from "./commands.ts";
import { deletions } from "./deletion.ts";
import { documents } from "./documents.ts";
import { sandboxes } from "./sandbox.ts";
import { terminals } from "./terminal.ts";
import { snapshots } from "./snapshots.ts";

/** By name. Each has a bundle of Docker's default config for itself, and may put files of its own into its directory. */
export const AREAS: Readonly<Record<string, (bundle: GoldenBundle) => readonly Scenario[]>> = {
  "other commands": commands,
  "checkpoint and restore": checkpoints,
  "documents": documents,
  "callers": callers,
  "the library": sandboxes,
  "terminals": terminals,
  "snapshots": snapshots,
  "deletion": deletions,
};
