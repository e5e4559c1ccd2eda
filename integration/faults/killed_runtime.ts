/** A runtime that kills itself at a barrier: `killed_runtime.ts BARRIER BUNDLE ROOT ID`. @module */
import { createContainer } from "../../runtime/container/create.ts";
import type { BarrierName } from "../../runtime/plan/node.ts";
import { parseConfig } from "../../runtime/spec/parse.ts";
import { atBarrier } from "./at_barrier.ts";

const [barrier, bundle, root, id] = Deno.args as [BarrierName, string, string, string];
atBarrier(barrier, () => Deno.kill(Deno.pid, "SIGKILL"));
await createContainer(parseConfig(Deno.readTextFileSync(`${bundle}/config.json`)), { id, bundle, root });
