/** What the tests of builders plan for, and how they look at the result. @module */

import { assertEquals } from "@std/assert";
import { formatPlan } from "../../../runtime/plan/format.ts";
import type { Host } from "../../../runtime/plan/host.ts";
import type { Plan } from "../../../runtime/plan/node.ts";
import type { Config, Linux, Process } from "../../../runtime/spec/config.ts";

/** Linux with 41 capabilities, all of them the caller's. */
export function testHost(members: Partial<Host> = {}): Host {
  return {
    id: "c1",
    rootfs: "/bundle/rootfs",
    rootfsMountPoint: "/",
    bundle: "/bundle",
    privileged: true,
    preserveFds: 0,
    noPivot: false,
    noNewKeyring: false,
    lastCapability: 40,
    capabilities: (1n << 41n) - 1n,
    nofile: { soft: 1024, hard: 524288 },
    nullStdio: [false, false, false],
    apparmor: false,
    selinux: false,
    sources: {},
    targets: {},
    hierarchies: [],
    cgroupTasks: [],
    unifiedCgroup: false,
    procMounts: [],
    ...members,
  };
}

export function testProcess(members: Partial<Process> = {}): Process {
  return { user: { uid: 0, gid: 0 }, args: ["/bin/sh"], cwd: "/", ...members };
}

export function testConfig(linux: Linux = {}): Config {
  return { ociVersion: "1.3.0", root: { path: "rootfs" }, process: testProcess(), linux };
}

/** A config with a user namespace. */
export const USERNS: Config = testConfig({
  namespaces: [{ type: "user" }],
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
});

/** Compares a plan's text with `expected`, whatever the indentation. */
export function assertPlan(plan: Plan, expected: string): void {
  const squeeze = (text: string) =>
    text.trim().split("\n").map((line) => line.trim().replace(/ {2,}/g, "  ")).join("\n");
  assertEquals(squeeze(formatPlan(plan)), squeeze(expected));
}
