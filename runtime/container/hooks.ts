/**
 * The programs that config.json has run at points of the container's life.
 *
 * @see config.md#posix-platform-hooks, runtime.md#lifecycle
 * @module
 */
import { StateError } from "../errors.ts";
import { Init } from "../init/init.ts";
import { SIGKILL } from "../linux/generated/constants.ts";
import { close, memfdCreate, pread, pwrite } from "../linux/files.ts";
import {
  endsWithin,
  type ExitStatus,
  pidfdOpen,
  pidfdSendSignal,
  posixSpawn,
  wait,
} from "../linux/processes.ts";
import type { Host } from "../plan/host.ts";
import { firstOwnFd } from "../plan/inherited.ts";
import { planHook } from "../plan/plan_exec.ts";
import type { Config, Hook, Hooks } from "../spec/config.ts";
import { OCI_VERSION } from "../spec/default.ts";
import type { StateDirectory } from "./state.ts";

/** The container as its hooks see it. */
export interface HookContext {
  readonly id: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly directory: StateDirectory;
  /** For hooks that run in the container's namespaces. */
  readonly host?: Host;
}

type Kind = keyof Hooks;

const STATUS: Readonly<Record<Kind, string>> = {
  prestart: "creating",
  createRuntime: "creating",
  createContainer: "creating",
  startContainer: "created",
  poststart: "running",
  poststop: "stopped",
};

/** These run among the container's processes, the others among ours. */
const IN_CONTAINER: readonly Kind[] = ["createContainer", "startContainer"];

/**
 * Runs the hooks of one kind, in order, until one fails.
 *
 * @throws {StateError} if a hook fails, or takes longer than its timeout
 */
export function runHooks(config: Config, kind: Kind, context: HookContext): void {
  config.hooks?.[kind]?.forEach((hook, index) => {
    const pointer = `/hooks/${kind}/${index}`;
    const state = JSON.stringify({
      ociVersion: OCI_VERSION,
      id: context.id,
      status: STATUS[kind],
      ...(kind !== "poststop" && { pid: context.pid }),
      bundle: context.bundle,
      ...(context.annotations && { annotations: context.annotations }),
    });
    const problem = withStreams(
      state,
      (stdio) =>
        IN_CONTAINER.includes(kind)
          ? runInContainer(config, hook, { context, pointer, stdio })
          : runHere(hook, stdio),
    );
    if (problem !== undefined) {
      throw new StateError(
        context.id,
        `error running ${kind} hook #${index} ${hook.path}: ${problem}, asked for by config.json ${pointer}`,
      );
    }
  });
}

type Streams = readonly [stdin: number, stdout: number, stderr: number];

/** Files and no pipes: a hook that does not read, or writes much, cannot block us. */
function withStreams(input: string, run: (stdio: Streams) => ExitStatus | "timeout"): string | undefined {
  const stdin = memfdCreate("hook-stdin");
  const output = memfdCreate("hook-output");
  try {
    pwrite(stdin, new TextEncoder().encode(input), 0);
    const status = run([stdin, output, output]);
    if (status !== "timeout" && status.kind === "exited" && status.code === 0) return undefined;
    const how = status === "timeout"
      ? "timed out"
      : status.kind === "exited"
      ? `exit status ${status.code}`
      : `killed by signal ${status.signal}`;
    const text = new TextDecoder().decode(pread(output, 4096, 0)).replace(/\0+$/, "").trim();
    return text === "" ? how : `${how}, output: ${text}`;
  } finally {
    close(stdin);
    close(output);
  }
}

function runHere({ path, args = [path], env, timeout }: Hook, stdio: Streams): ExitStatus | "timeout" {
  const pid = posixSpawn({
    path,
    args,
    // As runc: without env a hook has ours.
    env: env ?? Object.entries(Deno.env.toObject()).map(([name, value]) => `${name}=${value}`),
    fds: stdio.map((from, to) => ({ from, to })),
  });
  return waitFor(pid, timeout);
}

function runInContainer(
  config: Config,
  hook: Hook,
  { context, pointer, stdio }: {
    readonly context: HookContext;
    readonly pointer: string;
    readonly stdio: Streams;
  },
): ExitStatus | "timeout" {
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
      return "timeout";
    }
    return init.wait();
  } finally {
    init?.kill();
    init?.close();
    close(pidfd);
    Deno.removeSync(own, { recursive: true });
  }
}

function waitFor(pid: number, timeout: number | undefined): ExitStatus | "timeout" {
  if (timeout === undefined) return wait(pid);
  const pidfd = pidfdOpen(pid);
  try {
    if (endsWithin(pidfd, timeout * 1000)) return wait(pid);
    pidfdSendSignal(pidfd, SIGKILL);
    wait(pid);
    return "timeout";
  } finally {
    close(pidfd);
  }
}
