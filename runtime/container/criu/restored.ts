/**
 * A container that CRIU is about to restore: what we do at its notifications.
 *
 * @module
 */
import { close, openat2 } from "../../linux/files.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDONLY, SIGKILL } from "../../linux/generated/constants.ts";
import { trySyscall } from "../../linux/libc.ts";
import { RouteSocket } from "../../linux/netlink.ts";
import { wait } from "../../linux/processes.ts";
import { log } from "../../log.ts";
import type { Host } from "../../plan/host.ts";
import { namespace } from "../../plan/namespaces.ts";
import type { Config } from "../../spec/config.ts";
import { stringify } from "../../spec/json.ts";
import { Container } from "../container.ts";
import type { Cgroup } from "../control_group.ts";
import { describe } from "../create.ts";
import { runHooks } from "../hooks.ts";
import { enterResctrl, type ResctrlGroups } from "../intel_rdt.ts";
import { giveTerminal } from "../ready.ts";
import type { State, StateDirectory } from "../state.ts";
import type { Notification } from "./client.ts";

/** What is known of it before. */
export interface Surroundings {
  readonly host: Host;
  readonly directory: StateDirectory;
  readonly consoleSocket?: string | undefined;
  readonly cgroup: Cgroup | undefined;
  readonly resctrl: ResctrlGroups | undefined;
  /** Only there if there are some. */
  readonly moveNetDevices: ((config: Config, pid: number) => void) | undefined;
}

export class RestoredContainer {
  #config: Config;
  readonly #around: Surroundings;
  #terminal: number | undefined;
  /** Of its first process, a child of ours. */
  #pid: number | undefined;
  #state: State | undefined;

  constructor(config: Config, around: Surroundings) {
    this.#config = config;
    this.#around = around;
  }

  /** Does what CRIU waits for. */
  notified({ script, pid, fd }: Notification): void {
    log.debug(`criu: ${script}`);
    if (pid > 0) this.#pid = pid;
    switch (script) {
      case "setup-namespaces":
        return this.#fillNamespaces(pid);
      case "orphan-pts-master":
        this.#terminal = giveTerminal(fd!, this.#around.consoleSocket);
        return;
      case "post-restore":
        return this.#record(pid);
    }
  }

  /** They are there, and nothing in them runs yet. */
  #fillNamespaces(pid: number): void {
    const { host, directory, resctrl, moveNetDevices } = this.#around;
    const config = this.#config;
    if (resctrl !== undefined) enterResctrl(resctrl, config.linux!.intelRdt!, pid);
    if (namespace(config, "network") === "new") setLoopbackUp(pid);
    moveNetDevices?.(config, pid);
    const { id, bundle } = host;
    const { annotations } = config;
    for (const kind of ["prestart", "createRuntime"] as const) {
      runHooks(config, kind, { id, pid, bundle, host, directory, ...(annotations && { annotations }) });
    }
  }

  /** Its processes wait: whoever sees them run can ask us about them. */
  #record(pid: number): void {
    const { host, directory, cgroup, resctrl } = this.#around;
    this.#config = withTimeNamespace(this.#config, pid);
    this.#state = describe(this.#config, host, { init: { pid, records: 0 }, cgroup, resctrl });
    directory.write("config.json", stringify(this.#config));
    directory.write("state.json", stringify(this.#state));
  }

  /** It runs: from now on it is any other container. */
  finish(): Container {
    const { directory } = this.#around;
    for (const name of ["criu", "criu-root"]) {
      Deno.removeSync(`${directory.path}/${name}`, { recursive: true });
    }
    directory.unlock();
    const terminal = this.#terminal;
    return new Container(this.#state!, directory, {
      config: this.#config,
      ...(terminal !== undefined && { terminal }),
    });
  }

  /** After an error. CRIU kills what it has made, unless it was through with it. */
  kill(): void {
    if (this.#terminal !== undefined) close(this.#terminal);
    // It keeps its pid until it is reaped, by us alone.
    if (this.#pid !== undefined && trySyscall("kill", [this.#pid, SIGKILL]) === 0) wait(this.#pid);
  }
}

/** CRIU restores nothing of an interface, this one's state included. */
function setLoopbackUp(pid: number): void {
  const netns = openat2(AT_FDCWD, `/proc/${pid}/ns/net`, { flags: O_RDONLY | O_CLOEXEC });
  let socket: RouteSocket | undefined;
  try {
    socket = new RouteSocket(netns);
    socket.setUp(socket.indexOf("lo"), true);
  } finally {
    socket?.close();
    close(netns);
  }
}

/** CRIU gives processes a time namespace where their clocks go on, which the config knows nothing of. */
function withTimeNamespace(config: Config, pid: number): Config {
  const isOurs = Deno.readLinkSync(`/proc/${pid}/ns/time`) === Deno.readLinkSync("/proc/self/ns/time");
  if (isOurs || namespace(config, "time") !== "none") return config;
  const namespaces = [...config.linux?.namespaces ?? [], { type: "time" as const }];
  return { ...config, linux: { ...config.linux, namespaces } };
}
