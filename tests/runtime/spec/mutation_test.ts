import { assert, assertEquals } from "@std/assert";
import { ConfigError } from "../../../runtime/errors.ts";
import { validateConfig } from "../../../runtime/spec/parse.ts";
import { changedConfig } from "./cases.ts";

/** Every member that is checked, once. */
const FULL = {
  "/process": {
    terminal: true,
    consoleSize: { height: 1, width: 1 },
    user: { uid: 0, gid: 0, umask: 0, additionalGids: [1] },
    args: ["a"],
    env: ["A=b"],
    cwd: "/",
    capabilities: { bounding: ["A"], effective: ["A"], inheritable: ["A"], permitted: ["A"], ambient: ["A"] },
    rlimits: [{ type: "RLIMIT_CPU", soft: 1, hard: 1 }],
    noNewPrivileges: true,
    apparmorProfile: "a",
    selinuxLabel: "a",
    oomScoreAdj: 0,
    scheduler: {
      policy: "SCHED_DEADLINE",
      nice: 0,
      priority: 0,
      flags: [],
      runtime: 1,
      deadline: 1,
      period: 1,
    },
    ioPriority: { class: "IOPRIO_CLASS_BE", priority: 1 },
    execCPUAffinity: { initial: "0", final: "0" },
  },
  "/root/readonly": true,
  "/hostname": "a",
  "/domainname": "a",
  "/mounts": [{
    destination: "/a",
    type: "none",
    source: "/b",
    options: ["bind", "idmap"],
    uidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
  }],
  "/hooks/poststop": [{ path: "/a", args: ["a"], env: ["A=b"], timeout: 1 }],
  "/annotations": { a: "b" },
  "/linux/sysctl": { "net.a": "1", "kernel.sem": "1", "user.a": "1", "kernel.domainname": "1" },
  "/linux/cgroupsPath": "/a",
  "/linux/devices": [{ path: "/a", type: "c", major: 1, minor: 1, fileMode: 1, uid: 1, gid: 1 }],
  "/linux/netDevices": { eth0: { name: "eth1" } },
  "/linux/seccomp": {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    architectures: ["SCMP_ARCH_X86"],
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    listenerPath: "/a",
    listenerMetadata: "a",
    syscalls: [{
      names: ["read"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 1,
      args: [{ index: 0, value: 0, valueTwo: 0, op: "SCMP_CMP_EQ" }],
    }],
  },
  "/linux/rootfsPropagation": "shared",
  "/linux/maskedPaths": ["/a"],
  "/linux/readonlyPaths": ["/a"],
  "/linux/mountLabel": "a",
  "/linux/intelRdt": {
    closID: "a",
    schemata: ["a"],
    l3CacheSchema: "a",
    memBwSchema: "MB:",
    enableMonitoring: true,
  },
  "/linux/memoryPolicy": { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] },
  "/linux/personality": { domain: "LINUX", flags: [] },
  "/linux/timeOffsets": { monotonic: { secs: 1, nanosecs: 1 } },
  "/linux/resources": {
    devices: [{ allow: true, type: "a", major: 1, minor: 1, access: "r" }],
    memory: {
      limit: 1,
      reservation: 1,
      swap: 1,
      kernel: 1,
      kernelTCP: 1,
      swappiness: 1,
      disableOOMKiller: true,
      useHierarchy: true,
      checkBeforeUpdate: true,
    },
    cpu: {
      shares: 1,
      quota: 1,
      burst: 1,
      period: 1,
      realtimeRuntime: 1,
      realtimePeriod: 1,
      cpus: "0",
      mems: "0",
      idle: 1,
    },
    pids: { limit: 1 },
    blockIO: {
      weight: 1,
      leafWeight: 1,
      weightDevice: [{ major: 1, minor: 1, weight: 1, leafWeight: 1 }],
      throttleReadBpsDevice: [{ major: 1, minor: 1, rate: 1 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 1 }],
    network: { classID: 1, priorities: [{ name: "a", priority: 1 }] },
    rdma: { a: { hcaHandles: 1, hcaObjects: 1 } },
    unified: { "a.b": "1" },
  },
};

const WRONG_TYPES = [{ wrong: 1 }, [[1]], 1.5, true, "\0"];
const OTHERS = [null, undefined, "", 0, -1, 2n ** 70n, "x", "/x", [], {}];

/** Every value of a JSON value, as the object and the member name that hold it. */
function* places(
  value: unknown,
  pointer = "",
): Generator<[holder: Record<string, unknown>, name: string, pointer: string]> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const place = `${pointer}/${name}`;
    yield [value as Record<string, unknown>, name, place];
    yield* places(member, place);
  }
}

function mutationError(pointer: string, replacement: unknown): unknown {
  const config = structuredClone(changedConfig(FULL));
  const [holder, name] = places(config).find(([, , place]) => place === pointer)!;
  holder[name] = replacement;
  try {
    validateConfig(config);
  } catch (error) {
    return error;
  }
}

Deno.test("the full config is valid", () => {
  validateConfig(changedConfig(FULL));
});

Deno.test("every member is checked: a value of no possible type is refused at its place", () => {
  for (const [holder, name, pointer] of places(changedConfig(FULL))) {
    for (const replacement of WRONG_TYPES) {
      // Any object, list or boolean is a valid one of those that the member may be.
      const kind = (value: unknown) => Array.isArray(value) ? "array" : typeof value;
      if (kind(replacement) === kind(holder[name]) && replacement !== "\0") continue;
      const error = mutationError(pointer, replacement);
      assert(error instanceof ConfigError, `${pointer} ${JSON.stringify(replacement)}: ${error}`);
      assertEquals(error.pointer, pointer);
    }
  }
});

Deno.test("whatever a member is, the only error is a ConfigError of one line", () => {
  for (const [, , pointer] of places(changedConfig(FULL))) {
    for (const replacement of OTHERS) {
      const error = mutationError(pointer, replacement);
      if (error === undefined) continue;
      assert(error instanceof ConfigError, `${pointer} ${String(replacement)}: ${error}`);
      assertEquals(error.message.includes("\n"), false, error.message);
    }
  }
});
