/**
 * A client of the Container Runtime Interface. Messages are those of cri.proto, with names in camel case.
 *
 * @module
 */
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { BOX } from "../engines/machine.ts";

export const SOCKET: string = `${BOX}/containerd.sock`;

export type NamespaceMode = "POD" | "CONTAINER" | "NODE" | "TARGET";

export interface NamespaceOption {
  readonly network?: NamespaceMode;
  readonly pid?: NamespaceMode;
  readonly ipc?: NamespaceMode;
  readonly targetId?: string;
}

export interface SecurityProfile {
  readonly profileType: "RuntimeDefault" | "Unconfined" | "Localhost";
  /** A path. */
  readonly localhostRef?: string;
}

interface Id {
  readonly value: number;
}

export interface PodConfig {
  readonly hostname?: string;
  readonly dnsConfig?: Readonly<Record<"servers" | "searches" | "options", readonly string[]>>;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly security?: {
    readonly namespaceOptions?: NamespaceOption;
    readonly runAsUser?: Id;
    readonly readonlyRootfs?: boolean;
    readonly privileged?: boolean;
    readonly seccomp?: SecurityProfile;
  };
}

export interface Resources {
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitInBytes?: number;
  readonly oomScoreAdj?: number;
  readonly cpusetCpus?: string;
}

export interface ContainerSecurity {
  readonly capabilities?: {
    readonly addCapabilities?: readonly string[];
    readonly dropCapabilities?: readonly string[];
  };
  readonly privileged?: boolean;
  readonly namespaceOptions?: NamespaceOption;
  readonly runAsUser?: Id;
  readonly runAsUsername?: string;
  readonly runAsGroup?: Id;
  readonly supplementalGroups?: readonly number[];
  readonly readonlyRootfs?: boolean;
  readonly noNewPrivs?: boolean;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly seccomp?: SecurityProfile;
}

export interface ContainerConfig {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  readonly mounts?: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly readonly?: boolean;
    readonly propagation?:
      | "PROPAGATION_PRIVATE"
      | "PROPAGATION_HOST_TO_CONTAINER"
      | "PROPAGATION_BIDIRECTIONAL";
  }[];
  readonly devices?: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  readonly resources?: Resources;
  readonly security?: ContainerSecurity;
}

/** What the methods answer, as far as it is used. */
interface Answers {
  readonly Status: { readonly status: { readonly conditions: readonly Condition[] } };
  readonly RunPodSandbox: { readonly podSandboxId: string };
  readonly PodSandboxStatus: {
    readonly status: {
      readonly state: "SANDBOX_READY" | "SANDBOX_NOTREADY";
      readonly network: { readonly ip: string } | null;
      readonly runtimeHandler: string;
    };
  };
  readonly ListPodSandbox: { readonly items: readonly { readonly id: string }[] };
  readonly StopPodSandbox: unknown;
  readonly RemovePodSandbox: unknown;
  readonly CreateContainer: { readonly containerId: string };
  readonly StartContainer: unknown;
  readonly ContainerStatus: { readonly status: ContainerStatus };
  readonly ListContainers: { readonly containers: readonly { readonly id: string }[] };
  readonly StopContainer: unknown;
  readonly RemoveContainer: unknown;
  readonly UpdateContainerResources: unknown;
  readonly ContainerStats: { readonly stats: Usage };
  readonly PodSandboxStats: {
    readonly stats: { readonly linux: Usage & { readonly process: { readonly processCount: Id } } };
  };
  readonly ReopenContainerLog: unknown;
  readonly ExecSync: { readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly exitCode: number };
  readonly Exec: { readonly url: string };
  readonly Attach: { readonly url: string };
}

interface Condition {
  readonly type: string;
  readonly status: boolean;
  readonly message: string;
}

export interface ContainerStatus {
  readonly state: "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

interface Usage {
  readonly cpu: { readonly usageCoreNanoSeconds: Id };
  readonly memory: { readonly workingSetBytes: Id; readonly usageBytes: Id };
}

type Method = (
  request: unknown,
  options: { readonly deadline: number },
  answered: (error: Error | null, answer: unknown) => void,
) => void;

const proto = grpc.loadPackageDefinition(
  loadSync(new URL("cri.proto", import.meta.url).pathname, { longs: Number, enums: String, defaults: true }),
);

interface Service {
  new (address: string, credentials: grpc.ChannelCredentials): Readonly<Record<string, Method>>;
}

// deno-lint-ignore no-explicit-any -- made from the file
const RuntimeService: Service = (proto as any).runtime.v1.RuntimeService;
const client = new RuntimeService(`unix://${SOCKET}`, grpc.credentials.createInsecure());

/** Calls a method of RuntimeService. An error has the words of the engine. */
export function cri<M extends keyof Answers>(method: M, request: unknown = {}): Promise<Answers[M]> {
  return new Promise((resolve, reject) =>
    client[method]!(
      request,
      { deadline: Date.now() + 60_000 },
      (error, answer) => error ? reject(error) : resolve(answer as Answers[M]),
    )
  );
}
