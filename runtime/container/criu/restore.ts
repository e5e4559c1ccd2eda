/**
 * Making a container of saved processes: `hako restore`.
 *
 * @module
 */
import { gatherHost } from "../../host/gather.ts";
import { readMountinfo } from "../../host/mountinfo.ts";
import { Init } from "../../init/init.ts";
import { close, openat2 } from "../../linux/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from "../../linux/generated/constants.ts";
import { packetPair } from "../../linux/packets.ts";
import { log } from "../../log.ts";
import { type Host, hostToJson } from "../../plan/host.ts";
import { firstOwnFd } from "../../plan/inherited.ts";
import { bindMounts, NULL_NAME, planRestore, socketNumber } from "../../plan/plan_restore.ts";
import type { Config } from "../../spec/config.ts";
import { stringify } from "../../spec/json.ts";
import type { Container } from "../container.ts";
import { type Cgroup, makeCgroup, openUnified, planCgroup, refuseUsed } from "../control_group.ts";
import { type CreateOptions, describe } from "../create.ts";
import { compileFilter, filterToJson } from "../filter.ts";
import { openIdmaps } from "../idmaps.ts";
import { planResctrl, removeResctrl } from "../intel_rdt.ts";
import { withNotify } from "../notify_mount.ts";
import { callersEnvironment } from "../program.ts";
import { checkId, StateDirectory } from "../state.ts";
import { Criu, findCriu } from "./client.ts";
import { restoredMounts, sharedNamespaces } from "./external.ts";
import { type FolderPaths, openFolders, requireRoot, withCriuLog } from "./folders.ts";
import { REQUEST_TYPE } from "./messages.ts";
import { LOGS, type RestoreOptions, restoreOptions } from "./options.ts";
import { RestoredContainer } from "./restored.ts";
import { readStreams } from "./streams.ts";

export type RestoreContainerOptions =
  & RestoreOptions
  & Omit<CreateOptions, "transform" | "pidfdSocket" | "preserveFds">;

/**
 * Makes the container of `config` from images. Its processes run, and the first is a child of ours.
 *
 * After an error nothing of it is left.
 *
 * @throws {StateError} if the id is taken, and if CRIU cannot do it
 */
export async function restoreContainer(
  given: Config,
  paths: FolderPaths,
  options: RestoreContainerOptions,
): Promise<Container> {
  const { id, root } = options;
  // Before it becomes a part of any path.
  checkId(id);
  requireRoot(id);
  const path = findCriu(id);
  const streams = readStreams(id, paths.images);
  const filter = await compileFilter(given);
  const moveNetDevices = given.linux?.netDevices && (await import("../net_devices.ts")).moveNetDevices;
  const planned = planCgroup(id, given, options.cgroupManager);
  const resctrl = given.linux?.intelRdt && planResctrl(given.linux.intelRdt, id, options.resctrl);
  const directory = StateDirectory.create(root, id);
  const opened: number[] = [];
  let cgroup: Cgroup | undefined;
  let init: Init | undefined;
  let restored: RestoredContainer | undefined;
  const enterCgroup = (pid?: number) => {
    makeCgroup(planned!, given, pid).forEach((warning) => log.warn(warning));
    cgroup = planned!.cgroup;
  };
  try {
    if (planned !== undefined) refuseUsed(planned);
    // As when a container is created: whoever finds us killed knows what to remove.
    directory.write("state.json", stringify(describe(given, options, { cgroup: planned?.cgroup, resctrl })));
    if (planned?.cgroup.adopts === false) enterCgroup();
    const config = options.notify ? withNotify(given, directory.path) : given;
    const host = gatherHost(config, { ...options, ...(planned && { cgroup: planned.facts }) });

    const { external, joined } = sharedNamespaces(config);
    const namespaces = external.map(({ path }) => {
      const fd = openat2(AT_FDCWD, path, { flags: O_RDONLY | O_CLOEXEC });
      opened.push(fd);
      return fd;
    });
    const unified = openUnified(planned?.cgroup);
    opened.push(...unified);
    const others = opened.length;
    openIdmaps(config, id, directory.path, opened);
    const idmaps = opened.slice(others);
    const [socket, theirs] = packetPair();
    opened.push(socket, theirs);

    const folder = (name: string) => {
      Deno.mkdirSync(`${directory.path}/${name}`, { mode: 0o700 });
      return `${directory.path}/${name}`;
    };
    const criuRoot = folder("criu-root");
    const sources = folder("criu-mounts");
    for (const { planned: { index }, name } of bindMounts(config)) {
      if (host.sources[index] === "directory") folder(`criu-mounts/${name}`);
      else Deno.writeTextFileSync(`${sources}/${name}`, "");
    }
    Deno.writeTextFileSync(`${sources}/${NULL_NAME}`, "");
    const plan = planRestore(config, host, {
      path,
      env: callersEnvironment(),
      root: criuRoot,
      sources,
      descriptors: namespaces.length,
    });
    init = Init.spawn(plan, {
      id,
      directory: folder("criu"),
      firstFd: firstOwnFd(host),
      extraFds: [...idmaps, theirs, ...namespaces, ...unified],
      stdio: options.stdio,
    });
    // CRIU's alone: we hear of its end.
    close(opened.pop()!);
    if (planned?.cgroup.adopts) {
      init.next();
      enterCgroup(init.pid);
    }
    init.execute();
    const folders = openFolders(paths, opened, `/proc/${init.pid}/root`);

    restored = new RestoredContainer(config, {
      host,
      directory,
      consoleSocket: options.consoleSocket,
      cgroup,
      resctrl,
      moveNetDevices,
    });
    const known = restored;
    const opts = restoreOptions(options, {
      config,
      root: criuRoot,
      cgroups: cgroupRoots(init.pid),
      descriptors: [
        ...streams,
        ...external.map(({ key }, index) => ({ key, fd: socketNumber(config, host) + 1 + index })),
      ],
      namespaces: joined,
      mounts: restoredMounts(config, host, { sources, mounts: readMountinfo(), resolve: resolver(host) }),
    }, folders);
    const criu = new Criu(socket, id);
    criu.checkVersion();
    const file = `${paths.work ?? paths.images}/${LOGS.restore}`;
    withCriuLog(criu, { id, operation: "restore", log: file }, () => {
      criu.run(REQUEST_TYPE.RESTORE, opts, (notification) => known.notified(notification));
    });
    directory.write("host.json", hostToJson(host));
    if (filter !== undefined) directory.write("filter.json", filterToJson(filter));
    // CRIU ends when it is no longer connected.
    opened.splice(0).forEach(close);
    init.wait();
    return known.finish();
  } catch (error) {
    // So it does where a seccomp filter around us forbids to kill it.
    opened.splice(0).forEach(close);
    init?.kill();
    restored?.kill();
    if (cgroup !== undefined && cgroup.pids().length > 0) cgroup.kill();
    cgroup?.delete();
    if (resctrl !== undefined) removeResctrl(resctrl);
    directory.remove();
    throw error;
  } finally {
    init?.close();
  }
}

function resolver({ targets }: Host): (destination: string) => string {
  return (destination) => targets[destination]?.path ?? destination;
}

/** Where CRIU is, by controller: there the container goes, whatever cgroup it was in. */
function cgroupRoots(pid: number): { readonly ctrl: string; readonly path: string }[] {
  return Deno.readTextFileSync(`/proc/${pid}/cgroup`).trimEnd().split("\n").flatMap((line) => {
    const [, controllers = "", ...path] = line.split(":");
    return controllers.split(",").map((ctrl) => ({ ctrl, path: path.join(":") }));
  });
}
