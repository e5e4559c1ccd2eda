/** Containers that are deleted where that takes more than the end of their first process. @module */
import { Container } from "../../../runtime/container/container.ts";
import { createContainer } from "../../../runtime/container/create.ts";
import type { Config } from "../../../runtime/spec/config.ts";
import type { GoldenBundle } from "../golden.ts";
import { closeOthers, descriptors, type Expected } from "../leftovers.ts";
import type { Scenario } from "../scenarios.ts";

export function deletions(bundle: GoldenBundle): Scenario[] {
  return [severalProcesses(bundle)];
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
