/**
 * Mounts of a container that runs already.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { gatherHost } from "../host/gather.ts";
import { fileType, resolveInRoot } from "../host/targets.ts";
import { Init } from "../init/init.ts";
import { close } from "../linux/files.ts";
import type { Host } from "../plan/host.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import { plannedMounts } from "../plan/mounts.ts";
import { namespace } from "../plan/namespaces.ts";
import type { Plan } from "../plan/node.ts";
import { planAddMounts, planRemoveMounts } from "../plan/plan_mounts.ts";
import type { Config, Mount } from "../spec/config.ts";
import { cleanUp } from "./clean_up.ts";
import type { Container } from "./container.ts";
import { makeDirectory } from "./temporary.ts";

/**
 * Mounts `mounts`, in the order listed. What is mounted before one that fails stays.
 *
 * @throws {StateError} if the container does not run, or shares the mounts of the host
 * @throws {ConfigError} for a mount that only a container that is being created can have
 * @throws {SyscallError} the step that failed, with its pointer: `/mounts/0` is the first of `mounts`
 */
export function addMounts(container: Container, mounts: readonly Mount[]): void {
  inContainer(container, { ...container.readConfig(), mounts }, planAddMounts);
}

/** Unmounts what is at the destinations of `mounts`, in the order listed. Throws as {@linkcode addMounts}. */
export function removeMounts(container: Container, mounts: readonly Mount[]): void {
  // As with crun, nothing else of them counts.
  const places = mounts.map(({ destination }) => ({ destination, type: "tmpfs" }));
  inContainer(container, { ...container.readConfig(), mounts: places }, planRemoveMounts);
}

function inContainer(
  container: Container,
  config: Config,
  compile: (config: Config, host: Host) => Plan,
): void {
  const { id, pid } = container;
  if (namespace(config, "mount") === "none") {
    throw new StateError(id, "the container has no mount namespace: its mounts are the host's");
  }
  const pidfd = container.openPidfd();
  if (pidfd === undefined) throw new StateError(id, "container not running");
  let init: Init | undefined;
  let directory: string | undefined;
  try {
    const host = gatherHost({ ...config, mounts: [] }, { id, bundle: container.state.bundle });
    const plan = compile(config, { ...host, ...places(config, host, pid) });
    directory = makeDirectory(container.directory, "mounts-");
    init = Init.spawn(plan, { id, directory, firstFd: firstOwnFd(host), extraFds: [pidfd] });
    init.execute();
    init.wait();
  } finally {
    cleanUp(
      () => init?.end(),
      () => close(pidfd),
      () => directory !== undefined && Deno.removeSync(directory, { recursive: true }),
    );
  }
}

/** What is there now: the targets as the container sees them, which may change until a step opens them. */
function places(config: Config, host: Host, pid: number): Pick<Host, "sources" | "targets"> {
  const planned = plannedMounts(config);
  const sources = planned.filter(({ type, mount }) => type === "bind" && mount.source !== undefined)
    .map(({ index, mount: { source } }) => {
      const path = source!.startsWith("/") ? source! : `${host.bundle}/${source}`;
      return [index, fileType(path, `/mounts/${index}`)] as const;
    });
  const targets = planned.map(({ destination }) =>
    [destination, resolveInRoot(`/proc/${pid}/root`, destination)] as const
  );
  return { sources: Object.fromEntries(sources), targets: Object.fromEntries(targets) };
}
