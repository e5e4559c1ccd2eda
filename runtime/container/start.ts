/**
 * Starting a container: its init goes on from the last barrier and becomes the program.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { encode, type Program } from "../init/encode.ts";
import { diedInExecve, failure, hasExecuted, readReport, readSlot, release } from "../init/report.ts";
import { close } from "../linux/files.ts";
import { CPU, isErrno } from "../linux/libc.ts";
import { readStat } from "../linux/processes.ts";
import { hostFromJson } from "../plan/host.ts";
import { planCreate } from "../plan/plan.ts";
import type { Container, Parts } from "./container.ts";
import { hasHooks, laterContext, runHooks } from "./hooks.ts";
import { giveListener } from "./listener.ts";
import { type LaterHook, ociState, type StateDirectory } from "./state.ts";

/** Runs the program. See {@linkcode Container.start}. */
export function start(parts: Parts): void {
  const { container, directory } = parts;
  directory.lock();
  try {
    refuseUnlessCreated(container);
    runHooksOrKill("startContainer", parts);
    try {
      execute(parts);
    } finally {
      directory.removeFile("socket");
    }
    // They may act on the container they belong to, and would wait for us.
    directory.unlock();
    runHooksOrKill("poststart", parts);
  } finally {
    directory.unlock();
  }
}

function refuseUnlessCreated(container: Container): void {
  const { id } = container;
  const status = container.status();
  if (status === "stopped") throw hasStopped(id);
  if (status === "paused") throw new StateError(id, "cannot start a container in the paused state");
  if (status !== "created") throw new StateError(id, "cannot start an already running container");
}

function hasStopped(id: string): StateError {
  return new StateError(id, "cannot start a container that has stopped");
}

/** A failure is the end of the container: runtime.md#lifecycle. */
function runHooksOrKill(kind: LaterHook, { container, directory, process }: Parts): void {
  if (!hasHooks(container, kind)) return;
  process.orKill(() => runHooks(container.readConfig(), kind, laterContext(container, directory)));
}

/** Has the init become the program. */
function execute(parts: Parts): void {
  const { container, directory, process } = parts;
  const { id, pid, state } = container;
  const atListener = () => giveListenerOf(parts);
  const { init } = process;
  if (init !== undefined) return process.orKill(() => init.start(atListener));
  const name = readStat(pid)?.name ?? "";
  try {
    process.orKill(() => release(directory.path, atListener));
  } catch (error) {
    if (isErrno(error, "ECONNREFUSED")) throw hasStopped(id);
    throw error;
  }
  process.orKill(() => {
    const report = readReport(directory.readStatusPage());
    if (!hasExecuted(report, state.records) || diedInExecve(pid, name)) {
      throw failure(id, report, programOf(container, directory));
    }
  });
}

/** As runc and crun have it, the first process of a container that is "creating". */
function giveListenerOf({ container, directory, process }: Parts): void {
  const state = ociState(container.state, "creating");
  const give = (pidfd: number, listener: number) =>
    giveListener(container.readConfig(), { pid: container.pid, pidfd, listener }, state);
  const { init } = process;
  if (init !== undefined) return give(init.pidfd, init.slot("$listener"));
  const pidfd = process.open();
  if (pidfd === undefined) throw hasStopped(container.id);
  try {
    give(pidfd, readSlot(directory.readStatusPage(), programOf(container, directory), "$listener"));
  } finally {
    close(pidfd);
  }
}

/** The program of an init of another command: the same config and the same host give the same plan. */
function programOf(container: Container, directory: StateDirectory): Program {
  const config = container.readConfig();
  const host = hostFromJson(directory.read("host.json"));
  return encode(planCreate(config, host, container.readFilter(config)), CPU, {});
}
