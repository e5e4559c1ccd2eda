/**
 * Creating a container: the runtime's side of the plan, barrier by barrier.
 *
 * @module
 */
import { gatherHost, type HostOptions } from "../host/gather.ts";
import { Init } from "../init/init.ts";
import { close } from "../linux/files.ts";
import { readStat } from "../linux/processes.ts";
import { log } from "../log.ts";
import { capabilityWarnings } from "../plan/capabilities.ts";
import { type Host, hostToJson } from "../plan/host.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import { namespace } from "../plan/namespaces.ts";
import type { Plan } from "../plan/node.ts";
import { planCreate } from "../plan/plan.ts";
import type { Config } from "../spec/config.ts";
import { stringify } from "../spec/json.ts";
import { Container } from "./container.ts";
import {
  type Cgroup,
  type CgroupManager,
  makeCgroup,
  openUnified,
  planCgroup,
  refuseUsed,
} from "./control_group.ts";
import { fillMounts } from "./fill_mounts.ts";
import { compileFilter, filterToJson } from "./filter.ts";
import { runHooks } from "./hooks.ts";
import { openIdmaps } from "./idmaps.ts";
import { enterResctrl, planResctrl, removeResctrl, type ResctrlGroups } from "./intel_rdt.ts";
import { writeIdMaps, writeTimeOffsets } from "./namespaces.ts";
import { NOTIFY_ENV, withNotify } from "./notify_mount.ts";
import { giveTerminal, send, takeTerminal, writeLateFacts } from "./ready.ts";
import { checkId, LATER_HOOKS, type State, StateDirectory } from "./state.ts";

export interface CreateOptions extends Omit<HostOptions, "cgroup"> {
  /** Where containers are kept: an absolute path. */
  readonly root: string;
  /** Who makes the cgroup: "cgroupfs" if absent. */
  readonly cgroupManager?: CgroupManager;
  /** The Unix socket that gets the master of the terminal. Without it the container keeps it. */
  readonly consoleSocket?: string;
  /** The Unix socket that gets a pidfd of the first process. */
  readonly pidfdSocket?: string;
  /** Give the container a socket by which it says that it is ready: {@linkcode NotifySocket} is to be there at its start. */
  readonly notify?: boolean;
  /** Where resctrl is mounted: found if absent. */
  readonly resctrl?: string;
  /** Changes the plan before it runs: for tests that make a step fail. */
  readonly transform?: (plan: Plan) => Plan;
}

/**
 * Makes the container of `config`, up to the point where only its program is missing. It is locked.
 *
 * After an error nothing of it is left.
 *
 * @throws {ConfigError} if the config cannot be planned
 * @throws {StateError} if the id is taken
 * @throws {SyscallError} the step that failed, with its pointer
 */
export async function createContainer(given: Config, options: CreateOptions): Promise<Container> {
  const { id, root, transform = (plan: Plan) => plan } = options;
  // Before it becomes a part of any path.
  checkId(id);
  const filter = await compileFilter(given);
  const moveNetDevices = given.linux?.netDevices && (await import("./net_devices.ts")).moveNetDevices;
  const planned = planCgroup(id, given, options.cgroupManager);
  const resctrl = given.linux?.intelRdt && planResctrl(given.linux.intelRdt, id, options.resctrl);
  const directory = StateDirectory.create(root, id);
  const extraFds: number[] = [];
  let cgroup: Cgroup | undefined;
  let init: Init | undefined;
  const enterCgroup = (pid?: number) => {
    makeCgroup(planned!, given, pid).forEach((warning) => log.warn(warning));
    cgroup = planned!.cgroup;
  };
  try {
    if (planned !== undefined) refuseUsed(planned);
    // Before anything is there: whoever finds us killed knows what to remove.
    directory.write("state.json", stringify(describe(given, options, { cgroup: planned?.cgroup, resctrl })));
    if (planned?.cgroup.adopts === false) enterCgroup();
    const config = options.notify ? withNotify(given, directory.path) : given;
    const env = [...options.env ?? [], ...(options.notify ? [NOTIFY_ENV] : [])];
    const host = gatherHost(config, { ...options, env, ...(planned && { cgroup: planned.facts }) });
    const plan = transform(planCreate(config, host, filter));
    openIdmaps(config, id, directory.path, extraFds);
    extraFds.push(...openUnified(planned?.cgroup));
    init = Init.spawn(plan, {
      id,
      directory: directory.path,
      firstFd: firstOwnFd(host),
      extraFds,
      stdio: options.stdio,
    });
    // While it makes the namespaces: what later commands read.
    directory.write("config.json", stringify(config));
    directory.write("host.json", hostToJson(host));
    if (filter !== undefined) directory.write("filter.json", filterToJson(filter));
    capabilityWarnings(config, config.process!, host).forEach((line) => log.warn(line));
    if (planned?.cgroup.adopts) {
      // The barrier "cgroup": the first one, and only there.
      init.next();
      enterCgroup(init.pid);
    }
    return meetBarriers(config, host, {
      init,
      directory,
      options,
      cgroup: planned?.cgroup,
      resctrl,
      moveNetDevices,
    });
  } catch (error) {
    // In this order: what could not be removed belongs to a container that is still known, and can be deleted.
    init?.end();
    cgroup?.delete();
    if (resctrl !== undefined) removeResctrl(resctrl);
    directory.remove();
    throw error;
  } finally {
    extraFds.forEach(close);
  }
}

