/** `hako exec`: run another process in a container. @module */

import { Container } from "../container/container.ts";
import { ExecutedProcess } from "../container/exec.ts";
import { takeForeground } from "../container/foreground.ts";
import { stateRoot } from "../container/state.ts";
import { ConfigError, UsageError } from "../errors.ts";
import { messageOf } from "../linux/deno_error.ts";
import { shellStatus } from "../linux/processes.ts";
import { log } from "../log.ts";
import type { Capabilities, Process, User } from "../spec/config.ts";
import { parseProcess, validateProcess } from "../spec/parse.ts";
import { defineCommand } from "./command.ts";
import { checkPreserved, checkTerminal, createOptions, writePidFile } from "./create_options.ts";
import type { Options, Values } from "./options.ts";

const execOptions = {
  process: { type: "text", short: "p", value: "FILE", complete: "file", help: "read the process from FILE" },
  cwd: { type: "text", value: "DIR", help: "working directory in the container" },
  env: { type: "list", short: "e", value: "NAME=VALUE", help: "add to the environment" },
  tty: { type: "flag", short: "t", help: "give the process a terminal" },
  user: { type: "text", short: "u", value: "UID[:GID]", help: "run as this user" },
  "additional-gids": { type: "list", short: "g", value: "GID", help: "a supplementary group" },
  cap: { type: "list", short: "c", value: "CAP", help: "add a capability" },
  "no-new-privs": { type: "flag", help: "forbid the process to gain privileges" },
  apparmor: { type: "text", value: "PROFILE", help: "AppArmor profile" },
  "process-label": { type: "text", value: "LABEL", help: "SELinux label" },
  cgroup: {
    type: "list",
    value: "[CONTROLLER,...:]PATH",
    help: "run in the cgroup PATH below the container's, which must be there",
  },
  detach: { type: "flag", short: "d", help: "leave the process running and return" },
  "ignore-paused": { type: "flag", help: "also in a paused container; the process waits for its resume" },
  "pid-file": createOptions["pid-file"],
  "console-socket": createOptions["console-socket"],
  "pidfd-socket": createOptions["pidfd-socket"],
  "preserve-fds": createOptions["preserve-fds"],
} as const satisfies Options;

export const exec = defineCommand({
  name: "exec",
  summary: "run another process in a container",
  usage: "[options] ID COMMAND [ARGUMENT...]",
  positionals: { min: 1 },
  stopAtPositional: true,
  // So that a caller can tell our failures from those of the program, as with runc.
  failureStatus: 255,
  options: execOptions,
  async action({ args: [id, ...command], options, global }) {
    const { detach } = options;
    const foreground = detach ? undefined : takeForeground();
    const container = Container.load(stateRoot(global.root), id);
    const process = readProcess(container, command, options);
    checkTerminal(process, options["console-socket"], detach);
    checkPreserved(3, options["preserve-fds"]);
    const executed = ExecutedProcess.create(container, process, {
      preserveFds: options["preserve-fds"],
      ignorePaused: options["ignore-paused"],
      ...(options.cgroup.length > 0 && { cgroups: parseCgroups(options.cgroup) }),
      consoleSocket: options["console-socket"],
      pidfdSocket: options["pidfd-socket"],
    });
    let started = false;
    try {
      writePidFile(options["pid-file"], executed);
      if (foreground === undefined) {
        executed.start();
        started = true;
        return 0;
      }
      log.flush();
      return shellStatus(await foreground.run(executed));
    } finally {
      executed.close(started);
    }
  },
});

function readProcess(
  container: Container,
  command: readonly string[],
  options: Values<typeof execOptions>,
): Process {
  if (options.process !== undefined) {
    try {
      return parseProcess(Deno.readTextFileSync(options.process));
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      throw new UsageError(`cannot read ${options.process}: ${messageOf(error)}`);
    }
  }
  if (command.length === 0) throw new UsageError("process args cannot be empty");
  const { process: base } = container.readConfig();
  const { cwd, env, cap, apparmor, user } = options;
  return validateProcess({
    ...base,
    args: command,
    terminal: options.tty,
    env: [...base?.env ?? [], ...env],
    user: parseUser(user, options["additional-gids"], base?.user),
    ...(cwd !== undefined && { cwd }),
    ...(cap.length > 0 && { capabilities: addCapabilities(base?.capabilities, cap) }),
    ...(apparmor !== undefined && { apparmorProfile: apparmor }),
    ...(options["process-label"] !== undefined && { selinuxLabel: options["process-label"] }),
    ...(options["no-new-privs"] && { noNewPrivileges: true }),
  });
}

/** Strictly decimal: what is not a number must not become user 0 (CVE-2026-30892 of crun). */
function parseUser(text: string | undefined, gids: readonly string[], base: User | undefined): Partial<User> {
  const additionalGids = [
    ...base?.additionalGids ?? [],
    ...gids.map((gid) => decimal(gid, "--additional-gids")),
  ];
  if (text === undefined) return { ...base, additionalGids };
  const [uid, gid, ...rest] = text.split(":");
  if (rest.length > 0) throw new UsageError(`--user must be UID or UID:GID, not "${text}"`);
  return {
    ...base,
    additionalGids,
    uid: decimal(uid!, "--user"),
    ...(gid !== undefined && { gid: decimal(gid, "--user") }),
  };
}

function decimal(text: string, option: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new UsageError(`${option} takes decimal numbers, not "${text}"`);
  return Number(text);
}

/** "PATH" for all, or "CONTROLLER,CONTROLLER:PATH" for each, as runc has it. @returns paths by controller */
export function parseCgroups(texts: readonly string[]): Record<string, string> {
  const paths: Record<string, string> = {};
  for (const text of texts) {
    const colon = text.indexOf(":");
    if (colon < 0) {
      if (texts.length > 1) {
        throw new UsageError(`invalid --cgroup argument: ${text} (missing <controller>: prefix)`);
      }
      return { "": text };
    }
    for (const controller of text.slice(0, colon).split(",")) {
      if (controller === "") {
        throw new UsageError(`invalid --cgroup argument: ${text} (empty <controller> prefix)`);
      }
      if (Object.hasOwn(paths, controller)) {
        throw new UsageError(
          `invalid --cgroup argument(s): controller ${controller} specified multiple times`,
        );
      }
      paths[controller] = text.slice(colon + 1);
    }
  }
  return paths;
}

/** Never to the inheritable set, from which a program of the image could take it back (CVE-2022-29162). */
function addCapabilities(base: Capabilities = {}, added: readonly string[]): Capabilities {
  const join = (set: readonly string[] = []) => [...new Set([...set, ...added])];
  return {
    ...base,
    bounding: join(base.bounding),
    effective: join(base.effective),
    permitted: join(base.permitted),
  };
}
