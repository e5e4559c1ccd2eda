/** `hako features`: what this runtime can do, for the engines that ask. @module */

import {
  SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from "../linux/generated/constants.ts";
import { knowsFilterFlags } from "../linux/seccomp.ts";
import { CAPABILITIES } from "../linux/generated/capabilities.ts";
import { ANNOTATION_PREFIX as SYSTEMD_ANNOTATIONS } from "../../cgroups/systemd/annotations.ts";
import { CRIU_CONFIG_ANNOTATION } from "../container/criu/annotation.ts";
import { findProgram } from "../container/program.ts";
import { mountOptionNames } from "../plan/mount_options.ts";
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from "../spec/linux.ts";
import { OCI_VERSION } from "../spec/version.ts";
import { defineCommand } from "./command.ts";
import { VERSION } from "./version.ts";

/** With what else a flag needs to be taken by seccomp(2). */
const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
};

const SECCOMP = {
  enabled: true,
  actions: ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "NOTIFY", "TRACE", "TRAP"]
    .map((name) => `SCMP_ACT_${name}`),
  operators: ["EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE"].map((name) => `SCMP_CMP_${name}`),
  archs: ["AARCH64", "ARM", "LOONGARCH64", "PPC64LE", "RISCV64", "S390X", "X32", "X86", "X86_64"]
    .map((name) => `SCMP_ARCH_${name}`),
  knownFlags: Object.keys(FLAGS),
};

export const features = defineCommand({
  name: "features",
  summary: "print what this runtime supports, as JSON",
  usage: "",
  positionals: { min: 0, max: 0 },
  options: {},
  action({ print }) {
    print(`${JSON.stringify(describe(), null, 4)}\n`);
    return 0;
  },
});

/** features.md and features-linux.md of the runtime specification. */
function describe() {
  return {
    ociVersionMin: "1.0.0",
    ociVersionMax: OCI_VERSION,
    hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    mountOptions: mountOptionNames(),
    linux: {
      namespaces: ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
      capabilities: CAPABILITIES,
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        ...SECCOMP,
        supportedFlags: SECCOMP.knownFlags.filter((name) => knowsFilterFlags(FLAGS[name]!)),
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: { modes: MEMORY_POLICY_MODES, flags: MEMORY_POLICY_FLAGS },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: {
      "io.github.hako.version": VERSION,
      // runc's name for what Podman and others want to know of any runtime.
      "org.opencontainers.runc.checkpoint.enabled": `${findProgram("criu") !== undefined}`,
    },
    potentiallyUnsafeConfigAnnotations: [SYSTEMD_ANNOTATIONS, CRIU_CONFIG_ANNOTATION],
  };
}
