/** Containers that are deleted where that takes more than the end of their first process. @module */
import { Container } from "../../../runtime/container/container.ts";
import { createContainer } from "../../../runtime/container/create.ts";
import { StateError } from "../../../runtime/errors.ts";
import { close, openat2 } from "../../../runtime/linux/files.ts";
import { AT_FDCWD, LOCK_EX, O_CLOEXEC, O_DIRECTORY } from "../../../runtime/linux/generated/constants.ts";
import { syscall } from "../../../runtime/linux/libc.ts";
import type { Config } from "../../../runtime/spec/config.ts";
import type { GoldenBundle } from "../golden.ts";
import { closeOthers, descriptors, type Expected } from "../leftovers.ts";
import { deleteByForce, type Scenario } from "../scenarios.ts";

export function deletions(bundle: GoldenBundle): Scenario[] {
  return [severalProcesses(bundle), lockedForUs(bundle)];
}

/** They share our pid namespace: the end of the first is not that of the others. */
function severalProcesses(bundle: GoldenBundle): Scenario {
  const { id, root, config } = bundle;
  const namespaces = config.linux!.namespaces!.filter(({ type }) => type !== "pid");
  const args = ["/bin/sh", "-c", "sleep 600 & exec sleep 600"];
  const shared = { ...config, process: { ...config.process!, args }, linux: { ...config.linux, namespaces } };
  return {
    name: "delete of a container without a pid namespace",
    prepare: () =>
      leave(bundle, shared, (container) => {
        container.start();
        for (const end = Date.now() + 5000; container.pids().length < 2 && Date.now() < end;);
        leaveUnified(container);
      }),
    act: () => Container.delete(root, id, true),
    deletes: true,
  };
}

/** As where there is cgroup v1 alone, and nobody who kills all of a cgroup at once. */
function leaveUnified(container: Container): void {
  const { "": unified, ...others } = container.state.cgroupPaths!;
  if (unified === undefined || Object.keys(others).length === 0) return;
  for (const pid of container.pids()) Deno.writeTextFileSync(`${unified}/../cgroup.procs`, `${pid}`);
}

/** As by a hook of its own: whoever holds the lock waits for us. */
function lockedForUs(bundle: GoldenBundle): Scenario {
  const { id, root, config } = bundle;
  let lock: number | undefined;
  let refusal = "";
  return {
    name: "delete of a container that is being started by us",
    async prepare() {
      const expected = await leave(bundle, config, () => {});
      lock = openat2(AT_FDCWD, `${root}/${id}`, { flags: O_DIRECTORY | O_CLOEXEC });
      syscall("flock", [lock, LOCK_EX]);
      return expected;
    },
    act() {
      refusal = "";
      try {
        Container.delete(root, id, true);
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        refusal = error.message;
      }
    },
    output: () => refusal,
    holds: true,
    after() {
      close(lock!);
      return [];
    },
    finish: () => deleteByForce(root, id),
  };
}

/** As a command leaves it. */
async function leave(
  { id, path, root, renew }: GoldenBundle,
  config: Config,
  use: (container: Container) => void,
): Promise<Expected> {
  renew();
  const before = descriptors();
  const container = await createContainer(config, { id, bundle: path, root });
  use(container);
  closeOthers(before);
  return { ids: [id], pids: container.pids() };
}
