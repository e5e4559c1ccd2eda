/**
 * Hako as a library: compile a config.json to a plan, look at it, run it.
 *
 * @example Print what a bundle would do
 * ```ts ignore
 * import { formatPlan, gatherHost, planCreate, readBundle } from "@hako/hako";
 *
 * const { path, config } = readBundle("/path/to/bundle");
 * const plan = planCreate(config, gatherHost(config, { id: "example", bundle: path }));
 * console.log(formatPlan(plan));
 * ```
 *
 * @module
 */
export { type Bundle, readBundle } from "./container/bundle.ts";
export { Container, type Status } from "./container/container.ts";
export { createContainer } from "./container/checked.ts";
export type { CreateOptions } from "./container/create.ts";
export { makeHostRootfs } from "./container/host_rootfs.ts";
export { ConfigError, type Pointer, StateError, SyscallError, UsageError } from "./errors.ts";
export { gatherHost, type HostOptions } from "./host/gather.ts";
export { type ExitStatus, shellStatus } from "./linux/processes.ts";
export { formatPlan, planToJson } from "./plan/format.ts";
export type { Host } from "./plan/host.ts";
export type { Attempt, Barrier, Fork, Node, Plan, Step } from "./plan/node.ts";
export { planCreate } from "./plan/plan.ts";
export {
  type CommandOutput,
  type CommandStatus,
  type SandboxProcess,
  type SpawnOptions,
} from "./sandbox/child.ts";
export { type SandboxConfig, type SandboxLimits } from "./sandbox/config.ts";
export { Sandbox, type SandboxOptions, type WriteFileOptions } from "./sandbox/sandbox.ts";
export type { Config } from "./spec/config.ts";
export { defaultConfig } from "./spec/default.ts";
export { parseConfig, validateConfig } from "./spec/parse.ts";
