/**
 * A container that needs no runtime: its plan with steps in the place of everything that the runtime does at a barrier.
 *
 * @see docs/compile.md for what is decided when it is compiled
 * @module
 */
import { ConfigError, type Pointer } from "../errors.ts";
import {
  MFD_CLOEXEC,
  O_CLOEXEC,
  PR_SET_MM,
  PR_SET_MM_EXE_FILE,
  PR_SET_MM_MAP,
  PR_SET_PDEATHSIG,
  SIGKILL,
} from "../linux/generated/constants.ts";
import type { Config, Process } from "../spec/config.ts";
import { devicesToCompare } from "./devices.ts";
import { mountImage } from "./embedded.ts";
import { environment } from "./execute.ts";
import type { Host } from "./host.ts";
import { meetRuntime } from "./inherited.ts";
import { copiedUp, idmappedMounts } from "./mounts.ts";
import { namespace } from "./namespaces.ts";
import { attempt, type Node, type Plan, type Reason, slot, step } from "./node.ts";
import { planCreate } from "./plan.ts";
import type { Filter } from "./seccomp.ts";
import { type CgroupDirectory, makeCgroups, removeCgroups } from "./standalone_cgroup.ts";
import { idMaps, timeOffsets } from "./standalone_maps.ts";

/** All of a compiled container. */
export interface Standalone {
  /** What names it: cgroups, and the messages of its errors. */
  readonly name: string;
  /** Run by the first process, whose last step is execve(2). */
  readonly container: Plan;
  /** Run by the process that waits for it, when it has ended. */
  readonly cleanup: Plan;
  /** `process.args`, and how many of them stay when the executable is given arguments. */
  readonly args: readonly string[];
  readonly kept: number;
  readonly env: readonly string[];
  /** Names of variables that are taken from the caller's environment. */
  readonly passed: readonly string[];
}

/** What is decided when the container is compiled. */
export interface StandaloneOptions {
  readonly name: string;
  readonly kept?: number;
  readonly passed?: readonly string[];
  /** HOME for a config that has none. */
  readonly home: string;
  readonly cgroups: readonly CgroupDirectory[];
  readonly filter?: Filter;
  /** How much of the executable the kernel maps, from where on. */
  readonly image: { readonly address: number; readonly bytes: number };
}

/**
 * Compiles a container that is to run by itself.
 *
 * @param host as for planCreate, but what only the caller of the executable has: `nofile` absent, `nullStdio` "late"
 * @throws {ConfigError} if the config asks for what only a runtime can do
 */
export function planStandalone(config: Config, host: Host, options: StandaloneOptions): Standalone {
  refuse(config, host);
  const { process } = config;
  if (process === undefined) throw new ConfigError("/process", "process property must not be empty");
  const { name, kept = process.args.length, passed = [], home, cgroups, filter, image } = options;
  const env = environment(process.env ?? []).map((entry) =>
    typeof entry === "string" ? entry : `HOME=${home}`
  );
  // Of two entries some programs take the first, and some the last.
  const own = env.filter((entry) => !passed.includes(entry.slice(0, entry.indexOf("="))));
  const plan = planCreate(config, host, filter);
  return {
    name,
    container: [
      ...withoutRuntime(plan.slice(meetRuntime().length, -1), config, host, {
        first: [
          ...(host.embedded ? mountImage(host.embedded) : []),
          ...(host.privileged ? forgetFile(image) : []),
          ...makeCgroups(name, cgroups),
        ],
        // Without privilege it takes those of the new user namespace.
        inNamespace: host.privileged ? [] : forgetFile(image),
      }),
      ...execute({ ...process, env: own }),
    ],
    cleanup: [
      ...removeCgroups(name, cgroups),
      step({ label: "exit with the status of the process", pointer: "runtime" }, "exit_group", [
        slot("$exit"),
      ]),
    ],
    args: process.args,
    kept,
    env: own,
    passed,
  };
}

function refuse(config: Config, host: Host): void {
  const no = (pointer: Pointer, why: string): never => {
    throw new ConfigError(pointer, `cannot be compiled: ${why}`);
  };
  for (const [kind, hooks] of Object.entries(config.hooks ?? {})) {
    if (Array.isArray(hooks) && hooks.length > 0) {
      no(`/hooks/${kind}`, "hooks are run by a runtime, and told its state");
    }
  }
  if (config.process?.terminal) {
    no(
      "/process/terminal",
      "a terminal of its own takes a relay; without it the process has the caller's streams",
    );
  }
  if (config.linux?.netDevices !== undefined) no("/linux/netDevices", "a runtime moves interfaces");
  if (config.linux?.intelRdt !== undefined) {
    no("/linux/intelRdt", "a runtime makes groups of resctrl, and removes them");
  }
  for (const { reason } of copiedUp(config)) no(reason.pointer, "tmpcopyup is a loop over files");
  for (const { reason } of idmappedMounts(config)) {
    no(reason.pointer, "an id-mapped mount takes a process for its map");
  }
  for (const { path, reason } of devicesToCompare(config)) {
    no(
      reason.pointer === "runtime" ? "/mounts" : reason.pointer,
      `nothing new is mounted where ${path} is to be made`,
    );
  }
  if (host.embedded && (namespace(config, "mount") !== "new" || namespace(config, "user") !== "none")) {
    no(
      "/linux/namespaces",
      "an embedded image takes a new mount namespace and, to be mounted, no user namespace",
    );
  }
  if (!host.privileged && namespace(config, "user") !== "new") {
    no("/linux/namespaces", "without root's rights it takes a new user namespace");
  }
  if (namespace(config, "pid") !== "new" && !host.unifiedCgroup) {
    no(
      "/linux/namespaces",
      "without a new pid namespace only cgroup v2 can end what the process leaves behind",
    );
  }
}

