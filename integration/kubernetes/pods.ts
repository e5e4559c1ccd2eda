/** Pods and their containers, for as long as a test needs them. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { IMAGE } from "../containerd/image.ts";
import { BOX, ID } from "../engines/machine.ts";
import { type Check, expect, type Expected, until } from "../engines/suite.ts";
import type { Result } from "../support/hako.ts";
import { HANDLER } from "./containerd.ts";
import { type ContainerConfig, type ContainerStatus, cri, type PodConfig } from "./cri.ts";

let count = 0;

const decoder = new TextDecoder();

/** The pod that most cases run in: no network to make, and as by default each container its own processes. */
export const HOST_NETWORK: PodConfig = {
  security: { namespaceOptions: { network: "NODE", pid: "CONTAINER" } },
};

/** A pod that runs, and what the kubelet does with its containers. */
export class Pod {
  private constructor(readonly id: string, readonly name: string, readonly config: Record<string, unknown>) {}

  /** RunPodSandbox, in a cgroup of its own as the kubelet has one for each pod. */
  static async start({ sysctls, security, ...rest }: PodConfig): Promise<Pod> {
    const name = `pod${count++}`;
    const config = {
      metadata: { name, uid: `${ID}-${name}`, namespace: "default" },
      logDirectory: `${BOX}/logs/${name}`,
      ...rest,
      linux: { cgroupParent: `/${ID}/${name}`, sysctls, securityContext: security },
    };
    Deno.mkdirSync(config.logDirectory, { recursive: true });
    const { podSandboxId } = await cri("RunPodSandbox", { config, runtimeHandler: HANDLER });
    return new Pod(podSandboxId, name, config);
  }

  /** CreateContainer, of the test's image. @returns its id */
  async create({ resources, security, ...rest }: ContainerConfig): Promise<string> {
    const name = `c${count++}`;
    const config = {
      metadata: { name },
      image: { image: IMAGE },
      logPath: `${name}.log`,
      ...rest,
      linux: {
        resources,
        // The kubelet repeats the pod's namespaces.
        securityContext: { namespaceOptions: this.#namespaces, ...security },
      },
    };
    const request = { podSandboxId: this.id, config, sandboxConfig: this.config };
    const { containerId } = await cri("CreateContainer", request);
    this.#logs.set(containerId, `${BOX}/logs/${this.name}/${name}.log`);
    return containerId;
  }

  /** A container that runs. */
  async run(config: ContainerConfig): Promise<string> {
    const containerId = await this.create(config);
    await cri("StartContainer", { containerId });
    return containerId;
  }

  /** What the container has written, by its log. @see design proposal kubelet-cri-logging */
  output(container: string): Pick<Result, "stdout" | "stderr"> {
    const text = { stdout: "", stderr: "" };
    for (const line of Deno.readTextFileSync(this.#logs.get(container)!).split("\n")) {
      const [, stream, tag, words] = /^\S+ (stdout|stderr) (\w) (.*)$/s.exec(line) ?? [];
      // F: the end of a line, P: a part.
      if (stream !== undefined) text[stream as "stdout" | "stderr"] += words + (tag === "F" ? "\n" : "");
    }
    return text;
  }

  /** Stops and removes it, and all of its containers. */
  async remove(): Promise<void> {
    await cri("StopPodSandbox", { podSandboxId: this.id });
    await cri("RemovePodSandbox", { podSandboxId: this.id });
  }

  readonly #logs = new Map<string, string>();

  get #namespaces(): unknown {
    const { securityContext } = this.config.linux as { securityContext?: PodConfig["security"] };
    return securityContext?.namespaceOptions;
  }
}

/** Starts a pod, does something with it, and removes it. */
export async function withPod(config: PodConfig, use: (pod: Pod) => Promise<void>): Promise<void> {
  const pod = await Pod.start(config);
  try {
    await use(pod);
  } finally {
    await pod.remove();
  }
}

/** Starts a pod with one container that goes on. */
export function withContainer(
  { pod: podConfig = HOST_NETWORK, script = "exec sleep 1000", ...config }: ContainerCase,
  use: (container: string, pod: Pod) => Promise<void>,
): Promise<void> {
  return withPod(podConfig, async (pod) => {
    await use(await pod.run({ command: ["sh", "-c", script], ...config }), pod);
  });
}

export async function statusOf(containerId: string): Promise<ContainerStatus> {
  return (await cri("ContainerStatus", { containerId })).status;
}

/** Waits until it has ended. */
export async function exited(container: string): Promise<ContainerStatus> {
  let status: ContainerStatus | undefined;
  await until("the container's end", async () => {
    status = await statusOf(container);
    return status.state === "CONTAINER_EXITED";
  });
  return status!;
}

/** ExecSync, as probes and hooks use it. */
export async function exec(container: string, cmd: readonly string[], timeout = 20): Promise<Result> {
  const { stdout, stderr, exitCode } = await cri("ExecSync", { containerId: container, cmd, timeout });
  return { status: exitCode, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Waits until the file is in the container. */
export function made(container: string, path: string): Promise<void> {
  return until(path, async () => (await exec(container, ["test", "-e", path])).status === 0);
}

/** A container, alone in its pod. */
export interface ContainerCase extends ContainerConfig {
  readonly pod?: PodConfig;
  /** The program, as a script for sh. */
  readonly script?: string;
}

/** One that runs to its end, and what it is to give. */
export interface RunCase extends ContainerCase, Expected {
  /** The engine's word for how it has ended. */
  readonly reason?: string;
}

/** Runs a container to its end, alone in a pod. */
export async function runContainer(
  { pod: podConfig = HOST_NETWORK, script, reason, status, stdout, stderr, ...config }: RunCase,
): Promise<void> {
  await withPod(podConfig, async (pod) => {
    const container = await pod.run(
      script === undefined ? config : { command: ["sh", "-c", script], ...config },
    );
    const end = await exited(container);
    const expected = { ...status !== undefined && { status }, ...stdout !== undefined && { stdout }, stderr };
    expect({ status: end.exitCode, ...pod.output(container) }, expected as Expected);
    if (reason !== undefined) assertEquals(end.reason, reason);
  });
}

/** A check for each. */
export function eachRun(cases: Readonly<Record<string, RunCase>>): Record<string, Check> {
  return Object.fromEntries(
    Object.entries(cases).map(([name, one]) => [name, () => runContainer(one)]),
  );
}

/** Expects an error of the engine. */
export async function refused(attempt: Promise<unknown>, words: RegExp): Promise<void> {
  const error = await attempt.then(() => undefined, (error: Error) => error);
  assertMatch(error?.message ?? "no error", words);
}