interface Making {
  readonly init: Init;
  readonly directory: StateDirectory;
  readonly options: CreateOptions;
  readonly cgroup: Cgroup | undefined;
  readonly resctrl: ResctrlGroups | undefined;
  /** Only there if there are some. */
  readonly moveNetDevices: ((config: Config, pid: number) => void) | undefined;
}

/** Does what the plan leaves to the runtime. */
function meetBarriers(config: Config, host: Host, making: Making): Container {
  const { init, directory, options, cgroup, resctrl, moveNetDevices } = making;
  let terminal: number | undefined;
  let state: State | undefined;
  try {
    for (;;) {
      switch (init.next()) {
        case "namespaces":
          writeIdMaps(config, host, init.pid);
          writeTimeOffsets(config, init.pid);
          break;
        case "mounted":
          if (resctrl !== undefined) enterResctrl(resctrl, config.linux!.intelRdt!, init.pid);
          moveNetDevices?.(config, init.pid);
          fillMounts(config, init);
          for (const kind of ["prestart", "createRuntime", "createContainer"] as const) {
            runHooks(config, kind, { ...hookContext(config, host, init), directory });
          }
          break;
        case "ready":
          writeLateFacts(config.process!, init);
          if (config.process!.terminal) terminal = giveTerminal(takeTerminal(init), options.consoleSocket);
          if (options.pidfdSocket !== undefined) send(options.pidfdSocket, "standard", init.pidfd);
          // Before the init may wait to be started: one that waits, and that nobody knows of, would wait for ever.
          state = describe(config, host, { init, cgroup, resctrl });
          directory.write("state.json", stringify(state));
          break;
        case "start":
          return new Container(state!, directory, {
            init,
            config,
            ...(terminal !== undefined && { terminal }),
          });
      }
    }
  } catch (error) {
    if (terminal !== undefined) close(terminal);
    throw init.explain(error);
  }
}

function hookContext({ annotations }: Config, host: Host, { pid }: Init) {
  return { id: host.id, pid, bundle: host.bundle, host, ...(annotations && { annotations }) };
}

/** What is kept of a container, before there is an init and when there is one. */
export function describe(
  config: Config,
  { id, bundle, rootfs = config.root.path }: Pick<Host, "id" | "bundle"> & { readonly rootfs?: string },
  { init, cgroup, resctrl }: Pick<Making, "cgroup" | "resctrl"> & {
    readonly init?: Pick<Init, "pid" | "records">;
  },
): State {
  const laterHooks = LATER_HOOKS.filter((kind) => config.hooks?.[kind]?.length);
  return {
    id,
    pid: init?.pid ?? 0,
    startTime: init === undefined ? 0 : readStat(init.pid)?.startTime ?? 0,
    records: init?.records ?? 0,
    bundle,
    rootfs: rootfs.startsWith("/") ? rootfs : `${bundle}/${rootfs}`,
    created: new Date().toISOString(),
    owner: Deno.uid() ?? 0,
    ...(config.annotations && { annotations: config.annotations }),
    ...(namespace(config, "pid") !== "new" && { sharedPids: true as const }),
    ...(laterHooks.length > 0 && { laterHooks }),
    ...(cgroup && { cgroupPaths: cgroup.paths }),
    ...(cgroup?.unit && { cgroupUnit: cgroup.unit }),
    ...(resctrl && { resctrl }),
  };
}
