/**
 * Runs a hostile image, and tells how far it came.
 *
 * @module
 */
import { createContainer } from "../../runtime/container/create.ts";
import type { Container } from "../../runtime/container/container.ts";
import { ConfigError, StateError, SyscallError } from "../../runtime/errors.ts";
import type { Init } from "../../runtime/init/init.ts";
import { barrier, type Plan } from "../../runtime/plan/node.ts";
import type { Config } from "../../runtime/spec/config.ts";
import { atBarrier } from "../faults/at_barrier.ts";
import { type Mount, parseMounts } from "../support/mountinfo.ts";
import type { Canary } from "./canary.ts";
import { weaken } from "./weaknesses.ts";

/** What came of it. */
export interface Outcome {
  /** Why there is no container; absent if there was one. */
  readonly error?: Error;
  /** What was reached of the host. */
  readonly escapes: readonly string[];
}

export interface Attack {
  readonly id: string;
  readonly config: Config;
  readonly bundle: string;
  readonly root: string;
  readonly canary: Canary;
  /** Leave out of the plan what is to hold the image back. */
  readonly weak?: boolean;
}

/** Makes the container, runs it to its end if that works, and looks around. */
export async function attack({ id, config, bundle, root, canary, weak = false }: Attack): Promise<Outcome> {
  const before = canary.state();
  const escapes: string[] = [];
  const transform = (plan: Plan) => lookBeforeEntering(weak ? weaken(plan, "paths") : plan);
  const undo = atBarrier("mounted", (init) => escapes.push(...strayMounts(init, `${bundle}/rootfs`, canary)));
  let error: Error | undefined;
  let container: Container | undefined;
  try {
    container = await createContainer(config, { id, bundle, root, transform });
    if (canary.has(Deno.statSync(`/proc/${container.pid}/cwd`))) {
      escapes.push("the working directory is outside");
    }
    container.start();
    await container.wait();
  } catch (caught) {
    // Any other is a bug.
    if (!(caught instanceof SyscallError || caught instanceof ConfigError || caught instanceof StateError)) {
      throw caught;
    }
    error = caught;
  } finally {
    undo();
    container?.delete(true);
  }
  const after = canary.state();
  escapes.push(
    ...before.filter((line) => !after.includes(line)).map((line) => `changed or gone: ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `changed or new: ${line}`),
  );
  return { escapes, ...error && { error } };
}

/** Has the plan stop once all is mounted, and the root not yet entered: then all mounts can be seen. */
function lookBeforeEntering(plan: Plan): Plan {
  const before = plan.filter((node) => node.kind !== "barrier" || node.name !== "mounted");
  const entering = before.findIndex((node) =>
    node.kind === "step" && node.label === "enter the root filesystem"
  );
  return before.toSpliced(entering, 0, barrier("mounted", "all is mounted"));
}

/** What of the container's mounts is not beneath `rootfs`, and what in it is of the canary. */
function strayMounts({ pid }: Init, rootfs: string, canary: Canary): string[] {
  const text = (pid: string) => Deno.readTextFileSync(`/proc/${pid}/mountinfo`);
  const key = ({ root, path, source, type }: Mount) => [root, path, source, type].join(" ");
  // As its filesystem names it, whose root need not be mounted on "/".
  const canaryRoot = canary.directory.split("/").slice(-2).join("/");
  const host = new Set(parseMounts(text("self")).map(key));
  return parseMounts(text(`${pid}`)).filter((mount) => !host.has(key(mount))).flatMap(({ root, path }) => [
    ...path === rootfs || path.startsWith(`${rootfs}/`) ? [] : [`mounted on ${path}`],
    ...root.includes(canaryRoot) && !root.includes("/rootfs/") ? [`${root} is mounted on ${path}`] : [],
  ]);
}
