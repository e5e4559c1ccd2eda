/** `hako features`: what this runtime can do, for the engines that ask. @module */

import { CAPABILITY_NAMES } from "../plan/capabilities.ts";
import { mountOptionNames } from "../plan/mount_options.ts";
import { OCI_VERSION } from "../spec/default.ts";
import { defineCommand } from "./command.ts";
import { VERSION } from "./version.ts";

/** NOTIFY is not among the actions: there is no listener yet. */
const SECCOMP = {
  enabled: true,
  actions: ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "TRACE", "TRAP"]
    .map((name) => `SCMP_ACT_${name}`),
  operators: ["EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE"].map((name) => `SCMP_CMP_${name}`),
  archs: ["AARCH64", "ARM", "LOONGARCH64", "PPC64LE", "RISCV64", "S390X", "X32", "X86", "X86_64"]
    .map((name) => `SCMP_ARCH_${name}`),
  knownFlags: ["LOG", "SPEC_ALLOW", "TSYNC"].map((name) => `SECCOMP_FILTER_FLAG_${name}`),
  supportedFlags: ["LOG", "SPEC_ALLOW", "TSYNC"].map((name) => `SECCOMP_FILTER_FLAG_${name}`),
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
      capabilities: CAPABILITY_NAMES,
      cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
      seccomp: SECCOMP,
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: false },
    },
    annotations: { "io.github.hako.version": VERSION },
  };
}
