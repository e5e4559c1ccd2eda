/**
 * The programs that config.json has run at points of the container's life.
 *
 * @see config.md#posix-platform-hooks, runtime.md#lifecycle
 * @module
 */
import { StateError, SyscallError } from "../errors.ts";
import { Init } from "../init/init.ts";
import { messageOf } from "../linux/deno_error.ts";
import { close } from "../linux/files.ts";
import { endsWithin, pidfdOpen } from "../linux/processes.ts";
import { log } from "../log.ts";
import type { Host } from "../plan/host.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import { planHook } from "../plan/plan_exec.ts";
import type { Config, Hook, Hooks } from "../spec/config.ts";
import type { Container } from "./container.ts";
import { ExecutedProcess } from "./exec.ts";
import { onBehalfOf } from "./on_behalf_of.ts";
import { type Outcome, runProgram, type Streams, withStreams } from "./program.ts";
import { type LaterHook, ociState, type StateDirectory } from "./state.ts";

/** The container as its hooks see it. */
export interface HookContext {
  readonly id: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly directory: StateDirectory;
  /** For createContainer hooks. */
  readonly host?: Host;
  /** For startContainer hooks. */
  readonly container?: Container;
}

/** For those that commands after `create` run. */
export function laterContext(container: Container, directory: StateDirectory): HookContext {
  const { id, pid, bundle, annotations } = container.state;
  return { id, pid, bundle, container, directory, ...annotations && { annotations } };
}

/** Whether it has any of a kind: without them its config need not be read. */
export function hasHooks({ state }: Container, kind: LaterHook): boolean {
  return state.laterHooks?.includes(kind) ?? false;
}

type Kind = keyof Hooks;

const STATUS: Readonly<Record<Kind, string>> = {
  // Once they ran after `create`, and were told so.
  prestart: "created",
  createRuntime: "creating",
  createContainer: "creating",
  startContainer: "created",
  poststart: "running",
  poststop: "stopped",
};

/**
 * Runs the hooks of one kind, in order, until one fails. Where the specification has a failure logged, all run.
 *
 * @throws {StateError} if a hook fails, or takes longer than its timeout
 */
export function runHooks(config: Config, kind: Kind, context: HookContext): void {
  config.hooks?.[kind]?.forEach((hook, index) => {
    try {
      runHook(config, hook, { kind, index, context });
    } catch (error) {
      if (!isOnlyLogged(config, kind)) throw error;
      log.warn(messageOf(error));
    }
  });
}

/** "as if the hook had succeeded": runtime.md#lifecycle, which says so of poststart hooks until version 1.3. */
function isOnlyLogged({ ociVersion }: Config, kind: Kind): boolean {
  return kind === "poststop" || (kind === "poststart" && /^1\.[0-2]\./.test(ociVersion));
}

function runHook(
  config: Config,
  hook: Hook,
  { kind, index, context }: { readonly kind: Kind; readonly index: number; readonly context: HookContext },
): void {
  const pointer = `/hooks/${kind}/${index}`;
  const pid = kind === "poststop" ? undefined : context.pid;
  const state = JSON.stringify(ociState({ ...context, pid }, STATUS[kind]));
  const label = `error running ${kind} hook #${index} ${hook.path}`;
  const { path, args = [path] } = hook;
  const outcome = onBehalfOf({ label, pointer }, () => {
    switch (kind) {
      case "createContainer":
        return withStreams(state, (stdio) => runInNamespaces(config, hook, { context, pointer, stdio }));
      case "startContainer":
        return withStreams(state, (stdio) => runInContainer(config, hook, context.container!, stdio));
      default:
        // As runc: without env a hook has ours. It starts in the bundle, which need not be there any more at the end.
        return runProgram({
          ...hook,
          args,
          input: state,
          ...kind !== "poststop" && { cwd: context.bundle },
        });
    }
  });
  const problem = describe(outcome);
  if (problem === undefined) return;
  throw new StateError(context.id, `${label}: ${problem}, asked for by config.json ${pointer}`);
}

function describe({ status, output }: Outcome): string | undefined {
  if (status.kind === "exited" && status.code === 0) return undefined;
  const how = status.kind === "timeout"
    ? "timed out"
    : status.kind === "exited"
    ? `exit status ${status.code}`
    : `killed by signal ${status.signal}`;
  const text = output.trim().slice(0, 4096);
  return text === "" ? how : `${how}, output: ${text}`;
}

/**
 * A program of the image's: whatever keeps the container's process from the host has to keep it, too. As with runc it is
 * the same process but for its program, down to the environment if it has none of its own.
 */
function runInContainer(
  config: Config,
  { path, args = [path], env = config.process!.env, timeout }: Hook,
  container: Container,
  stdio: Streams,
): Outcome["status"] {
  const process = { ...config.process!, args, env, terminal: false };
  let executed: ExecutedProcess | undefined;
  try {
    executed = ExecutedProcess.create(container, process, { path, stdio });
    executed.start();
    return executed.waitBlocked(timeout === undefined ? undefined : timeout * 1000) ?? { kind: "timeout" };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    // What it points to is the container's process, and not the hook.
    const { call, errno, label, detail, path } = error;
    throw new SyscallError(call, errno, { label, detail, path });
  } finally {
    // Whatever has failed: one that nobody waits for would keep the container's pid namespace from ending.
    executed?.close(false);
  }
}

/** A program of the host's, in the namespaces of a container that is being made. */
function runInNamespaces(
  config: Config,
  hook: Hook,
  { context, pointer, stdio }: {
    readonly context: HookContext;
    readonly pointer: string;
    readonly stdio: Streams;
  },
): Outcome["status"] {
  const { directory, host, id, pid } = context;
  const own = `${directory.path}/hook`;
  Deno.mkdirSync(own, { mode: 0o700 });
  const pidfd = pidfdOpen(pid);
  let init: Init | undefined;
  try {
    const plan = planHook(config, hook, host!, pointer);
    init = Init.spawn(plan, { id, directory: own, firstFd: firstOwnFd(host!), extraFds: [pidfd], stdio });
    init.execute();
    if (hook.timeout !== undefined && !endsWithin(init.pidfd, hook.timeout * 1000)) {
      init.kill();
      return { kind: "timeout" };
    }
    return init.wait();
  } finally {
    init?.end();
    close(pidfd);
    Deno.removeSync(own, { recursive: true });
  }
}
