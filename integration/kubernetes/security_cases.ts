/** The security contexts of pods and containers. @module */
import { BOX } from "../engines/machine.ts";
import type { Cases } from "../engines/suite.ts";
import { eachRun, HOST_NETWORK } from "./pods.ts";

/** Of the program itself. */
function status(...names: readonly string[]): string {
  return `grep -E '^(${names.join("|")}):' /proc/self/status | tr -s '\\t\\n' ' '`;
}

const profile = `${BOX}/seccomp.json`;
Deno.writeTextFileSync(
  profile,
  JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
  }),
);

export const securityCases: Cases = eachRun({
  "runAsUser, runAsGroup, supplementalGroups": {
    security: { runAsUser: { value: 1234 }, runAsGroup: { value: 567 }, supplementalGroups: [89, 90] },
    script: "id -u; id -g; id -G",
    stdout: "1234\n567\n567 89 90",
  },
  "runAsUser of the image, by name": {
    security: { runAsUsername: "user" },
    script: "id -u; id -g",
    stdout: "1000\n1000",
  },
  "runAsUser: no capabilities, but what is bounded": {
    security: { runAsUser: { value: 1000 } },
    script: status("CapEff", "CapBnd"),
    stdout: "CapEff: 0000000000000000 CapBnd: 00000000a80425fb",
  },
  "capabilities: the default ones": {
    script: status("CapEff", "CapBnd"),
    stdout: "CapEff: 00000000a80425fb CapBnd: 00000000a80425fb",
  },
  "capabilities: drop ALL, add one": {
    security: { capabilities: { dropCapabilities: ["ALL"], addCapabilities: ["NET_BIND_SERVICE"] } },
    script: status("CapEff", "CapBnd"),
    stdout: "CapEff: 0000000000000400 CapBnd: 0000000000000400",
  },
  "capabilities: added and dropped": {
    security: { capabilities: { dropCapabilities: ["CHOWN"], addCapabilities: ["NET_ADMIN"] } },
    script: status("CapEff"),
    stdout: "CapEff: 00000000a80435fa",
  },
  "allowPrivilegeEscalation: false": {
    security: { noNewPrivs: true },
    script: status("NoNewPrivs"),
    stdout: "NoNewPrivs: 1",
  },
  "allowPrivilegeEscalation: true": { script: status("NoNewPrivs"), stdout: "NoNewPrivs: 0" },
  "seccompProfile RuntimeDefault": {
    security: { seccomp: { profileType: "RuntimeDefault" } },
    script: `${status("Seccomp")}; unshare -U true`,
    status: 1,
    stdout: "Seccomp: 2",
    stderr: /Operation not permitted/,
  },
  "seccompProfile Unconfined": {
    security: { seccomp: { profileType: "Unconfined" } },
    script: `${status("Seccomp")}; unshare -U true`,
    stdout: "Seccomp: 0",
  },
  "seccompProfile Localhost": {
    security: { seccomp: { profileType: "Localhost", localhostRef: profile } },
    script: "mkdir /x",
    status: 1,
    stderr: /Operation not supported/,
  },
  "seccompProfile RuntimeDefault for the pod's own process too": {
    pod: {
      security: {
        namespaceOptions: { network: "NODE", pid: "POD" },
        seccomp: { profileType: "RuntimeDefault" },
      },
    },
    script: "grep ^Seccomp: /proc/1/status | tr -s '\\t' ' '",
    stdout: "Seccomp: 2",
  },
  "readOnlyRootFilesystem": {
    security: { readonlyRootfs: true },
    mounts: [{ containerPath: "/volume", hostPath: BOX }],
    script: "touch /volume/rw && rm /volume/rw && echo volume; touch /x",
    status: 1,
    stdout: "volume",
    stderr: /Read-only file system/,
  },
  "procMount Default: masked and read-only paths": {
    security: {
      maskedPaths: ["/proc/keys", "/proc/timer_list", "/sys/firmware"],
      readonlyPaths: ["/proc/sys", "/proc/bus"],
    },
    script: "cat /proc/keys /proc/timer_list; ls /sys/firmware; echo x >/proc/sys/kernel/hostname",
    status: 1,
    stdout: "",
    stderr: /Read-only file system/,
  },
  "procMount Unmasked: none": {
    security: { maskedPaths: [], readonlyPaths: [] },
    script: "grep -c . /proc/keys; grep -c ' /proc/' /proc/self/mounts",
    status: 1,
    stdout: /^[1-9]\d*\n0$/,
  },
  "privileged": {
    pod: { security: { ...HOST_NETWORK.security, privileged: true } },
    security: { privileged: true },
    script: `mount -t tmpfs none /mnt && ls /dev/loop-control && grep -c ' / /sys rw' /proc/self/mountinfo; ${
      status("Seccomp")
    }`,
    stdout: "/dev/loop-control\n1\nSeccomp: 0",
    mounts: [{ containerPath: "/mnt", hostPath: BOX }],
  },
});