/**
 * Has /proc/self/exe be an empty file. It would be the executable, which is the host's and stays there: a program or a
 * script of the image's whose interpreter is /proc/self/exe could have it run, and write to it then (CVE-2019-5736).
 *
 * Nothing else of the file may be mapped: the loader has unpacked all that runs.
 *
 * @see PR_SET_MM_MAP in prctl(2), which takes CAP_CHECKPOINT_RESTORE in our user namespace; PR_SET_MM_EXE_FILE, for kernels
 *   without CONFIG_CHECKPOINT_RESTORE, takes CAP_SYS_RESOURCE in the first
 */
function forgetFile({ address, bytes }: StandaloneOptions["image"]): Node[] {
  const reason: Reason = { label: "let go of the executable", pointer: "runtime" };
  const end = address + bytes;
  const members = {
    start_code: address,
    end_code: end,
    start_data: address,
    end_data: end,
    // The kernel wants it above all of that.
    start_brk: end + bytes,
    brk: end + bytes,
    start_stack: address,
    arg_start: address,
    arg_end: address,
    env_start: address,
    env_end: address,
    exe_fd: EXE_FD,
  };
  const orExeFile = step(reason, "prctl", [PR_SET_MM, PR_SET_MM_EXE_FILE, slot("$none"), 0, 0]);
  return [
    step(reason, "munmap", [address, bytes]),
    step(reason, "memfd_create", ["none", MFD_CLOEXEC], "$none"),
    // A structure has it as a number.
    step(reason, "dup3", [slot("$none"), EXE_FD, O_CLOEXEC]),
    attempt(
      step(reason, "prctl", [PR_SET_MM, PR_SET_MM_MAP, { struct: "prctl_mm_map", members }, 104, 0]),
      ["EINVAL"],
      { otherwise: [orExeFile] },
    ),
    step(reason, "close", [EXE_FD]),
    step(reason, "close", [slot("$none")]),
  ];
}

/** Above all that a plan opens. */
const EXE_FD = 100;

/** `plan` with what its barriers are for. */
function withoutRuntime(
  plan: Plan,
  config: Config,
  host: Host,
  { first, inNamespace }: { readonly first: readonly Node[]; readonly inNamespace: readonly Node[] },
): Node[] {
  const nodes: Node[] = [];
  for (const node of plan) {
    if (node.kind !== "barrier") {
      nodes.push(node);
      // The cgroups are the host's, so they are made and joined first, with the descriptors that a plan begins with.
      if (node.kind === "step" && node.save === "$proc") nodes.push(...first);
      continue;
    }
    switch (node.name) {
      case "namespaces": {
        // What has made the user namespace.
        const unshare = nodes.pop()!;
        nodes.push(...idMaps(config, host, unshare), ...timeOffsets(config), ...inNamespace);
        break;
      }
      case "start":
        nodes.push(...wakeUp());
    }
  }
  return dieWithParent(nodes);
}

/** The supervisor has blocked all signals, so that none of them stops a container half-way. */
function wakeUp(): Node[] {
  const none = new Uint8Array(8);
  return [
    step({ label: "unblock all signals", pointer: "runtime" }, "rt_sigprocmask", [
      SIG_SETMASK,
      none,
      null,
      8,
    ]),
  ];
}

const SIG_SETMASK = 2;

/**
 * The supervisor may be killed by a signal that cannot be passed on. Before the filter, which need not allow this call; a
 * change of the user clears it (prctl(2)), so behind that if it can be.
 */
function dieWithParent(nodes: readonly Node[]): Node[] {
  const reason: Reason = { label: "die with the process that waits", pointer: "runtime" };
  const is = (call: string) => (node: Node) => node.kind === "step" && node.call === call;
  const filter = nodes.findIndex(is("seccomp"));
  const at = filter === -1 ? nodes.length : filter;
  return nodes.toSpliced(at, 0, step(reason, "prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]));
}

/** Becomes the program. A name without a slash is tried in each directory of PATH: execvp(3). */
function execute(process: Process): Node[] {
  const [name = ""] = process.args;
  const reason: Reason = { label: `exec ${JSON.stringify(name)}`, pointer: "/process/args" };
  const call = (path: string) => step(reason, "execve", [path, slot("$argv"), slot("$envp")]);
  if (name.includes("/")) return [call(name)];
  const path = process.env?.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length);
  // An empty entry is the working directory.
  const paths = (path ?? "").split(":").map((directory) => `${directory || "."}/${name}`);
  return paths.reduceRight<Node[]>(
    (rest, path) =>
      rest.length === 0
        ? [call(path)]
        : [attempt(call(path), ["ENOENT", "ENOTDIR", "EACCES"], { otherwise: rest })],
    [],
  );
}
