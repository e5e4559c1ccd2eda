/**
 * Saving the processes of a container: `hako checkpoint`.
 *
 * @module
 */
import { StateError, UsageError } from "../../errors.ts";
import { parseMountinfo } from "../../host/mountinfo.ts";
import { resolveInRoot } from "../../host/targets.ts";
import { messageOf } from "../../linux/deno_error.ts";
import { close, memfdCreate, write } from "../../linux/files.ts";
import { packetPair } from "../../linux/packets.ts";
import { posixSpawn, wait } from "../../linux/processes.ts";
import { log } from "../../log.ts";
import type { Config } from "../../spec/config.ts";
import type { Container } from "../container.ts";
import { callersEnvironment } from "../program.ts";
import { Criu, findCriu } from "./client.ts";
import { savedMounts, sharedNamespaces } from "./external.ts";
import { type FolderPaths, openFolders, requireRoot, withCriuLog } from "./folders.ts";
import { REQUEST_TYPE } from "./messages.ts";
import { type DumpOptions, dumpOptions, type Folders, LOGS } from "./options.ts";
import { isExternal, outsideStreams, writeStreams } from "./streams.ts";

export interface CheckpointOptions extends DumpOptions {
  /** A descriptor that gets a zero byte when a page server is ready to be asked for pages. */
  readonly statusFd?: number | undefined;
}

/**
 * Writes images of the container's processes. Unless they are to go on they have ended then, and the container is
 * stopped. After an error they go on in any case.
 *
 * @throws {StateError} unless it runs or is paused, and if CRIU cannot do it
 */
export function checkpoint(container: Container, paths: FolderPaths, options: CheckpointOptions): void {
  const { id } = container;
  const status = container.status();
  if (status !== "running" && status !== "paused") {
    throw new StateError(id, `Container cannot be checkpointed in ${status} state`);
  }
  requireRoot(id);
  const path = findCriu(id);
  const opened: number[] = [];
  let pid: number | undefined;
  let output: number | undefined;
  try {
    const folders = openFolders(paths, opened);
    // Relative to what is there only now.
    checkParent(paths.images, options.parentPath);
    output = memfdCreate("criu");
    const [socket, theirs] = packetPair();
    opened.push(socket, theirs);
    const swrk = 3;
    pid = posixSpawn({
      path,
      args: ["criu", "swrk", `${swrk}`],
      env: callersEnvironment(),
      fds: [{ from: output, to: 1 }, { from: output, to: 2 }, { from: theirs, to: swrk }],
    });
    // CRIU's alone: we hear of its end.
    close(opened.pop()!);
    const criu = new Criu(socket, id);
    criu.checkVersion();
    if (options.preDump) criu.checkFeatures({ mem_track: true });
    if (options.lazyPages) criu.checkFeatures({ lazy_pages: true });
    const file = `${paths.work ?? paths.images}/${LOGS.dump}`;
    withCriuLog(criu, { id, operation: "checkpoint", log: file }, () => {
      dump(criu, container, { options, paths, folders });
    });
  } finally {
    opened.forEach(close);
    // It ends when it is no longer connected.
    if (pid !== undefined) wait(pid);
    if (output !== undefined) logOutput(output);
  }
}

/** What CRIU says before it has a log: a warning that a check gives, or why it cannot be run. */
function logOutput(fd: number): void {
  try {
    const said = Deno.readTextFileSync(`/proc/self/fd/${fd}`).trim();
    if (said !== "") log.debug(`criu: ${said}`);
  } catch (error) {
    // Whatever has come of the checkpoint is more than this.
    log.debug(`criu: ${messageOf(error)}`);
  } finally {
    close(fd);
  }
}

function dump(
  criu: Criu,
  container: Container,
  { options, paths, folders }: {
    readonly options: CheckpointOptions;
    readonly paths: FolderPaths;
    readonly folders: Folders;
  },
): void {
  const { pid, state: { rootfs } } = container;
  const config = container.readConfig();
  const mountinfo = Deno.readTextFileSync(`/proc/${pid}/mountinfo`);
  const streams = outsideStreams(pid, mountinfo);
  const resolve = (destination: string) => resolveInRoot(rootfs, destination).path;
  const opts = dumpOptions(options, {
    config,
    pid,
    rootfs,
    freezer: container.cgroup?.paths.freezer ?? container.cgroup?.paths[""],
    external: [...externalNamespaces(config), ...streams.filter(isExternal)],
    mounts: options.preDump ? [] : savedMounts(config, parseMountinfo(mountinfo), resolve),
  }, folders);
  if (!options.preDump) writeStreams(paths.images, streams);
  const type = options.preDump ? REQUEST_TYPE.PRE_DUMP : REQUEST_TYPE.DUMP;
  criu.run(type, opts, ({ script }) => {
    log.debug(`criu: ${script}`);
    if (script !== "status-ready" || options.statusFd === undefined) return;
    // As it is: a socket has no path to be opened by, and a file would be emptied.
    write(options.statusFd, new Uint8Array(1));
    close(options.statusFd);
  });
}

/** By the numbers that they have now: they may be others when the container is restored. */
function externalNamespaces(config: Config): string[] {
  return sharedNamespaces(config).external.map(({ type, key, path }) =>
    `${type}[${Deno.statSync(path).ino}]:${key}`
  );
}

function checkParent(images: string, parent: string | undefined): void {
  if (parent === undefined) return;
  if (parent.startsWith("/")) throw new UsageError("--parent-path must be relative");
  let isDirectory = false;
  try {
    ({ isDirectory } = Deno.statSync(`${images}/${parent}`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!isDirectory) throw new UsageError(`invalid --parent-path: ${images}/${parent} is no directory`);
}
